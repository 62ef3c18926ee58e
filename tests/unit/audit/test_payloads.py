"""What facts are found by, and what of them is never kept."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool

from crossrate.api.audit.v1 import leaf_pb2
from crossrate.api.identity.v1 import identity_events_pb2
from crossrate.api.ledger.v1 import entry_pb2, ledger_events_pb2
from crossrate.api.policy.v1 import policy_pb2
from crossrate.api.risk.v1 import limit_pb2, risk_events_pb2
from crossrate.api.trading.v1 import execution_pb2, trading_events_pb2
from services.audit.domain import KEYS_MAX, Retention, bounded
from services.audit.payloads import WITHHELD, Payloads, body_of, split

ROOT = Path(__file__).resolve().parents[3]


def test_an_execution_is_found_by_account_order_and_person() -> None:
    """Wherever the fields stand in the message, by their names."""
    event = trading_events_pb2.ExecutionReported()
    report = event.report
    report.cause = "r1"
    report.time.seconds = 5
    order = report.order
    order.order_id, order.entered_by = "o1", "client:local"
    order.terms.account, order.terms.client_order_id = "alpha", "c1"
    payload = event.SerializeToString()
    keys, kept, form, time_ns = Payloads().read(event.DESCRIPTOR.full_name, payload)
    assert keys == ("account:alpha", "order:c1", "order:o1", "person:client:local", "request:r1")
    assert (kept, form, time_ns) == (payload, leaf_pb2.PAYLOAD_FORM_PROTOBUF, 5_000_000_000)
    report.cause = "c1"
    assert "request:c1" not in Payloads().read(event.DESCRIPTOR.full_name, event.SerializeToString()).keys


def test_both_persons_of_an_approval_are_found() -> None:
    """Who proposed limits and who approved them, and who entered a correction and who let it pass."""
    approved = limit_pb2.LimitSet(proposed_by="client:a", approved_by="client:b")
    limits = risk_events_pb2.LimitsChanged(limits=approved)
    assert Payloads().read(limits.DESCRIPTOR.full_name, limits.SerializeToString())[0] == (
        "person:client:a",
        "person:client:b",
    )
    entry = ledger_events_pb2.EntryPosted(entry=entry_pb2.Entry(entered_by="client:a", approved_by="client:b"))
    keys = Payloads().read(entry.DESCRIPTOR.full_name, entry.SerializeToString())[0]
    assert {"person:client:a", "person:client:b"} <= set(keys)


def test_what_is_not_known_is_withheld() -> None:
    """Of a type that these contracts do not have nobody knows what in it is secret; nor of bytes that are none."""
    payloads = Payloads()
    unknown = ("x.Unknown", "crossrate.api.nobody.v1.Happened", "crossrate.api.audit.v1.Nothing", "crossrate.api.X", "")
    for name, payload in (*((name, b"secret") for name in unknown), ("crossrate.api.audit.v1.GapFound", b"\xff\xff")):
        assert payloads.read(name, payload) == WITHHELD
    assert body_of("x.Unknown", leaf_pb2.PAYLOAD_FORM_PROTOBUF, b"") is None


def secret_type() -> str:
    """A message with secrets, some of them inside others and in a map."""
    name = "crossrate.test.audit.Login"
    pool = descriptor_pool.Default()
    try:
        return pool.FindMessageTypeByName(name).full_name
    except KeyError:
        pass
    file = descriptor_pb2.FileDescriptorProto(
        name="crossrate/test/audit.proto",
        package="crossrate.test.audit",
        syntax="proto3",
        dependency=["crossrate/api/policy/v1/policy.proto"],
    )
    login = file.message_type.add(name="Login")
    kinds = descriptor_pb2.FieldDescriptorProto
    for number, (field, kind) in enumerate((("user", kinds.TYPE_STRING), ("password", kinds.TYPE_STRING)), start=1):
        made = login.field.add(name=field, number=number, type=kind, label=kinds.LABEL_OPTIONAL)
        if field == "password":
            made.options.Extensions[policy_pb2.field].redaction = policy_pb2.REDACTION_REMOVE
    inner = ".crossrate.test.audit.Login"
    login.field.add(name="inner", number=3, type=kinds.TYPE_MESSAGE, type_name=inner, label=kinds.LABEL_REPEATED)
    pool.Add(file)
    return name


def test_no_secret_is_ever_kept() -> None:
    """Fields that the contract has removed from logs are cleared before anything is hashed, however deep they stand."""
    name = secret_type()
    login = b"\n\x05alice\x12\x06hunter"
    payload = login + b"\x1a" + bytes([len(login)]) + login
    keys, kept, _, _ = Payloads().read(name, payload)
    assert keys == ("person:alice",)
    assert b"hunter" not in kept
    assert kept.count(b"alice") == 2


def test_versions_of_configuration_are_found_by_their_author() -> None:
    """A JSON document is kept as it is."""
    document = json.dumps({"version": 3, "values": {"a": 1}, "author": "client:operator"}).encode()
    assert Payloads().read_json(document) == (("person:client:operator",), document, leaf_pb2.PAYLOAD_FORM_JSON, 0)
    assert body_of("config", leaf_pb2.PAYLOAD_FORM_JSON, document)["version"] == 3
    assert Payloads().read_json(b"no json") == WITHHELD


def test_keys_have_a_bound() -> None:
    """Each once, sorted, no more than the most."""
    assert len(bounded(f"account:a{n}" for n in range(1000))) == KEYS_MAX
    assert bounded(["b", "a", "b"]) == ("a", "b")


def test_a_policy_of_retention_is_checked() -> None:
    """Names and days are; facts about the log itself are kept for ever."""
    policy = Retention.parse({"": 30, "x.Order": 0, "x.Quote": 1})
    assert [policy.days_of(name) for name in ("x.Other", "x.Order", "x.Quote")] == [30, 0, 1]
    assert policy.days_of("crossrate.api.audit.v1.GapFound") == 0
    for bad in ({"x": -1}, {"no name": 1}, {"crossrate.api.audit.v1.GapFound": 1}):
        with pytest.raises(ValueError, match="retention"):
            Retention.parse(bad)


def test_types_of_services_that_nobody_has_loaded_are_known() -> None:
    """A process of its own knows the facts of every contract, and withholds none of them."""
    name = "crossrate.api.pipeline.v1.DatasetDeleted"
    program = (
        "from services.audit.payloads import Payloads; from crossrate.api.audit.v1 import leaf_pb2;"
        f"print(Payloads().read({name!r}, b'')[2] == leaf_pb2.PAYLOAD_FORM_PROTOBUF)"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True"


def test_joined_facts_are_told_apart() -> None:
    """Facts of one field that were joined fall apart again, each into the bytes that it was by itself."""
    parts = [
        trading_events_pb2.ExecutionReported(report=execution_pb2.ExecutionReport(sequence=n, text="x" * n))
        for n in range(200)
    ]
    encoded = [part.SerializeToString() for part in parts]
    assert split(b"".join(encoded)) == encoded
    for bad in (b"\x0a", b"\x0a\x05abc", b"\x08\x01", b"\xff" * 11):
        with pytest.raises(ValueError, match=r"cut off|no message"):
            split(bad)


def test_who_logs_in_is_found_and_from_where_is_not_kept() -> None:
    """A login is found by its subject, its principal and its program; the address, which logs hash, is cleared."""
    login = identity_events_pb2.LoggedIn(subject="u1", client_id="cli")
    login.origin.principal, login.origin.address = "user:u1", "192.0.2.1"
    keys, kept, _, _ = Payloads().read(login.DESCRIPTOR.full_name, login.SerializeToString())
    assert {"person:u1", "person:user:u1", "person:cli"} <= set(keys)
    assert b"192.0.2.1" not in kept
