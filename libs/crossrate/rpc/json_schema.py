"""JSON Schema of protobuf messages: the JSON that Envoy's transcoder reads and writes, with the contracts' own rules.

64-bit integers are strings, enums are names, bytes are base64, and Timestamp, Duration, Struct and the wrappers have
the forms that protobuf's JSON gives them. `buf.validate` rules become keywords where JSON Schema has them; the others
stand under `x-crossrate-rules` as they were written.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor, OneofDescriptor

from buf.validate import validate_pb2

Schema = dict

RULES = "x-crossrate-rules"
"""Rules that JSON Schema cannot express, in protobuf's JSON: bounds of durations, CEL."""

_F = FieldDescriptor
_INT64 = {"type": "string", "format": "int64", "pattern": "^-?[0-9]+$"}
_UINT64 = {"type": "string", "format": "uint64", "pattern": "^[0-9]+$"}
_INT32 = {"type": "integer", "format": "int32"}
_UINT32 = {"type": "integer", "format": "uint32", "minimum": 0}
_SCALARS = {
    _F.TYPE_DOUBLE: {"type": "number", "format": "double"},
    _F.TYPE_FLOAT: {"type": "number", "format": "float"},
    _F.TYPE_BOOL: {"type": "boolean"},
    _F.TYPE_STRING: {"type": "string"},
    _F.TYPE_BYTES: {"type": "string", "contentEncoding": "base64"},
    **dict.fromkeys((_F.TYPE_INT32, _F.TYPE_SINT32, _F.TYPE_SFIXED32), _INT32),
    **dict.fromkeys((_F.TYPE_UINT32, _F.TYPE_FIXED32), _UINT32),
    **dict.fromkeys((_F.TYPE_INT64, _F.TYPE_SINT64, _F.TYPE_SFIXED64), _INT64),
    **dict.fromkeys((_F.TYPE_UINT64, _F.TYPE_FIXED64), _UINT64),
}
_WELL_KNOWN = {
    "google.protobuf.Timestamp": {"type": "string", "format": "date-time"},
    "google.protobuf.Duration": {"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]{1,9})?s$"},
    "google.protobuf.FieldMask": {"type": "string"},
    "google.protobuf.Struct": {"type": "object", "additionalProperties": True},
    "google.protobuf.Value": {},
    "google.protobuf.ListValue": {"type": "array", "items": {}},
    "google.protobuf.Empty": {"type": "object", "additionalProperties": False},
    "google.protobuf.Any": {
        "type": "object",
        "properties": {"@type": {"type": "string"}},
        "required": ["@type"],
        "additionalProperties": True,
    },
    "google.protobuf.DoubleValue": {"type": ["number", "null"], "format": "double"},
    "google.protobuf.FloatValue": {"type": ["number", "null"], "format": "float"},
    "google.protobuf.Int64Value": {**_INT64, "type": ["string", "null"]},
    "google.protobuf.UInt64Value": {**_UINT64, "type": ["string", "null"]},
    "google.protobuf.Int32Value": {**_INT32, "type": ["integer", "null"]},
    "google.protobuf.UInt32Value": {**_UINT32, "type": ["integer", "null"]},
    "google.protobuf.BoolValue": {"type": ["boolean", "null"]},
    "google.protobuf.StringValue": {"type": ["string", "null"]},
    "google.protobuf.BytesValue": {"type": ["string", "null"], "contentEncoding": "base64"},
}
_KEYWORDS = {
    "minLen": "minLength",
    "maxLen": "maxLength",
    "pattern": "pattern",
    "minItems": "minItems",
    "maxItems": "maxItems",
    "unique": "uniqueItems",
    "minPairs": "minProperties",
    "maxPairs": "maxProperties",
    "gte": "minimum",
    "gt": "exclusiveMinimum",
    "lte": "maximum",
    "lt": "exclusiveMaximum",
    "const": "const",
    "in": "enum",
}
_FORMATS = ("uuid", "email", "hostname", "uri", "ipv4", "ipv6")


