"""The contract's rules on requests (`buf.validate`), checked with protovalidate and answered field by field."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import protovalidate
from google.protobuf import message_factory
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message
from google.protobuf.unknown_fields import UnknownFieldSet

from buf.validate import validate_pb2
from crossrate.rpc.contract import holds_arrays
from crossrate.rpc.errors import Violation, invalid
from crossrate.rpc.violations import violation_of

if TYPE_CHECKING:
    from crossrate.rpc.element_rules import ElementRules, Offender

Check = Callable[..., None]
"""Takes a request and, if they are at hand, the bytes that it was read from."""

SMALL_BYTES_MAX = 8192
"""A request up to here is passed faster by protovalidate alone than by looking at its arrays as a whole."""


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


def _standard(rules: Message) -> bool:
    """Whether rules are those of `buf.validate` and no extension of it, whose file a copy of the contract may lack."""
    if len(UnknownFieldSet(rules)):
        return False
    for field, value in rules.ListFields():
        if field.is_extension:
            return False
        if field.message_type is not None and not all(map(_standard, value if field.is_repeated else [value])):
            return False
    return True


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
        # To hash a large request would cost more than to look at it.
        return len(raw) <= self.BYTES_MAX and raw in self._valid

    def add(self, raw: bytes) -> None:
        """Remembers a valid request, unless it is large."""
        if len(raw) <= self.BYTES_MAX:
            if len(self._valid) >= self.REQUESTS_MAX:
                self._valid.clear()
            self._valid.add(raw)


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
        if holds_arrays(message) and all(map(_standard, _rules(message, set()))):
            from crossrate.rpc.element_rules import ElementRules  # most services have no arrays and do without numpy

            if elements := ElementRules(message):
                return self._check_arrays(message, elements)

        def check(request: Message, _raw: bytes | None = None) -> None:
            if violations := collect(request):
                raise invalid(*(violation_of(v, message) for v in violations))

        return check

    def _check_arrays(self, message: Descriptor, elements: ElementRules) -> Check:
        """The check of a message type whose arrays are looked at as a whole."""
        from crossrate.rpc.element_rules import only

        collect = self._validator.collect_violations
        rest = elements.without()
        other_rules = has_rules(rest)
        kind = message_factory.GetMessageClass(rest)
        # Its own, because a validator knows types by their names.
        collect_rest = protovalidate.Validator().collect_violations
        collect_rest(kind())

        def check(request: Message, raw: bytes | None = None) -> None:
            if raw is not None and len(raw) <= SMALL_BYTES_MAX and not collect(request):
                return
            found: list[Violation] = []
            if other_rules:
                again = kind.FromString(request.SerializeToString() if raw is None else raw)
                found += (violation_of(v, message) for v in collect_rest(again))
            for offender in elements.offenders(request):
                told = [_told_of(offender, v) for v in collect(only(offender))]
                if not any(told):
                    # Whoever wrote the rules has the last word.
                    found = [violation_of(v, message) for v in collect(request)]
                    break
                found += filter(None, told)
            if found:
                raise invalid(*found)

        return check


def _told_of(offender: Offender, found: protovalidate.Violation) -> Violation | None:
    """What is wrong with an element, as it was told of a message that held it alone; None if that is about another."""
    path = found.proto.field.elements if found.proto.field is not None else ()
    if len(path) != 1 or path[0].field_name != offender.name or path[0].subscript is None:
        return None
    told = violation_of(found, offender.message.DESCRIPTOR)
    return Violation(f"{offender.prefix}{offender.name}[{offender.index}]", told.description, told.rule)
