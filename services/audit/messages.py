"""Rows of the log as messages of the contract."""

from __future__ import annotations

import asyncpg

from crossrate.api.audit.v1 import checkpoint_pb2, leaf_pb2
from crossrate.rpc.values import to_struct
from services.audit.payloads import body_of
from services.audit.witnessing import Seen

STATES = {
    "AGREES": checkpoint_pb2.WITNESS_STATE_AGREES,
    "AWAY": checkpoint_pb2.WITNESS_STATE_AWAY,
    "REFUSES": checkpoint_pb2.WITNESS_STATE_REFUSES,
}


def fact_message(row: asyncpg.Record) -> leaf_pb2.Fact:
    """A leaf's row as a fact.

    Raises:
        google.protobuf.message.DecodeError: its header is none any more.
    """
    leaf = leaf_pb2.Leaf.FromString(row["data"])
    fact = leaf_pb2.Fact(
        index=row["index"],
        leaf_hash=row["hash"],
        leaf=leaf,
        leaf_data=row["data"],
        salt=row["salt"],
        payload=row["payload"],
        dropped=row["salt"] is None and leaf.payload_form != leaf_pb2.PAYLOAD_FORM_WITHHELD,
    )
    body = body_of(leaf.type, leaf.payload_form, row["payload"]) if row["payload"] is not None else None
    if body is not None:
        fact.body.CopyFrom(to_struct(body))
    return fact


def checkpoint_message(row: asyncpg.Record) -> checkpoint_pb2.Checkpoint:
    """A checkpoint's row."""
    message = checkpoint_pb2.Checkpoint(size=row["size"], root=row["root"], note=row["note"])
    message.time.FromDatetime(row["time"])
    return message


def witness_message(seen: Seen | None) -> checkpoint_pb2.Witness:
    """What the witness said last."""
    if seen is None:
        return checkpoint_pb2.Witness(state=checkpoint_pb2.WITNESS_STATE_NONE)
    message = checkpoint_pb2.Witness(
        state=STATES[seen.state], verifier_key=seen.key, size=seen.size, reason=seen.reason
    )
    if seen.time_s:
        message.time.seconds = seen.time_s
    return message