class Schemas:
    """The components of a document: each message and enum once, by its full name, with its comments."""

    def __init__(self, comments: Mapping[str, str]) -> None:
        """`comments` are the contracts' comments by full name of message, field, enum or value."""
        self.components: dict[str, Schema] = {}
        self._comments = comments

    def message(self, message: Descriptor) -> Schema:
        """A reference to a message, or the form that protobuf's JSON gives a well-known type."""
        if (well_known := _WELL_KNOWN.get(message.full_name)) is not None:
            return dict(well_known)
        if message.full_name not in self.components:
            # Entered before it is filled, because a message may contain itself.
            self.components[message.full_name] = {}
            self.components[message.full_name].update(self.object(message))
        return {"$ref": f"#/components/schemas/{message.full_name}"}

    def object(self, message: Descriptor, *, without: frozenset[str] = frozenset()) -> Schema:
        """The schema of a message as an object, with some fields (by proto name) left out."""
        fields = [field for field in message.fields if field.name not in without]
        schema: Schema = {"type": "object"}
        self._describe(schema, message.full_name)
        schema["properties"] = {field.json_name: self.field(field) for field in fields}
        if required := [field.json_name for field in fields if is_required(field)]:
            schema["required"] = required
        choices = [oneof for oneof in message.oneofs if len(oneof.fields) > 1 and not without & set(_names(oneof))]
        notes = [("One" if _is_wanted(o) else "At most one") + f" of {', '.join(_names(o))}." for o in choices]
        if notes:
            schema["description"] = " ".join([*filter(None, [schema.get("description")]), *notes])
        alternatives = [_alternatives(oneof) for oneof in choices]
        if len(alternatives) == 1:
            schema["oneOf"] = alternatives[0]
        elif alternatives:
            schema["allOf"] = [{"oneOf": each} for each in alternatives]
        return schema

    def field(self, field: FieldDescriptor) -> Schema:
        """The schema of one field: its type, its comment and its rules."""
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            schema: Schema = {
                "type": "object",
                "additionalProperties": self._single(field.message_type.fields_by_name["value"]),
            }
        elif field.is_repeated:
            schema = {"type": "array", "items": self._single(field)}
        else:
            schema = self._single(field)
        _apply(schema, rules_of(field), field.enum_type)
        self._describe(schema, field.full_name)
        return schema

    def _single(self, field: FieldDescriptor) -> Schema:
        if field.enum_type is not None:
            return self.enum(field.enum_type)
        if field.message_type is not None:
            return self.message(field.message_type)
        return dict(_SCALARS[field.type])

    def enum(self, enum: EnumDescriptor) -> Schema:
        """A reference to an enum, whose values are their names."""
        if enum.full_name not in self.components:
            schema: Schema = {"type": "string"}
            self._describe(schema, enum.full_name)
            # By the names of the comments a value lies in its enum; by protobuf's own it lies beside it.
            lines = [f"- `{v.name}`: {self._comments.get(f'{enum.full_name}.{v.name}', '')}" for v in enum.values]
            schema["description"] = "\n".join([schema.get("description", enum.name), "", *lines])
            schema["enum"] = [value.name for value in enum.values]
            self.components[enum.full_name] = schema
        return {"$ref": f"#/components/schemas/{enum.full_name}"}

    def _describe(self, schema: Schema, name: str) -> None:
        if comment := self._comments.get(name):
            schema["description"] = comment


def rules_of(field: FieldDescriptor) -> validate_pb2.FieldRules:
    """The buf.validate rules of a field; empty if it has none."""
    return field.GetOptions().Extensions[validate_pb2.field]


def _names(oneof: OneofDescriptor) -> list[str]:
    return [field.json_name for field in oneof.fields]


def _is_wanted(oneof: OneofDescriptor) -> bool:
    return oneof.GetOptions().Extensions[validate_pb2.oneof].required


def _alternatives(oneof: OneofDescriptor) -> list[Schema]:
    """What may be there of a oneof: each field without the others, and none of them where none is wanted.

    The others are ruled out by name, and not by `not`, so that a program that makes requests up from the schema finds
    one that fits.
    """
    names = _names(oneof)
    each = [{"required": [name], "properties": {n: False for n in names if n != name}} for name in names]
    return each if _is_wanted(oneof) else [*each, {"properties": dict.fromkeys(names, False)}]


