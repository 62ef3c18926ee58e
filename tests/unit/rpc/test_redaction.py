"""Messages as people may see them."""

import json

from google.protobuf import any_pb2, descriptor_pb2, descriptor_pool, message_factory

from crossrate.api.marketdata.v1 import marketdata_service_pb2 as marketdata
from crossrate.api.policy.v1 import policy_pb2
from crossrate.rpc.redaction import Redaction


def _login():
    """A message with secrets at every kind of place, made for this test."""
    file = descriptor_pb2.FileDescriptorProto(
        name="test/login.proto",
        package="test.login",
        syntax="proto3",
        dependency=["crossrate/api/policy/v1/policy.proto", "google/protobuf/any.proto"],
    )
    message = file.message_type.add(name="Login")
    kinds = {
        "password": (1, 1, 9, "", policy_pb2.REDACTION_REMOVE),
        "account": (2, 1, 9, "", policy_pb2.REDACTION_HASH),
        "emails": (3, 3, 9, "", policy_pb2.REDACTION_HASH),
        "pin": (4, 1, 5, "", policy_pb2.REDACTION_REMOVE),
        "next": (5, 1, 11, ".test.login.Login", 0),
        "others": (6, 3, 11, ".test.login.Login", 0),
        "by_desk": (7, 3, 11, ".test.login.Login.ByDeskEntry", 0),
        "more": (8, 1, 11, ".google.protobuf.Any", 0),
        "comment": (9, 1, 9, "", policy_pb2.REDACTION_NONE),
    }
    for name, (number, label, kind, type_name, redaction) in kinds.items():
        field = message.field.add(name=name, number=number, label=label, type=kind, type_name=type_name or None)
        if redaction:
            field.options.Extensions[policy_pb2.field].redaction = redaction
    entry = message.nested_type.add(name="ByDeskEntry")
    entry.options.map_entry = True
    entry.field.add(name="key", number=1, label=1, type=9)
    entry.field.add(name="value", number=2, label=1, type=11, type_name=".test.login.Login")
    pool = descriptor_pool.Default()
    try:
        found = pool.FindMessageTypeByName("test.login.Login")
    except KeyError:
        pool.Add(file)
        found = pool.FindMessageTypeByName("test.login.Login")
    return message_factory.GetMessageClass(found)


def _full(login):
    message = login(password="hunter2", account="A-1", emails=["a@b", "c@d"], pin=1234, comment="said aloud")
    message.next.CopyFrom(login(password="hunter2", account="A-1"))
    message.others.add(password="hunter2")
    message.by_desk["spot"].password = "hunter2"
    inner = any_pb2.Any()
    inner.Pack(login(password="hunter2", account="A-1"))
    message.more.Pack(inner)
    return message


def test_no_secret_is_shown_wherever_it_stands():
    """Removed and hashed fields show nothing of their value: nested, repeated, in a map or in an Any within an Any."""
    shown = Redaction(b"key").to_json(_full(_login()))
    for secret in ("hunter2", "A-1", "a@b", "c@d", "1234"):
        assert secret not in shown
    assert "said aloud" in shown
    assert shown.count("REDACTED") == 6


def test_equal_values_can_be_matched_without_being_read():
    """The same value has the same hash under one key, and another under another."""
    login = _login()
    one = json.loads(Redaction(b"key").to_json(_full(login)))
    assert one["account"] == one["next"]["account"]
    assert one["account"] != one["emails"][0] != one["emails"][1]
    assert one["account"] != json.loads(Redaction(b"other").to_json(_full(login)))["account"]


def test_a_message_without_secrets_is_shown_as_it_is():
    """Where no field has a policy, the JSON is the message's own."""
    shown = Redaction(b"key").to_json(marketdata.GetQuoteRequest(base="EUR", counter="USD"))
    assert json.loads(shown) == {"base": "EUR", "counter": "USD"}
