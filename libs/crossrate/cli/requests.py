"""A request from JSON, strictly: a field that the contract does not know is an error, never silence."""

from __future__ import annotations

import difflib
import json
import sys
from pathlib import Path
from typing import Any

from google.protobuf import json_format, message_factory
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from crossrate.cli.show import CommandError


def read_text(argument: str) -> str:
    """The JSON that an argument means: itself, the file after an @, or standard input for "-"."""
    if argument == "-":
        return sys.stdin.read()
    if argument.startswith("@"):
        try:
            return Path(argument[1:]).read_text()
        except OSError as error:
            raise CommandError(f"{argument[1:]} cannot be read: {error.strerror}") from None
    return argument


def parse(text: str, message: Descriptor) -> Message:
    """The request that some JSON means.

    Raises:
        CommandError: it is not JSON, has a field that the message does not have, or a value of the wrong type.
    """
    try:
        value = json.loads(text or "{}")
    except json.JSONDecodeError as error:
        raise CommandError(f"the request is not JSON: {error}", 'quote it for the shell: \'{"base": "EUR"}\'') from None
    if not isinstance(value, dict):
        raise CommandError("the request is not a JSON object", f"give {message.name} as {example(message)}")
    _refuse_unknown(value, message, "")
    request = message_factory.GetMessageClass(message)()
    try:
        json_format.ParseDict(value, request)
    except json_format.ParseError as error:
        raise CommandError(str(error), f"{message.name} looks like {example(message)}") from None
    return request


def _refuse_unknown(value: Any, message: Descriptor, path: str) -> None:
    if not isinstance(value, dict) or message.full_name.startswith("google.protobuf."):
        return
    fields = {f.json_name: f for f in message.fields} | {f.name: f for f in message.fields}
    for name, inner in value.items():
        field = fields.get(name)
        if field is None:
            raise _unknown(name, message, path)
        if field.enum_type is not None:
            _refuse_names(inner, field, path + name)
        if field.message_type is None:
            continue
        if field.message_type.GetOptions().map_entry:
            continue
        for i, element in enumerate(inner if isinstance(inner, list) else [inner]):
            where = f"{path}{name}[{i}]." if isinstance(inner, list) else f"{path}{name}."
            _refuse_unknown(element, field.message_type, where)


def _refuse_names(value: Any, field: FieldDescriptor, path: str) -> None:
    known = field.enum_type.values_by_name
    for given in value if isinstance(value, list) else [value]:
        if isinstance(given, str) and given not in known:
            names = [each.name for each in field.enum_type.values if each.number]
            near = [each for each in names if each.endswith(f"_{given.upper()}")]
            remedy = f"did you mean {near[0]}?" if len(near) == 1 else f"give one of {', '.join(names)}"
            details = {"reason": "INVALID_REQUEST", "metadata": {"field": path}}
            raise CommandError(f"{path} is {given!r}, which is no {field.enum_type.name}", remedy, details)


def _unknown(name: str, message: Descriptor, path: str) -> CommandError:
    names = [f.json_name for f in message.fields]
    lowered = {n.lower(): n for n in names}
    near = difflib.get_close_matches(name.lower().replace("_", ""), lowered, n=1, cutoff=0.5)
    remedy = f"did you mean {lowered[near[0]]}?" if near else f"its fields are {', '.join(names) or 'none'}"
    details = {"reason": "UNKNOWN_FIELD", "metadata": {"field": path + name}}
    return CommandError(f"{message.name} has no field {path}{name}", remedy, details)


def example(message: Descriptor) -> str:
    """A request of this type with a placeholder for each field; of fields that exclude each other, for the first."""
    shown = [f for f in message.fields if f.containing_oneof is None or f.number == f.containing_oneof.fields[0].number]
    return json.dumps({f.json_name: _placeholder(f) for f in shown}, ensure_ascii=False)


_EXAMPLES = {
    "base": "EUR",
    "counter": "USD",
    "currency": "EUR",
    "instruments": "EUR/USD",
    "tenors": "1M",
    "service": "marketdata",
    "instrument": "EUR/USD",
}


def _placeholder(field: FieldDescriptor) -> Any:
    if field.enum_type is not None:
        value: Any = field.enum_type.values[-1].name
    elif field.message_type is not None:
        known = {"google.protobuf.Timestamp": "2026-01-02T15:00:00Z", "google.protobuf.Duration": "1.5s"}
        value = known.get(field.message_type.full_name, {})
    else:
        word = _EXAMPLES.get(field.name, "…")
        value = {FieldDescriptor.CPPTYPE_STRING: word, FieldDescriptor.CPPTYPE_BOOL: False}.get(field.cpp_type, 0)
    return [value] if field.is_repeated else value


def as_dict(message: Message) -> dict[str, Any]:
    """A message as REST shows it: camelCase names, enums by name, fields at their zero value included."""
    return json_format.MessageToDict(message, always_print_fields_with_no_presence=True)
