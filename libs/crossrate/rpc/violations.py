"""What protovalidate finds, in words that say what would be right: names instead of numbers, numbers one can read."""

from __future__ import annotations

import math
import re

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from protovalidate import Violation as Found

from buf.validate import validate_pb2
from crossrate.rpc.errors import Violation

NAMES_MAX = 24
"""Names that are listed at the most; a status has little room."""

_LONG_NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?![\w.])")
_LONG_CHARS = 11
_ONE_LISTED = re.compile(r"^must not be in list \[([^,\]]+)\]$")


def field_path(path) -> str:
    """A `buf.validate.FieldPath` as people write it: legs[2].notional, limits["desk"]."""
    words: list[str] = []
    for element in path.elements if path is not None else ():
        words.append(f".{element.field_name}" if words else element.field_name)
        if (subscript := element.subscript) is not None:
            value = f'"{subscript.value}"' if subscript.field == "string_key" else str(subscript.value).lower()
            words.append(f"[{value}]")
    return "".join(words)


def violation_of(found: Found, message: Descriptor) -> Violation:
    """A violation as it crosses the wire.

    Args:
        found: what protovalidate says.
        message: the type of the request in which it was found.
    """
    proto = found.proto
    return Violation(field_path(proto.field), _words(found, message), proto.rule_id)


def _words(found: Found, message: Descriptor) -> str:
    said = found.proto.message or f"breaks the rule {found.proto.rule_id}"
    value, rule = found.field_value, found.proto.rule_id
    if rule.startswith("enum.") and (field := _field(found, message)) is not None and field.enum_type is not None:
        return _of_enum(value, field)
    if rule == "required" and (names := _members(found, message)):
        return f"give one of {', '.join(names)}"
    if rule == "string.pattern" and value == "":
        return f"is empty: {said}"
    if rule.startswith(("double.", "float.")):
        said = _LONG_NUMBER.sub(_short, said)
        if isinstance(value, float) and not math.isfinite(value):
            return f"is {'NaN' if math.isnan(value) else 'infinite'}: {said}"
    return _ONE_LISTED.sub(r"must not be \1", said)


def _of_enum(value: object, field: FieldDescriptor) -> str:
    enum, refused = field.enum_type, _refused(field)
    names = [each.name for each in enum.values if each.number not in refused]
    listed = ", ".join(names[:NAMES_MAX]) + (" …" if len(names) > NAMES_MAX else "")
    known = enum.values_by_number.get(value) if isinstance(value, int) else None
    if value == 0 and not field.has_presence and not field.is_repeated:
        return f"is not given: give one of {listed}"
    return f"is {known.name if known else value}: give one of {listed}"


def _refused(field: FieldDescriptor) -> frozenset[int]:
    rules = field.GetOptions().Extensions[validate_pb2.field]
    return frozenset(rules.enum.not_in) | frozenset(rules.repeated.items.enum.not_in)


def _holder(found: Found, message: Descriptor) -> Descriptor | None:
    """The message type that holds the field at the end of a path; None where the path leads through a map."""
    at: Descriptor | None = message
    for element in found.proto.field.elements[:-1] if found.proto.field is not None else ():
        field = at.fields_by_name.get(element.field_name) if at is not None else None
        if field is None or field.message_type is None or field.message_type.GetOptions().map_entry:
            return None
        at = field.message_type
    return at


def _field(found: Found, message: Descriptor) -> FieldDescriptor | None:
    holder = _holder(found, message)
    return holder.fields_by_name.get(found.proto.field.elements[-1].field_name) if holder is not None else None


def _members(found: Found, message: Descriptor) -> list[str]:
    """The fields of a oneof that has none; empty for a field that is required."""
    holder = _holder(found, message) if found.proto.field is not None else None
    oneof = holder.oneofs_by_name.get(found.proto.field.elements[-1].field_name) if holder is not None else None
    return [field.name for field in oneof.fields] if oneof is not None else []


def _short(match: re.Match[str]) -> str:
    """A number of many digits in powers of ten, if that says the same: 1e-60."""
    text = match[0]
    mantissa, exponent = f"{float(text):.3e}".split("e")
    short = f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}"
    return short if len(text) >= _LONG_CHARS and float(short) == float(text) else text
