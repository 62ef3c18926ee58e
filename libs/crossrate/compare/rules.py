"""How each field is compared, read once from its contract.

The options of a field are `compare_ignored`, `compare_key` and `tolerance` in crossrate.api.policy.v1.FieldPolicy. A
tolerance on a message field, or on a repeated one, holds for the numbers in it that have none of their own.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from crossrate.api.policy.v1 import policy_pb2

IGNORED_TYPES = frozenset({"google.rpc.RequestInfo", "google.rpc.DebugInfo"})
"""Messages of others that say who answered and not what; they cannot carry our options."""

ANY = "google.protobuf.Any"
TIMES = frozenset({"google.protobuf.Timestamp", "google.protobuf.Duration"})
_SECRET = (policy_pb2.REDACTION_HASH, policy_pb2.REDACTION_REMOVE)
_FLOATS = (FieldDescriptor.TYPE_DOUBLE, FieldDescriptor.TYPE_FLOAT)
_KEYS = {("google.rpc.Status", "details"): ("type_url",)}


class Kind(enum.Enum):
    """What a single value is."""

    MESSAGE = "message"
    FLOAT = "float"
    INTEGER = "integer"
    TEXT = "text"
    OTHER = "other"


class Shape(enum.Enum):
    """How many values a field has."""

    PLAIN = "plain"
    PRESENT = "present"
    REPEATED = "repeated"
    MAP = "map"


@dataclass(frozen=True, slots=True)
class Bound:
    """A tolerance: the value, and in what; PIPS needs the instrument."""

    value: float
    unit: int

    def reach(self, a: float, b: float, pip: float | None) -> float:
        """How far two finite numbers may be apart, in their own unit; zero if the pip is not known."""
        if self.unit == policy_pb2.TOLERANCE_UNIT_RELATIVE:
            return self.value * max(abs(a), abs(b))
        if self.unit == policy_pb2.TOLERANCE_UNIT_PIPS:
            return self.value * (pip or 0.0)
        return self.value


EXACT = Bound(0.0, policy_pb2.TOLERANCE_UNIT_ABSOLUTE)


@dataclass(frozen=True, slots=True)
class FieldRule:
    """One field that is compared. `key` names subfields; `inner` is the type of a message; `enum` names of values."""

    name: str
    kind: Kind
    shape: Shape
    bound: Bound
    tolerant: bool
    key: tuple[str, ...]
    secret: bool
    inner: Descriptor | None
    enum: dict[int, str] | None
    value: FieldRule | None = None
    secret_key: bool = False
    """Whether nobody may see the key of its elements."""

    @property
    def hides(self) -> bool:
        """Whether there are more values in it than one, or keys."""
        return self.inner is not None or self.shape in (Shape.REPEATED, Shape.MAP)


@dataclass(frozen=True, slots=True)
class OneofRule:
    """A choice: at most one of its fields is set. Fields that are ignored are not among `fields`."""

    name: str
    fields: dict[str, FieldRule]


@dataclass(frozen=True, slots=True)
class MessageRules:
    """What is compared of a message. `names_instrument`: its field `instrument` says whose pips count inside."""

    fields: tuple[FieldRule, ...]
    oneofs: tuple[OneofRule, ...]
    names_instrument: bool


def rules_of(message: Descriptor, inherited: Bound | None = None) -> MessageRules:
    """Reads the rules of a message whose numbers have a tolerance by default.

    Raises:
        ValueError: an option cannot hold for its field; the message names it and the remedy.
    """
    chosen = {field.name for oneof in _choices(message) for field in oneof.fields}
    plain = [field for field in message.fields if field.name not in chosen]
    oneofs = [
        OneofRule(o.name, {f.name: _rule(f, inherited) for f in o.fields if not _policy(f).compare_ignored})
        for o in _choices(message)
    ]
    named = message.fields_by_name.get("instrument")
    return MessageRules(
        fields=tuple(_rule(field, inherited) for field in plain if not _policy(field).compare_ignored),
        oneofs=tuple(oneofs),
        names_instrument=named is not None and named.type == FieldDescriptor.TYPE_STRING and not named.is_repeated,
    )


def _choices(message: Descriptor) -> list:
    """The oneofs that the contract has; an optional field is one of its own for the compiler only."""
    return [o for o in message.oneofs if not (len(o.fields) == 1 and o.name == f"_{o.fields[0].name}")]


def _policy(field: FieldDescriptor) -> policy_pb2.FieldPolicy:
    return field.GetOptions().Extensions[policy_pb2.field]


def _rule(field: FieldDescriptor, inherited: Bound | None) -> FieldRule:
    policy = _policy(field)
    bound = Bound(policy.tolerance.value, policy.tolerance.unit) if policy.HasField("tolerance") else inherited
    key = tuple(part.strip() for part in policy.compare_key.split(",") if part.strip())
    key = key or _KEYS.get((field.containing_type.full_name, field.name), ())
    _check(field, policy, key)
    # What is ignored pairs nothing either.
    key = tuple(part for part in key if not _policy(field.message_type.fields_by_name[part]).compare_ignored)
    secret_key = any(_policy(field.message_type.fields_by_name[part]).redaction in _SECRET for part in key)
    is_map = field.message_type is not None and field.message_type.GetOptions().map_entry
    if is_map:
        shape = Shape.MAP
    elif field.is_repeated:
        shape = Shape.REPEATED
    else:
        shape = Shape.PRESENT if field.has_presence else Shape.PLAIN
    return FieldRule(
        name=field.name,
        kind=_kind(field),
        shape=shape,
        bound=bound or EXACT,
        tolerant=bound is not None,
        key=key,
        secret=policy.redaction in _SECRET,
        inner=field.message_type,
        enum={v.number: v.name for v in field.enum_type.values} if field.enum_type is not None else None,
        value=_rule(field.message_type.fields_by_name["value"], bound) if is_map else None,
        secret_key=secret_key,
    )


def _kind(field: FieldDescriptor) -> Kind:
    if field.message_type is not None:
        return Kind.MESSAGE
    if field.type in _FLOATS:
        return Kind.FLOAT
    if field.type == FieldDescriptor.TYPE_STRING:
        return Kind.TEXT
    if field.type in (FieldDescriptor.TYPE_BOOL, FieldDescriptor.TYPE_BYTES, FieldDescriptor.TYPE_ENUM):
        return Kind.OTHER
    return Kind.INTEGER


def _check(field: FieldDescriptor, policy: policy_pb2.FieldPolicy, key: tuple[str, ...]) -> None:
    """Refuses options that could not do what they say."""
    inner = field.message_type
    if key and (inner is None or not field.is_repeated):
        raise ValueError(f"{field.full_name}: compare_key is for repeated messages; remove it")
    lacking = [part for part in key if inner is not None and part not in inner.fields_by_name]
    if lacking:
        raise ValueError(f"{field.full_name}: compare_key names {', '.join(lacking)}, which {inner.full_name} lacks")
    if policy.HasField("tolerance"):
        if not policy.tolerance.value >= 0:
            raise ValueError(f"{field.full_name}: tolerance is {policy.tolerance.value}; give zero or more")
        if policy.tolerance.unit == policy_pb2.TOLERANCE_UNIT_UNSPECIFIED:
            raise ValueError(f"{field.full_name}: tolerance has no unit; give absolute, relative or pips")
        if _kind(field) is Kind.OTHER:
            raise ValueError(f"{field.full_name}: tolerance is for numbers, decimals and times; remove it")
