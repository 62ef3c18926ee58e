"""What nobody may see is not shown by a comparison either."""

from __future__ import annotations

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from crossrate.api.policy.v1 import policy_pb2
from crossrate.compare.message import Comparator

SECRET = "hunter2"


def _vault():
    """A message with secrets at every kind of place, made for this test."""
    file = descriptor_pb2.FileDescriptorProto(
        name="test/vault.proto",
        package="test.vault",
        syntax="proto3",
        dependency=["crossrate/api/policy/v1/policy.proto"],
    )
    part = file.message_type.add(name="Part")
    part.field.add(name="name", number=1, label=1, type=9)
    message = file.message_type.add(name="Vault")
    kinds = {
        "single": (1, 1, 9, ""),
        "several": (2, 3, 9, ""),
        "inside": (3, 1, 11, ".test.vault.Part"),
        "by_name": (4, 3, 11, ".test.vault.Vault.ByNameEntry"),
        "parts": (5, 3, 11, ".test.vault.Keyed"),
    }
    for name, (number, label, kind, type_name) in kinds.items():
        field = message.field.add(name=name, number=number, label=label, type=kind, type_name=type_name or None)
        policy = field.options.Extensions[policy_pb2.field]
        if name == "parts":
            policy.compare_key = "owner"
        else:
            policy.redaction = policy_pb2.REDACTION_HASH if number % 2 else policy_pb2.REDACTION_REMOVE
    entry = message.nested_type.add(name="ByNameEntry")
    entry.options.map_entry = True
    entry.field.add(name="key", number=1, label=1, type=9)
    entry.field.add(name="value", number=2, label=1, type=9)
    keyed = file.message_type.add(name="Keyed")
    keyed.field.add(name="owner", number=1, label=1, type=9).options.Extensions[
        policy_pb2.field
    ].redaction = policy_pb2.REDACTION_HASH
    keyed.field.add(name="worth", number=2, label=1, type=1)
    pool = descriptor_pool.Default()
    try:
        found = pool.FindMessageTypeByName("test.vault.Vault")
    except KeyError:
        pool.Add(file)
        found = pool.FindMessageTypeByName("test.vault.Vault")
    return message_factory.GetMessageClass(found)


def test_differences_of_secrets_are_told_without_them() -> None:
    """A single value, a list, a message, a map with its keys, and the key of a list: each difference is told once by
    its field, and no text of it has the secret."""
    made = _vault()
    stable = made(single=SECRET, several=[SECRET], by_name={SECRET: SECRET})
    stable.inside.name = SECRET
    stable.parts.add(owner=SECRET, worth=1.0)
    candidate = made(single=f"{SECRET}!", several=[f"{SECRET}!"], by_name={SECRET: f"{SECRET}!"})
    candidate.inside.name = f"{SECRET}!"
    candidate.parts.add(owner=SECRET, worth=2.0)
    candidate.parts.add(owner=f"{SECRET}!", worth=2.0)
    found = Comparator(lambda _: None).compare(stable, candidate)
    fields = [each.field for each in found]
    assert fields == ["single", "several", "inside", "by_name", "parts[].worth", "parts[]"]
    assert SECRET not in "".join(str(each) for each in found)
    assert [each.stable for each in found[:4]] == ["REDACTED"] * 4
    assert not Comparator(lambda _: None).compare(stable, stable)
