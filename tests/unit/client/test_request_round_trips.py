"""Every request that the contracts have can be made of Python's own values, and is the request that protobuf makes."""

from __future__ import annotations

import datetime as dt
import random
import string
from typing import Any

import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from crossrate.client.aio import public_services
from crossrate.client.requests import class_of, request_of

METHODS = [contract for methods in public_services().values() for contract in methods if not contract.client_streaming]
WELL_KNOWN = {
    "google.protobuf.Timestamp": lambda made: made.ToDatetime(dt.UTC),
    "google.protobuf.Duration": lambda made: made.ToTimedelta(),
    "google.type.Date": lambda made: f"{made.year:04}-{made.month:02}-{made.day:02}",
}
"""What a program gives in place of these messages."""


def scalar(field: FieldDescriptor, draws: random.Random) -> Any:
    """Any value of a field but its default."""
    match field.type:
        case FieldDescriptor.TYPE_ENUM:
            return draws.choice([each.number for each in field.enum_type.values if each.number] or [0])
        case FieldDescriptor.TYPE_STRING:
            return "".join(draws.choices(string.ascii_letters, k=draws.randint(1, 9)))
        case FieldDescriptor.TYPE_BYTES:
            return draws.randbytes(4)
        case FieldDescriptor.TYPE_BOOL:
            return True
        case FieldDescriptor.TYPE_DOUBLE | FieldDescriptor.TYPE_FLOAT:
            return draws.randint(1, 1 << 20) / 64
        case _:
            return draws.randint(1, 1 << 20)


def fill(message: Message, draws: random.Random, depth: int) -> None:
    """Sets some of the fields, one of each oneof."""
    chosen = {oneof.name: draws.choice(oneof.fields).name for oneof in message.DESCRIPTOR.oneofs}
    for field in message.DESCRIPTOR.fields:
        oneof = field.containing_oneof
        if draws.random() < 0.3 or (oneof is not None and chosen[oneof.name] != field.name):
            continue
        several = draws.randint(1, 3)
        if field.message_type is None:
            values = [scalar(field, draws) for _ in range(several)]
            if field.is_repeated:
                getattr(message, field.name).extend(values)
            else:
                setattr(message, field.name, values[0])
        elif depth and not field.message_type.GetOptions().map_entry:
            targets = [getattr(message, field.name)]
            if field.is_repeated:
                targets = [getattr(message, field.name).add() for _ in range(several)]
            for target in targets:
                target.SetInParent()
                if target.DESCRIPTOR.full_name in WELL_KNOWN:
                    known(target, draws)
                else:
                    fill(target, draws, depth - 1)


def known(message: Any, draws: random.Random) -> None:
    """A moment, a span or a day."""
    if message.DESCRIPTOR.name == "Date":
        message.year, message.month, message.day = draws.randint(1999, 2050), draws.randint(1, 12), draws.randint(1, 28)
    else:
        message.seconds, message.nanos = draws.randint(1, 1 << 30), draws.randint(0, 999_999) * 1000


def told(message: Any, draws: random.Random) -> Any:
    """A message as a program would write it: dictionaries, lists, and words for enums, or numbers."""
    kind: Descriptor = message.DESCRIPTOR
    if kind.full_name in WELL_KNOWN:
        return WELL_KNOWN[kind.full_name](message)
    fields: dict[str, Any] = {}
    for field, value in message.ListFields():
        values = list(value) if field.is_repeated else [value]
        if field.message_type is not None:
            values = [told(each, draws) for each in values]
        elif field.type == FieldDescriptor.TYPE_ENUM and draws.random() < 0.8:
            values = [field.enum_type.values_by_number[each].name for each in values]
        fields[field.name] = values if field.is_repeated else values[0]
    return fields


@pytest.mark.parametrize("contract", METHODS, ids=lambda c: c.path)
def test_what_a_program_writes_is_what_protobuf_makes(contract: Any) -> None:
    """Over 20 requests of each method with fields at random."""
    draws = random.Random(contract.path)
    for _ in range(20):
        wanted = class_of(contract.input)()
        fill(wanted, draws, 4)
        assert request_of(class_of(contract.input), told(wanted, draws)) == wanted
