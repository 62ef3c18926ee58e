"""Messages of the real contracts with every field set, and one difference planted in one of them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from google.protobuf import message_factory
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from crossrate.api.policy.v1 import policy_pb2
from crossrate.rpc.contract import contracts

DEPTH_MAX = 6
FLOATS = (FieldDescriptor.TYPE_DOUBLE, FieldDescriptor.TYPE_FLOAT)


@dataclass(frozen=True)
class Leaf:
    """A scalar field somewhere in an answer: the fields on the way to it, and whether comparison leaves it out."""

    message: Descriptor
    way: tuple[FieldDescriptor, ...]
    ignored: bool

    @property
    def field(self) -> str:
        """Its path as reports have it."""
        return ".".join(f"{step.name}[]" if step.is_repeated else step.name for step in self.way)


def answers() -> list[Descriptor]:
    """The types of all answers, in order of their name."""
    return sorted({m.output.full_name: m.output for m in contracts().values()}.values(), key=lambda d: d.full_name)


def leaves(message: Descriptor) -> Iterator[Leaf]:
    """Every scalar that an answer may hold, without messages of others."""
    yield from _leaves(message, message, (), False)


def _leaves(root: Descriptor, message: Descriptor, way: tuple, ignored: bool) -> Iterator[Leaf]:
    if len(way) >= DEPTH_MAX:
        return
    for field in message.fields:
        left_out = ignored or field.GetOptions().Extensions[policy_pb2.field].compare_ignored
        if field.message_type is None:
            yield Leaf(root, (*way, field), left_out)
        elif field.message_type.full_name.startswith("crossrate."):
            yield from _leaves(root, field.message_type, (*way, field), left_out)


def value_of(field: FieldDescriptor, chance: random.Random):
    """A value that is not the default."""
    if field.enum_type is not None:
        return chance.choice([v.number for v in field.enum_type.values if v.number] or [0])
    if field.type in FLOATS:
        return chance.uniform(0.5, 2.0)
    match field.type:
        case FieldDescriptor.TYPE_BOOL:
            return True
        case FieldDescriptor.TYPE_BYTES:
            return chance.randbytes(6)
        case FieldDescriptor.TYPE_STRING:
            return "EUR/USD" if field.name == "instrument" else f"{field.name}-{chance.randrange(10**6)}"
        case _:
            return chance.randrange(1, 10**6)


def other_than(field: FieldDescriptor, value, chance: random.Random):
    """Another value: of a number by a thousandth or by one."""
    if field.enum_type is not None:
        return next(v.number for v in field.enum_type.values if v.number != value)
    if isinstance(value, bool):
        return not value
    if isinstance(value, (int, float)):
        return value * 1.001 if field.type in FLOATS else value + 1
    if isinstance(value, bytes):
        return value + b"!"
    return "GBP/USD" if value == "EUR/USD" else f"{value}-{chance.randrange(9)}"


def filled(message: Descriptor, way: tuple[FieldDescriptor, ...], chance: random.Random) -> Message:
    """A message of a type with every field set that the way does not rule out: of a choice the member on the way."""
    made = message_factory.GetMessageClass(message)()
    _fill(made, way, chance, 0)
    return made


def _fill(made: Message, way: tuple[FieldDescriptor, ...], chance: random.Random, depth: int) -> None:
    wanted = way[0].name if way else ""
    for field in made.DESCRIPTOR.fields:
        oneof = field.containing_oneof
        if oneof is not None and len(oneof.fields) > 1:
            chosen = wanted if wanted in {f.name for f in oneof.fields} else oneof.fields[0].name
            if field.name != chosen:
                continue
        follow = way[1:] if field.name == wanted else ()
        inner = field.message_type
        if inner is None:
            value = value_of(field, chance)
            if field.is_repeated:
                getattr(made, field.name).extend([value, value_of(field, chance)])
            else:
                setattr(made, field.name, value)
        elif inner.GetOptions().map_entry:
            continue
        elif inner.full_name.startswith("crossrate.") and (depth < 3 or follow):
            for target in _targets(made, field):
                _fill(target, follow, chance, depth + 1)
        elif inner.full_name == "google.protobuf.Timestamp":
            for target in _targets(made, field):
                target.FromNanoseconds(chance.randrange(10**18))


def _targets(made: Message, field: FieldDescriptor) -> list[Message]:
    """The message of a field, or two of its list."""
    value = getattr(made, field.name)
    if field.is_repeated:
        return [value.add(), value.add()]
    value.SetInParent()
    return [value]


def plant(made: Message, way: tuple[FieldDescriptor, ...], chance: random.Random) -> None:
    """Changes the scalar at the end of the way, in the last element of each list."""
    *parents, field = way
    for step in parents:
        inner = getattr(made, step.name)
        made = inner[-1] if step.is_repeated else inner
    value = getattr(made, field.name)
    if field.is_repeated:
        value[-1] = other_than(field, value[-1], chance)
    else:
        setattr(made, field.name, other_than(field, value, chance))


def disturb(made: Message, chance: random.Random) -> None:
    """What two instances of one version answer differently: what is ignored, and last digits where tolerated."""
    for field, value in list(made.ListFields()):
        policy = field.GetOptions().Extensions[policy_pb2.field]
        if policy.compare_ignored:
            _redraw(made, field, chance)
        elif field.message_type is not None and field.message_type.full_name.startswith("crossrate."):
            for inner in value if field.is_repeated else [value]:
                disturb(inner, chance)
        elif policy.HasField("tolerance") and field.type in FLOATS:
            share = policy.tolerance.value / 4 * (1e-4 if policy.tolerance.unit == 3 else 1.0)
            if field.is_repeated:
                value[:] = [v * (1 + share * chance.uniform(-1, 1)) for v in value]
            else:
                setattr(made, field.name, value * (1 + share * chance.uniform(-1, 1)))


def _redraw(made: Message, field: FieldDescriptor, chance: random.Random) -> None:
    made.ClearField(field.name)
    if field.message_type is None and not field.is_repeated:
        setattr(made, field.name, value_of(field, chance))
