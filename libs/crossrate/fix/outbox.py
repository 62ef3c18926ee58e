"""What a session sends: numbers, headers, what has to be stored first, and what is sent again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from crossrate.fix.message import Field, Message, framed, packed, utc_text
from crossrate.fix.numbers import Changes, Numbers, Recall, Sent
from crossrate.fix.rules import Rules

SEQUENCE_RESET = b"4"
_ROUTES = ((115, 128), (116, 129), (144, 145), (128, 115), (129, 116), (145, 144))
"""OnBehalfOf and DeliverTo: CompID, SubID, LocationID."""


def route_back(message: Message) -> bytes:
    """The header fields that lead an answer back to whoever sent a message through a third party."""
    return packed((back, value) for there, back in _ROUTES if (value := message.get(there)))


class Outbox:
    """The outbound half of one session.

    Attributes:
        sent_at: when something was sent last, on the monotonic clock.
    """

    def __init__(
        self, rules: Rules, numbers: Numbers, monotonic: Callable[[], float], now_ns: Callable[[], int]
    ) -> None:
        self._rules, self.numbers = rules, numbers
        self._monotonic, self._now_ns = monotonic, now_ns
        self._items: list[bytes | Recall] = []
        self._held: list[bytes] = []
        self._unsaved: list[Sent] = []
        self._reset = False
        self._saved = (numbers.out, numbers.due)
        names = packed(((49, rules.sender), (56, rules.target)))
        subs = packed(tag for tag in ((50, rules.sender_sub), (57, rules.target_sub)) if tag[1])
        self._names, self._subs = names, subs
        self.sent_at = monotonic()

    def administrative(self, kind: bytes, fields: Iterable[Field], header: bytes = b"") -> None:
        """Sends a message that is never sent again."""
        self._items.append(self._written(kind, self._number(), header, packed(fields)))

    def application(self, kind: bytes, header: bytes, body: bytes, *, hold: bool, now: bool) -> int:
        """Gives a message its number and keeps it; sends it `now`, after `release` if `hold`, else when asked for."""
        number = self._number()
        time_ns = self._now_ns()
        self._unsaved.append(Sent(number, kind, header, body, time_ns))
        if now or hold:
            whole = self._written(kind, number, header, body, time_ns=time_ns)
            (self._items if now else self._held).append(whole)
        return number

    @property
    def held(self) -> int:
        """How many messages were given a number and are held back."""
        return len(self._held)

    def release(self) -> None:
        """Sends what was held back."""
        self._items += self._held
        self._held.clear()

    def recall(self, first: int, last: int) -> None:
        """Has messages sent again, at this place."""
        if first <= last:
            self._items.append(Recall(first, last))

    def reset(self) -> None:
        """Numbers begin at 1."""
        self.numbers.reset(self._now_ns())
        self._reset = True
        self._unsaved.clear()
        self._held.clear()
        self._items = [item for item in self._items if isinstance(item, bytes)]

    def take(self) -> list[bytes | Recall]:
        """What is to be sent now, in order."""
        items, self._items = self._items, []
        return items

    def changes(self) -> Changes | None:
        """What is to be stored before; None if nothing is."""
        numbers = self.numbers
        if not self._reset and not self._unsaved and self._saved == (numbers.out, numbers.due):
            return None
        sent, reset = tuple(self._unsaved), self._reset
        made = Changes(*self._saved, numbers.out, numbers.due, numbers.begun_ns, reset, sent)
        self._saved, self._reset = (numbers.out, numbers.due), False
        self._unsaved.clear()
        return made

    def again(self, recall: Recall, sent: Sequence[Sent], may_resend: Callable[[Sent], bool] | None) -> bytes:
        """The messages of a recall as possible duplicates, gaps in place of what is not among them."""
        parts, number = [], recall.first
        for each in sent:
            if may_resend is not None and not may_resend(each):
                continue
            if each.number > number:
                parts.append(self._gap(number, each.number))
            parts.append(self._written(each.kind, each.number, each.header, each.body, duplicate_of=each.time_ns))
            number = each.number + 1
        if number <= recall.last:
            parts.append(self._gap(number, recall.last + 1))
        return b"".join(parts)

    def _gap(self, number: int, following: int) -> bytes:
        fields = packed(((123, "Y"), (36, following)))
        return self._written(SEQUENCE_RESET, number, b"", fields, duplicate_of=self._now_ns())

    def _number(self) -> int:
        number, self.numbers.out = self.numbers.out, self.numbers.out + 1
        return number

    def _written(
        self, kind: bytes, number: int, header: bytes, body: bytes, *, time_ns: int = 0, duplicate_of: int = 0
    ) -> bytes:
        digits = self._rules.time_digits
        stamp = utc_text(time_ns or self._now_ns(), digits).encode()
        duplicate = b""
        if duplicate_of:
            # A clock that was put back would make the original later than the duplicate, which is an error.
            original = min(utc_text(duplicate_of, digits).encode(), stamp)
            duplicate = b"43=Y\x01122=%b\x01" % original
        self.sent_at = self._monotonic()
        start = b"35=%b\x01%b34=%d\x01%b%b" % (kind, self._names, number, self._subs, duplicate)
        return framed(b"%b52=%b\x01%b%b" % (start, stamp, header, body))
