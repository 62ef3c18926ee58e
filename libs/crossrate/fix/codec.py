"""Messages as typed values: read with the checks of the session level, and written.

    @message("H")
    @dataclass(frozen=True, slots=True, kw_only=True)
    class OrderStatusRequest:
        cl_ord_id: str = required(11)
        parties: tuple[Party, ...] = group(453, Party)
        extra: Extra = ()

A field's type is that of its tag (crossrate.fix.fields). What a class does not name is kept in `extra` with its tag, in
order, and written again behind the rest. A strict decoder rejects what FIX 4.4 does not have in the message; tags
from 5000 on are the parties' own business and always kept.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any

from crossrate.fix.dictionary import HEADER, TRAILER, USER_DEFINED_FROM, defined, legal
from crossrate.fix.faults import BusinessFault, BusinessReason, Fault, RejectReason
from crossrate.fix.fields import FIELDS, LENGTHS
from crossrate.fix.kinds import ADMINISTRATIVE, KNOWN
from crossrate.fix.message import SOH, Message, Pair, whole
from crossrate.fix.values import NotInList

Extra = tuple[tuple[int, bytes], ...]
"""Tags and values that a class does not name."""
GROUP_ENTRIES_MAX = 10_000

_HEADER = frozenset(b"%d" % tag for tag in HEADER)
_TRAILER = frozenset(b"%d" % tag for tag in TRAILER)
_MESSAGES: dict[bytes, type] = {}


def required(tag: int) -> Any:
    """A field that has to be there."""
    return dataclasses.field(metadata={"tag": tag, "required": True})


def optional(tag: int) -> Any:
    """A field that is None where it is not there."""
    return dataclasses.field(default=None, metadata={"tag": tag})


def group(tag: int, member: type, *, required: bool = False) -> Any:
    """A repeating group; `tag` counts its entries. An entry begins with the first field of `member`."""
    metadata = {"tag": tag, "member": member, "required": required}
    return dataclasses.field(metadata=metadata) if required else dataclasses.field(default=(), metadata=metadata)


class _Field:
    """One field of a class."""

    __slots__ = ("layout", "length", "name", "prefix", "read", "required", "tag", "write")

    def __init__(self, field: dataclasses.Field) -> None:
        self.name, self.tag = field.name, field.metadata["tag"]
        self.prefix = b"%d=" % self.tag
        self.required = bool(field.metadata.get("required"))
        member = field.metadata.get("member")
        self.layout: _Layout | None = member._LAYOUT if member is not None else None
        if self.layout is None:
            kind = FIELDS[self.tag]
            self.read, self.write = kind.read, kind.write
        self.length = next((length for length, data in LENGTHS.items() if data == self.tag), None)


class _Layout:
    """How a class stands in a message."""

    def __init__(self, cls: type) -> None:
        self.cls = cls
        self.fields = [_Field(field) for field in dataclasses.fields(cls) if "tag" in field.metadata]
        self.by_tag: dict[bytes, _Field | None] = {b"%d" % field.tag: field for field in self.fields}
        self.by_tag.update({b"%d" % field.length: None for field in self.fields if field.length})
        self.first = b"%d" % self.fields[0].tag if self.fields else b""
        self.required = [field for field in self.fields if field.required]
        names = [field.name for field in self.fields]
        self.values: Callable[[Any], tuple] = attrgetter(*names, "extra") if names else lambda value: (value.extra,)

    def made(self, values: dict[str, Any], extra: list[tuple[int, bytes]]) -> Any:
        """A value, if all is there that has to be."""
        for field in self.required:
            if field.name not in values:
                raise Fault(RejectReason.REQUIRED_TAG_MISSING, field.tag)
        if extra:
            values["extra"] = tuple(extra)
        return self.cls(**values)

    def written(self, value: Any, parts: list[bytes]) -> None:
        """Appends the fields of a value, encoded."""
        *values, extra = self.values(value)
        for field, each in zip(self.fields, values, strict=True):
            if each is None or each == ():
                if field.required:
                    raise ValueError(f"{self.cls.__name__}.{field.name} ({field.tag}) has to be given")
                continue
            if field.layout is not None:
                parts.append(b"%b%d\x01" % (field.prefix, len(each)))
                for entry in each:
                    field.layout.written(entry, parts)
                continue
            try:
                data = field.write(each)
            except (ValueError, TypeError, AttributeError) as error:
                raise ValueError(f"{self.cls.__name__}.{field.name} ({field.tag}): {error}") from error
            if field.length:
                parts.append(b"%d=%d\x01" % (field.length, len(data)))
            parts.append(field.prefix + data + SOH)
        for tag, data in extra:
            if SOH in data or not data or tag <= 0:
                raise ValueError(f"{self.cls.__name__}.extra ({tag}): empty, or with the delimiter (SOH) in it")
            parts.append(b"%d=%b\x01" % (tag, data))


def member(cls: type) -> type:
    """Makes a dataclass an entry of a repeating group."""
    cls._LAYOUT = _Layout(cls)
    return cls


def message(kind: str) -> Callable[[type], type]:
    """Makes a dataclass a message of a type."""

    def made(cls: type) -> type:
        cls._LAYOUT, cls.KIND = _Layout(cls), kind.encode()
        _MESSAGES[cls.KIND] = cls
        return cls

    return made


def encode(value: Any) -> bytes:
    """The body of a message, to be given to `Session.send` with `value.KIND`.

    Raises:
        ValueError: a field is missing, or none of its type; the message names it.
    """
    if (fault := _unmet(value)) is not None:
        raise ValueError(f"{type(value).__name__}: {fault}")
    parts: list[bytes] = []
    value._LAYOUT.written(value, parts)
    return b"".join(parts)


def _unmet(value: Any) -> BusinessFault | None:
    """What a message lacks of what its other fields make necessary."""
    conditions = getattr(value, "lacking", None)
    missing = conditions() if conditions is not None else None
    if missing is None:
        return None
    tag, why = missing
    text = f"Conditionally required field missing: {tag}, {why}"
    reference = str(getattr(value, "cl_ord_id", "") or "")
    return BusinessFault(BusinessReason.CONDITIONALLY_REQUIRED_FIELD_MISSING, text, tag=tag, reference=reference)


class Decoder:
    """Reads messages of some types; what `Session` takes as `decode`."""

    def __init__(self, kinds: Sequence[type], *, strict: bool = False) -> None:
        """A decoder.

        Args:
            kinds: classes of the application messages that are taken; any other is refused as unsupported.
            strict: reject what FIX 4.4 does not have in a message.
        """
        taken = {cls.KIND for cls in kinds} | (ADMINISTRATIVE & _MESSAGES.keys())
        self._readers = {kind: _Reader(_MESSAGES[kind], strict) for kind in taken}

    def __call__(self, message: Message) -> Any:
        """The value of a message.

        Raises:
            Fault: it breaks the protocol.
            BusinessFault: its type is not taken, or a field is missing that another one makes necessary.
        """
        reader = self._readers.get(message.kind)
        if reader is None:
            if message.kind not in KNOWN and not message.kind.startswith(b"U"):
                raise Fault(RejectReason.INVALID_MSG_TYPE)
            raise BusinessFault(BusinessReason.UNSUPPORTED_MESSAGE_TYPE, "Unsupported Message Type")
        value = reader.message(message.pairs)
        if (fault := _unmet(value)) is not None:
            raise fault
        return value


class _Reader:
    """Reads messages of one class."""

    def __init__(self, cls: type, strict: bool) -> None:
        self._layout: _Layout = cls._LAYOUT
        self._strict = strict
        self._legal = legal(cls.KIND.decode())

    def message(self, pairs: Sequence[Pair]) -> Any:
        """The value of a message's fields."""
        at, count = 1, len(pairs)
        while at < count and pairs[at][0] in _HEADER:
            if not pairs[at][2]:
                raise Fault(RejectReason.TAG_WITHOUT_VALUE, int(pairs[at][0]))
            at += 1
        values: dict[str, Any] = {}
        extra: list[tuple[int, bytes]] = []
        by_tag = self._layout.by_tag
        while at < count:
            tag, _, value = pairs[at]
            if tag not in by_tag:
                self._other(tag, value, extra)
                at += 1
                continue
            field = by_tag[tag]
            if not value:
                raise Fault(RejectReason.TAG_WITHOUT_VALUE, int(tag))
            at += 1
            if field is None:
                continue
            if field.name in values:
                raise Fault(RejectReason.TAG_APPEARS_TWICE, field.tag)
            if field.layout is None:
                values[field.name] = _read(field, value)
            else:
                values[field.name], at = self._group(field, value, pairs, at, by_tag)
        return self._layout.made(values, extra)

    def _other(self, tag: bytes, value: bytes, extra: list[tuple[int, bytes]]) -> None:
        """A tag that the class does not name."""
        if tag in _HEADER:
            raise Fault(RejectReason.TAG_OUT_OF_ORDER, int(tag))
        number = whole(tag) or 0
        if number <= 0:
            # "-1" is told as it is; what is no number at all has no RefTagID.
            signed = tag[1:].isdigit() and tag[:1] == b"-"
            raise Fault(RejectReason.INVALID_TAG_NUMBER, int(tag) if signed or tag.isdigit() else None)
        if tag in _TRAILER:
            return
        if self._strict and number < USER_DEFINED_FROM and number not in self._legal:
            known = defined(number)
            raise Fault(RejectReason.TAG_NOT_DEFINED_FOR_MESSAGE if known else RejectReason.INVALID_TAG_NUMBER, number)
        if not value:
            raise Fault(RejectReason.TAG_WITHOUT_VALUE, number)
        extra.append((number, value))

    def _group(self, field: _Field, counted: bytes, pairs: Sequence[Pair], at: int, outer: dict) -> tuple[tuple, int]:
        """The entries of a repeating group, and where what follows it begins."""
        expected = whole(counted)
        if expected is None or expected > GROUP_ENTRIES_MAX:
            raise Fault(RejectReason.INCORRECT_DATA_FORMAT, field.tag)
        layout = field.layout
        assert layout is not None
        entries: list[Any] = []
        while at < len(pairs) and pairs[at][0] == layout.first:
            entry, at = self._entry(layout, pairs, at, outer)
            entries.append(entry)
        if at < len(pairs) and pairs[at][0] in layout.by_tag and pairs[at][0] not in outer:
            if not entries:
                raise Fault(RejectReason.GROUP_OUT_OF_ORDER, int(pairs[at][0]))
            raise Fault(RejectReason.TAG_APPEARS_TWICE, int(pairs[at][0]))
        if len(entries) != expected:
            raise Fault(RejectReason.GROUP_COUNT, field.tag)
        return tuple(entries), at

    def _entry(self, layout: _Layout, pairs: Sequence[Pair], at: int, outer: dict) -> tuple[Any, int]:
        values: dict[str, Any] = {}
        extra: list[tuple[int, bytes]] = []
        by_tag, start = layout.by_tag, at
        while at < len(pairs):
            tag, _, value = pairs[at]
            if tag == layout.first and at > start:
                break
            if tag not in by_tag:
                if not self._within(tag, pairs, at, layout, outer):
                    break
                self._other(tag, value, extra)
                at += 1
                continue
            inner = by_tag[tag]
            if not value:
                raise Fault(RejectReason.TAG_WITHOUT_VALUE, int(tag))
            if inner is not None and inner.name in values:
                break
            at += 1
            if inner is None:
                continue
            if inner.layout is None:
                values[inner.name] = _read(inner, value)
            else:
                values[inner.name], at = self._group(inner, value, pairs, at, by_tag | outer)
        return layout.made(values, extra), at

    def _within(self, tag: bytes, pairs: Sequence[Pair], at: int, layout: _Layout, outer: dict) -> bool:
        """Whether a tag that is not of the group stands between fields of it: a venue's own, of the entry."""
        if tag in outer or tag in _HEADER or tag in _TRAILER:
            return False
        following = pairs[at + 1][0] if at + 1 < len(pairs) else b""
        return following in layout.by_tag and following not in outer


def _read(field: _Field, value: bytes) -> Any:
    try:
        return field.read(value)
    except NotInList as error:
        raise Fault(RejectReason.VALUE_INCORRECT, field.tag) from error
    except (ValueError, ArithmeticError) as error:
        raise Fault(RejectReason.INCORRECT_DATA_FORMAT, field.tag) from error
