"""Payloads of facts: what they are found by, and what in them must never be kept."""

from __future__ import annotations

import json
import pkgutil
from dataclasses import dataclass
from importlib import import_module
from typing import Any, NamedTuple

from google.protobuf import descriptor_pool, json_format, message_factory
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import DecodeError, Message

from crossrate.api.audit.v1 import leaf_pb2
from crossrate.api.policy.v1 import policy_pb2
from services.audit.domain import FIELDS, bounded, key

CONTRACTS = "crossrate.api."
SECOND_NS = 1_000_000_000
DEPTH_MAX = 8
"""Messages within messages that are looked through."""
_REQUEST = "request:"
_LENGTH_DELIMITED = 2
"""Wire type of messages, strings and bytes (Protocol Buffers, Encoding)."""
_SECRET = (policy_pb2.REDACTION_HASH, policy_pb2.REDACTION_REMOVE)


class Read(NamedTuple):
    """A payload: keys, what of it is kept, as what, when it happened as it says itself (ns; 0 if it does not)."""

    keys: tuple[str, ...]
    kept: bytes
    form: int
    time_ns: int


WITHHELD = Read((), b"", leaf_pb2.PAYLOAD_FORM_WITHHELD, 0)


@dataclass(frozen=True, slots=True)
class _Step:
    """One field on the way: its values are keys of a kind, or messages to look into."""

    name: str
    kind: str
    repeated: bool
    inner: tuple[_Step, ...]
    secret: bool


@dataclass(frozen=True, slots=True)
class _Plan:
    make: Any
    finds: tuple[_Step, ...]
    clears: tuple[_Step, ...]
    has_causes: bool
    time_in: str
    """The field whose message says in `time` when it happened; empty if none does."""


class Payloads:
    """Reads payloads by their types, remembering how."""

    def __init__(self) -> None:
        self._plans: dict[str, _Plan | None] = {}

    def read(self, type_name: str, payload: bytes) -> Read:
        """A message. A type that is not known is withheld."""
        try:
            plan = self._plans[type_name]
        except KeyError:
            plan = self._plans[type_name] = _plan(type_name)
        if plan is None:
            return WITHHELD
        try:
            message = plan.make.FromString(payload)
        except DecodeError:
            return WITHHELD
        found: set[str] = set()
        _find(message, plan.finds, found)
        if plan.has_causes:
            # Of an order that its own entry caused, one key is enough.
            found -= {each for each in found if each.startswith(_REQUEST) and f"order:{each[len(_REQUEST) :]}" in found}
        if plan.clears:
            _clear(message, plan.clears)
            payload = message.SerializeToString(deterministic=True)
        told = getattr(message, plan.time_in).time if plan.time_in else None
        time_ns = told.seconds * SECOND_NS + told.nanos if told is not None else 0
        return Read(bounded(found), payload, leaf_pb2.PAYLOAD_FORM_PROTOBUF, time_ns)

    def read_json(self, payload: bytes) -> Read:
        """The same for a JSON document: of its top level the fields of persons."""
        try:
            document = json.loads(payload) if payload else {}
        except ValueError:
            return WITHHELD
        fields = document.items() if isinstance(document, dict) else ()
        keys = [
            key(FIELDS[name], value) for name, value in fields if name in FIELDS and value and isinstance(value, str)
        ]
        return Read(bounded(keys), payload, leaf_pb2.PAYLOAD_FORM_JSON, 0)


def body_of(type_name: str, form: int, payload: bytes) -> dict[str, Any] | None:
    """A payload in JSON form; None if there is none, or its type is not known here."""
    if form == leaf_pb2.PAYLOAD_FORM_JSON:
        try:
            document = json.loads(payload) if payload else {}
        except ValueError:
            return None
        return document if isinstance(document, dict) else {"value": document}
    if form != leaf_pb2.PAYLOAD_FORM_PROTOBUF:
        return None
    try:
        kind = _message_type(type_name)
        return json_format.MessageToDict(message_factory.GetMessageClass(kind).FromString(payload))
    except (KeyError, DecodeError, TypeError, ValueError):
        return None


