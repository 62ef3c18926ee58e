"""The contract's rules on requests (`buf.validate`), checked with protovalidate and answered field by field."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import protovalidate
from google.protobuf import message_factory
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message

from buf.validate import validate_pb2
from crossrate.rpc.errors import Violation, invalid

Check = Callable[[Message], None]


def _has_rules(message: Descriptor, seen: set[str]) -> bool:
    if message.full_name in seen:
        return False
    seen.add(message.full_name)
    if message.GetOptions().HasExtension(validate_pb2.message):
        return True
    if any(oneof.GetOptions().HasExtension(validate_pb2.oneof) for oneof in message.oneofs):
        return True
    return any(
        field.GetOptions().HasExtension(validate_pb2.field)
        or (field.message_type is not None and _has_rules(field.message_type, seen))
        for field in message.fields
    )


def has_rules(message: Descriptor) -> bool:
    """Whether the message or anything inside it has a rule."""
    return _has_rules(message, set())


def _rules(message: Descriptor, seen: set[str]) -> Iterator[Message]:
    """Every rule of the message and of what is inside it."""
    if message.full_name in seen:
        return
    seen.add(message.full_name)
    if message.GetOptions().HasExtension(validate_pb2.message):
        yield message.GetOptions().Extensions[validate_pb2.message]
    for field in message.fields:
        if field.GetOptions().HasExtension(validate_pb2.field):
            yield field.GetOptions().Extensions[validate_pb2.field]
        if field.message_type is not None:
            yield from _rules(field.message_type, seen)


def depends_on_time(message: Descriptor) -> bool:
    """Whether a valid message may become invalid as time goes by. True whenever a rule so much as mentions it."""
    return any("now" in text or "within" in text for text in map(str, _rules(message, set())))


class Known:
    """Requests found valid lately, by their bytes: reads are repeated word for word, and asking for the verdict again
    costs more than everything else around such a call."""

    BYTES_MAX = 128
    REQUESTS_MAX = 512

    def __init__(self) -> None:
        self._valid: set[bytes] = set()

    def __contains__(self, raw: bytes) -> bool:
        return raw in self._valid

    def add(self, raw: bytes) -> None:
        """Remembers a valid request, unless it is large."""
        if len(raw) <= self.BYTES_MAX:
            if len(self._valid) >= self.REQUESTS_MAX:
                self._valid.clear()
            self._valid.add(raw)


def field_path(path) -> str:
    """A `buf.validate.FieldPath` as people write it: legs[2].notional, limits["desk"]."""
    words: list[str] = []
    for element in path.elements if path is not None else ():
        words.append(f".{element.field_name}" if words else element.field_name)
        if (subscript := element.subscript) is not None:
            value = f'"{subscript.value}"' if subscript.field == "string_key" else str(subscript.value).lower()
            words.append(f"[{value}]")
    return "".join(words)


class Validation:
    """Compiled rules. A message type's rules are compiled when `check` is first asked for it: at start-up."""

    def __init__(self) -> None:
        self._validator = protovalidate.Validator()

    def check(self, message: Descriptor) -> Check | None:
        """The check of one message type, or None if it has no rules.

        The check raises `Failure` with every violation.

        Raises:
            protovalidate.CompilationError: a rule is not one.
        """
        if not has_rules(message):
            return None
        collect = self._validator.collect_violations
        collect(message_factory.GetMessageClass(message)())

        def check(request: Message) -> None:
            if violations := collect(request):
                raise invalid(*(_violation(v.proto) for v in violations))

        return check


def _violation(found) -> Violation:
    return Violation(field_path(found.field), found.message or f"breaks the rule {found.rule_id}", found.rule_id)
