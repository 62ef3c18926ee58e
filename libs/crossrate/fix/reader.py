"""Reads messages as typed values, with the checks of the session level; see crossrate.fix.codec."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from crossrate.fix import admin
from crossrate.fix.codec import MESSAGES, Layout, Slot, unmet
from crossrate.fix.dictionary import HEADER, LISTED, TRAILER, USER_DEFINED_FROM, defined, legal
from crossrate.fix.faults import BusinessFault, BusinessReason, Fault, RejectReason
from crossrate.fix.kinds import KNOWN
from crossrate.fix.message import Message, Pair, whole
from crossrate.fix.values import NotInList

GROUP_ENTRIES_MAX = 10_000

ADMINISTRATIVE = (
    admin.Heartbeat,
    admin.TestRequest,
    admin.ResendRequest,
    admin.Reject,
    admin.SequenceReset,
    admin.Logout,
    admin.Logon,
)
_HEADER = frozenset(b"%d" % tag for tag in HEADER)
_TRAILER = frozenset(b"%d" % tag for tag in TRAILER)


class Decoder:
    """Reads messages of some types; what `Session` takes as `decode`."""

    def __init__(self, kinds: Sequence[type], *, strict: bool = False, user_defined: bool = True) -> None:
        """A decoder.

        Args:
            kinds: classes of the application messages that are taken; any other is refused as unsupported.
            strict: reject what FIX 4.4 does not have in a message.
            user_defined: take tags from 5000 on, which are the parties' own; otherwise a strict decoder rejects those
                that no class names.
        """
        taken = {cls.KIND for cls in (*kinds, *ADMINISTRATIVE)}
        self._readers = {kind: _Reader(MESSAGES[kind], strict, user_defined) for kind in taken}

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
        if (fault := unmet(value)) is not None:
            raise fault
        return value


class _Reader:
    """Reads messages of one class."""

    def __init__(self, cls: type, strict: bool, user_defined: bool) -> None:
        self._layout: Layout = cls.LAYOUT
        self._refused_below = (USER_DEFINED_FROM if user_defined else 1 << 62) if strict else 0
        self._listed = LISTED if strict else {}
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
                values[field.name] = self._read(field, value)
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
        if number < self._refused_below and number not in self._legal:
            known = defined(number)
            raise Fault(RejectReason.TAG_NOT_DEFINED_FOR_MESSAGE if known else RejectReason.INVALID_TAG_NUMBER, number)
        if not value:
            raise Fault(RejectReason.TAG_WITHOUT_VALUE, number)
        extra.append((number, value))

    def _group(self, field: Slot, counted: bytes, pairs: Sequence[Pair], at: int, outer: dict) -> tuple[tuple, int]:
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

    def _entry(self, layout: Layout, pairs: Sequence[Pair], at: int, outer: dict) -> tuple[Any, int]:
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
                values[inner.name] = self._read(inner, value)
            else:
                values[inner.name], at = self._group(inner, value, pairs, at, by_tag | outer)
        return layout.made(values, extra), at

    def _within(self, tag: bytes, pairs: Sequence[Pair], at: int, layout: Layout, outer: dict) -> bool:
        """Whether a tag that is not of the group stands between fields of it: a venue's own, of the entry."""
        if tag in outer or tag in _HEADER or tag in _TRAILER:
            return False
        following = pairs[at + 1][0] if at + 1 < len(pairs) else b""
        return following in layout.by_tag and following not in outer

    def _read(self, field: Slot, value: bytes) -> Any:
        if field.tag in self._listed and value not in self._listed[field.tag]:
            raise Fault(RejectReason.VALUE_INCORRECT, field.tag)
        try:
            return field.read(value)
        except NotInList as error:
            raise Fault(RejectReason.VALUE_INCORRECT, field.tag) from error
        except (ValueError, ArithmeticError) as error:
            raise Fault(RejectReason.INCORRECT_DATA_FORMAT, field.tag) from error