def _message_type(type_name: str) -> Descriptor:
    """A type of the contracts. What no other module of this process has needed yet is loaded: facts of its package.

    Raises:
        KeyError: there is none.
    """
    pool = descriptor_pool.Default()
    try:
        return pool.FindMessageTypeByName(type_name)
    except KeyError:
        package = type_name.rpartition(".")[0]
        if not package.startswith(CONTRACTS):
            raise
        try:
            folder = import_module(package)
        except ImportError:
            raise KeyError(type_name) from None
        for module in pkgutil.iter_modules(getattr(folder, "__path__", ()), f"{package}."):
            if module.name.endswith("_events_pb2"):
                import_module(module.name)
        return pool.FindMessageTypeByName(type_name)


def _plan(type_name: str) -> _Plan | None:
    try:
        descriptor = _message_type(type_name)
    except KeyError:
        return None
    finds, clears = _steps(descriptor, 0, secret=False), _steps(descriptor, 0, secret=True)
    make = message_factory.GetMessageClass(descriptor)
    return _Plan(make, finds, clears, _has(finds, "request"), _time_in(descriptor))


def _has(steps: tuple[_Step, ...], kind: str) -> bool:
    return any(step.kind == kind or _has(step.inner, kind) for step in steps)


def _time_in(descriptor: Descriptor) -> str:
    """Of facts that may be joined, which are one field, a message: its name, if that has a time."""
    (field, *others) = descriptor.fields or (None,)
    if others or field is None or field.message_type is None or field.is_repeated:
        return ""
    time = field.message_type.fields_by_name.get("time")
    of_time = time is not None and time.message_type and time.message_type.full_name == "google.protobuf.Timestamp"
    return field.name if of_time else ""


def split(payload: bytes) -> list[bytes]:
    """The messages of one field that were joined, each by itself.

    Raises:
        ValueError: it is none.
    """
    found, at = [], 0
    while at < len(payload):
        start = at
        key, at = _varint(payload, at)
        if key & 7 != _LENGTH_DELIMITED:
            raise ValueError("a field that is no message")
        size, at = _varint(payload, at)
        at += size
        if at > len(payload):
            raise ValueError("a field that is cut off")
        found.append(payload[start:at])
    return found


def _varint(payload: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if at >= len(payload) or shift > 63:
            raise ValueError("a number that is cut off")
        byte = payload[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def _steps(descriptor: Descriptor, depth: int, *, secret: bool) -> tuple[_Step, ...]:
    """Fields to find keys by, or with `secret` to clear, and the messages on the way to them."""
    if depth > DEPTH_MAX or descriptor.full_name.startswith("google.protobuf."):
        return ()
    found = []
    for field in descriptor.fields:
        wanted = _is_secret(field) if secret else field.name in FIELDS and field.type == field.TYPE_STRING
        if wanted:
            found.append(_Step(field.name, FIELDS.get(field.name, ""), field.is_repeated, (), secret))
        elif field.message_type is not None and not field.message_type.GetOptions().map_entry:
            inner = _steps(field.message_type, depth + 1, secret=secret)
            if inner:
                found.append(_Step(field.name, "", field.is_repeated, inner, False))
    return tuple(found)


def _is_secret(field: FieldDescriptor) -> bool:
    options = field.GetOptions()
    if options.HasExtension(policy_pb2.field) and options.Extensions[policy_pb2.field].redaction in _SECRET:
        return True
    # What stands in a map cannot be named one by one: a map whose values hold a secret goes whole.
    kind = field.message_type
    if kind is None or not kind.GetOptions().map_entry or kind.fields_by_name["value"].message_type is None:
        return False
    return bool(_steps(kind.fields_by_name["value"].message_type, DEPTH_MAX // 2, secret=True))


def _find(message: Message, steps: tuple[_Step, ...], found: set[str]) -> None:
    for step in steps:
        if step.inner:
            if step.repeated:
                for each in getattr(message, step.name):
                    _find(each, step.inner, found)
            elif message.HasField(step.name):
                _find(getattr(message, step.name), step.inner, found)
        elif step.repeated:
            found.update(key(step.kind, value) for value in getattr(message, step.name))
        elif value := getattr(message, step.name):
            found.add(key(step.kind, value))


def _clear(message: Message, steps: tuple[_Step, ...]) -> None:
    for step in steps:
        if step.secret:
            message.ClearField(step.name)
        elif step.repeated:
            for each in getattr(message, step.name):
                _clear(each, step.inner)
        elif message.HasField(step.name):
            _clear(getattr(message, step.name), step.inner)