def is_required(field: FieldDescriptor) -> bool:
    """Whether a request without the field is refused: it says so, or its rules refuse what absence stands for."""
    rules = rules_of(field)
    if rules.required:
        return True
    if field.has_presence or rules.ignore != validate_pb2.IGNORE_UNSPECIFIED:
        return False
    kind = rules.WhichOneof("type")
    own = getattr(rules, kind) if kind else None
    if kind == "string":
        refuses_empty = own.HasField("pattern") and re.search(own.pattern, "") is None
        return refuses_empty or own.min_len > 0 or own.len > 0 or own.WhichOneof("well_known") is not None
    if kind == "repeated":
        return own.min_items > 0
    if kind == "map":
        return own.min_pairs > 0
    if kind == "enum":
        return 0 in own.not_in
    bounds = own is not None and kind not in ("bytes", "bool", "any", "duration", "timestamp", "field_mask")
    return bounds and (0 in own.not_in or (own.HasField("gt") and own.gt >= 0) or (own.HasField("gte") and own.gte > 0))


def _apply(schema: Schema, rules: validate_pb2.FieldRules, enum: EnumDescriptor | None) -> None:
    """Adds a field's rules to its schema, as keywords where there are any."""
    kind = rules.WhichOneof("type")
    left = json_format.MessageToDict(rules)
    left.pop("required", None)
    left.pop("ignore", None)
    own = left.pop(kind, {}) if kind else {}
    if kind in ("repeated", "map"):
        inner = getattr(rules, kind)
        for part, target in (("items", "items"), ("values", "additionalProperties")):
            if own.pop(part, None) is not None:
                _apply(schema[target], getattr(inner, part), enum)
        if own.pop("keys", None) is not None:
            _apply(schema.setdefault("propertyNames", {}), inner.keys, None)
    if kind == "enum":
        # A schema knows the names alone, so `defined_only` says nothing more.
        own.pop("definedOnly", None)
        if refused := own.pop("notIn", []):
            schema["not"] = {"enum": [value.name for value in enum.values if value.number in refused]}
    elif kind not in ("duration", "timestamp", "bytes", "any", "field_mask"):
        own = _apply_keywords(schema, kind, own)
    if kind == "duration":
        schema["pattern"] = _duration_pattern(rules)
    if rest := left | ({kind: own} if own else {}):
        schema[RULES] = rest


def _duration_pattern(rules: validate_pb2.FieldRules) -> str:
    """The form of a duration within its bounds, as far as a pattern can say it: the sign, and how many digits."""
    own = rules.duration
    from_zero = (own.HasField("gte") and own.gte.seconds >= 0) or (own.HasField("gt") and own.gt.seconds >= 0)
    sign = "" if from_zero else "-?"
    bounded = own.HasField("lte") or own.HasField("lt")
    digits = len(str(max(own.lte.seconds, own.lt.seconds))) if bounded and not sign else 0
    return rf"^{sign}[0-9]{{1,{digits}}}(\.[0-9]{{1,9}})?s$" if digits else rf"^{sign}[0-9]+(\.[0-9]{{1,9}})?s$"


def _apply_keywords(schema: Schema, kind: str | None, own: dict) -> dict:
    """Moves the rules that are keywords into the schema; returns the others.

    64-bit integers are strings, so that of their bounds only "not negative" can be said, as a pattern.
    """
    is_long = schema.get("format") in ("int64", "uint64")
    left = {}
    for name, value in own.items():
        if is_long:
            if name == "gte" and int(value) == 0:
                schema["pattern"] = _UINT64["pattern"]
            else:
                left[name] = value
        elif name in _FORMATS and value is True:
            schema["format"] = name
        elif name in _KEYWORDS:
            # Lengths and counts are uint64 in the rules, and therefore strings in their JSON.
            is_count = name.startswith(("min", "max"))
            schema[_KEYWORDS[name]] = int(value) if is_count else value
        elif name == "len":
            schema["minLength"] = schema["maxLength"] = int(value)
        elif name == "notIn":
            schema["not"] = {"enum": value}
        else:
            left[name] = value
    return left
