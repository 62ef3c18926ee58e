"""FIX messages as bytes: framed, checked and taken apart; and put together.

    bytes ── Framer ──▶ Message(kind, pairs) …        Message ── encoded ──▶ bytes

A message is `8=FIX.4.4␁9=<bytes>␁35=<kind>␁ … ␁10=<checksum>␁`. One whose length or checksum is wrong is garbled: it is
left out and counted, and the gap that it leaves in the sender's numbers brings it back (FIX 4.4 vol. 2, "Garbled
messages").

Values stay bytes, because most of them are only compared. simplefix takes apart what has data fields, in which the
delimiter may stand; everything else is split and put together here, which is an order of magnitude faster.
"""

from __future__ import annotations

import datetime as dt
import functools
import re
from collections.abc import Iterable, Sequence
from typing import Any

import simplefix
from simplefix.errors import ParsingError

SOH = b"\x01"
BEGIN_STRING = b"FIX.4.4"
MESSAGE_BYTES_MAX = 1_048_576
"""A longer message is garbled."""
NANOSECONDS = 1_000_000_000
MINUTES_KEPT_MAX = 1_000
DIGITS_MAX = 18

_BEGIN = b"8=FIX"
_NEXT = SOH + _BEGIN
_HEAD = re.compile(rb"8=([!-~]{1,16})\x019=([0-9]{1,7})\x01")
_HEAD_BYTES_MAX = 40
_TRAILER_BYTES = 7
_ANOTHER = re.compile(rb"\x0110=[0-9]{3}\x018=FIX")
_DATA = re.compile(rb"\x01(?:90|93|95|212|348|350|352|354|356|358|360|362|364|445|618|621)=")
"""Fields that tell the length of a data field."""
DATA_TAGS = frozenset((89, 91, 96, 213, 349, 351, 353, 355, 357, 359, 361, 363, 365, 446, 619, 622))
"""Fields in whose value the delimiter may stand."""

Pair = tuple[bytes, bytes, bytes]
"""Tag, "=" and value."""
Field = tuple[int, bytes | str | int]
"""Tag and value of a message that is to be sent."""


def whole(value: bytes) -> int | None:
    """A whole number of at most 18 digits; None if it is none."""
    return int(value) if value.isdigit() and len(value) <= DIGITS_MAX else None


class Message:
    """One message that came.

    Attributes:
        begin_string: the protocol's version.
        kind: MsgType.
        pairs: every field from MsgType on, without the checksum, in order.
        value: what a decoder made of it; None where there is none.
    """

    __slots__ = ("_first", "begin_string", "kind", "pairs", "value")

    def __init__(self, begin_string: bytes, pairs: Sequence[Pair]) -> None:
        self.begin_string = begin_string
        self.pairs = pairs
        self.kind = pairs[0][2] if pairs and pairs[0][0] == b"35" else b""
        self._first: dict[bytes, bytes] | None = None
        self.value: Any = None

    @property
    def possible_duplicate(self) -> bool:
        """PossDupFlag: the same number may have come before."""
        return self.get(43) == b"Y"

    @property
    def possible_resend(self) -> bool:
        """PossResend: the same content may have come under another number; its own id tells."""
        return self.get(97) == b"Y"

    def get(self, tag: int, default: bytes = b"") -> bytes:
        """The first value of a tag."""
        if self._first is None:
            self._first = {pair[0]: pair[2] for pair in reversed(self.pairs)}
        return self._first.get(b"%d" % tag, default)

    def number(self, tag: int) -> int | None:
        """The first value of a tag as a whole number; None if it is not there or is none, or has too many digits."""
        return whole(self.get(tag))

    def text(self, tag: int) -> str:
        """The first value of a tag as text."""
        return self.get(tag).decode("latin-1")

    def __repr__(self) -> str:
        return "|".join(f"{t.decode('latin-1')}={v.decode('latin-1')}" for t, _, v in self.pairs)


class Framer:
    """Takes bytes as they come, and gives the whole messages in them.

    Attributes:
        garbled: messages that were left out.
        message_bytes_max: a message whose BodyLength is more is garbled.
    """

    def __init__(self, message_bytes_max: int = MESSAGE_BYTES_MAX) -> None:
        self._buffer = b""
        self.message_bytes_max = message_bytes_max
        self.garbled = 0

    @property
    def within(self) -> bool:
        """Whether a message has begun and not ended."""
        return bool(self._buffer)

    def feed(self, data: bytes) -> list[Message]:
        """The messages that are complete with these bytes."""
        buffer = self._buffer + data if self._buffer else data
        messages: list[Message] = []
        place = 0
        while place < len(buffer):
            head = _HEAD.match(buffer, place)
            if head is None:
                if _BEGIN.startswith(buffer[place : place + len(_BEGIN)]) or buffer.startswith(_BEGIN, place):
                    rest = len(buffer) - place
                    if rest < _HEAD_BYTES_MAX and buffer.count(SOH, place) < 2:
                        break
                place = self._skip(buffer, place)
                continue
            length = int(head[2])
            end = head.end() + length
            if length > self.message_bytes_max:
                place = self._skip(buffer, place)
                continue
            if len(buffer) < end + _TRAILER_BYTES:
                if self._another(buffer, head.end()):
                    place = self._skip(buffer, place)
                    continue
                break
            trailer = buffer[end : end + _TRAILER_BYTES]
            sound = trailer.startswith(b"10=") and trailer.endswith(SOH) and buffer[end - 1 : end] == SOH
            if not sound or trailer[3:6] != b"%03d" % (sum(buffer[place:end]) & 255):
                place = self._skip(buffer, place)
                continue
            message = _message(head[1], buffer[head.end() : end - 1], buffer[place : end + _TRAILER_BYTES])
            if message is None:
                self.garbled += 1
            else:
                messages.append(message)
            place = end + _TRAILER_BYTES
        self._buffer = buffer[place:]
        return messages

    def _another(self, buffer: bytes, place: int) -> bool:
        """Whether the next message has begun before this one should end, so that its length is wrong.

        In a data field may stand what looks like that: behind one the length alone says where a message ends.
        """
        found = _ANOTHER.search(buffer, place)
        return found is not None and _DATA.search(buffer, place - 1, found.start() + 1) is None

    def _skip(self, buffer: bytes, place: int) -> int:
        """Where the next message may begin."""
        self.garbled += 1
        found = buffer.find(_NEXT, place)
        if found >= 0:
            return found + 1
        # The next one may have begun with the last bytes.
        begun = next((size for size in range(len(_NEXT) - 1, 1, -1) if buffer.endswith(_NEXT[:size])), 1)
        return max(len(buffer) - begun + 1, place + 1)


def _message(begin_string: bytes, body: bytes, whole: bytes) -> Message | None:
    """A message whose length and checksum are right; None if it does not begin with MsgType, or its data do not end."""
    if not body.startswith(b"35="):
        return None
    if _DATA.search(body):
        parser = simplefix.FixParser()
        parser.append_buffer(whole)
        try:
            taken = parser.get_message()
        except ParsingError:
            taken = None
        if taken is None:
            return None
        pairs = [(tag, b"=", value) for tag, value in taken.pairs if tag not in (b"8", b"9", b"10")]
        return Message(begin_string, pairs)
    return Message(begin_string, [part.partition(b"=") for part in body.split(SOH)])


def packed(fields: Iterable[Field]) -> bytes:
    """Fields as they stand in a message.

    Raises:
        ValueError: a value that is no data has the delimiter in it, and would be read as further fields.
    """
    parts = []
    for tag, value in fields:
        if not isinstance(value, bytes):
            value = str(value).encode("latin-1", "replace")
        if SOH in value and tag not in DATA_TAGS:
            raise ValueError(f"the value of tag {tag} has the delimiter (SOH) in it")
        parts.append(b"%d=%b\x01" % (tag, value))
    return b"".join(parts)


def framed(content: bytes, begin_string: bytes = BEGIN_STRING) -> bytes:
    """A message of fields from MsgType on, with its length and checksum."""
    whole = b"8=%b\x019=%d\x01%b" % (begin_string, len(content), content)
    return b"%b10=%03d\x01" % (whole, sum(whole) & 255)


def encoded(header: Iterable[Field], body: Iterable[Field]) -> bytes:
    """A message with its length and checksum; MsgType is the header's first field."""
    return framed(packed(header) + packed(body))


@functools.lru_cache(maxsize=256)
def _second_text(seconds: int) -> str:
    return f"{dt.datetime.fromtimestamp(seconds, dt.UTC):%Y%m%d-%H:%M:%S}"


def utc_text(now_ns: int, digits: int = 3) -> str:
    """A UTCTimestamp, "20260102-15:04:05.678", of nanoseconds since 1970 UTC; more `digits` (0 to 9) are cut off."""
    seconds, nanos = divmod(now_ns, NANOSECONDS)
    return f"{_second_text(seconds)}.{nanos:09d}"[: 18 + digits if digits else 17]


class Times:
    """Reads UTCTimestamps; the minutes that came last are remembered."""

    def __init__(self) -> None:
        self._minutes: dict[bytes, int] = {}

    def nanoseconds(self, text: bytes) -> int:
        """Nanoseconds since 1970 of "YYYYMMDD-HH:MM:SS[.s to nanoseconds]", on the clock that it was written by.

        Raises:
            ValueError: it is not a UTCTimestamp.
        """
        minute = self._minutes.get(text[:14])
        if minute is None:
            minute = self._minute(text)
        seconds, fraction = text[15:17], text[18:]
        if not seconds.isdigit() or len(seconds) != 2 or text[14:15] != b":" or seconds > b"60":
            raise ValueError(f"{text!r} is no UTCTimestamp")
        if not fraction:
            if len(text) != 17:
                raise ValueError(f"{text!r} is no UTCTimestamp")
            return minute + int(seconds) * NANOSECONDS
        if not fraction.isdigit() or text[17:18] != b"." or len(fraction) > 9:
            raise ValueError(f"{text!r} is no UTCTimestamp")
        return minute + int(seconds) * NANOSECONDS + int(fraction.ljust(9, b"0"))

    def _minute(self, text: bytes) -> int:
        try:
            moment = dt.datetime.strptime(text[:14].decode("ascii"), "%Y%m%d-%H:%M").replace(tzinfo=dt.UTC)
        except ValueError as error:
            raise ValueError(f"{text!r} is no UTCTimestamp") from error
        if len(self._minutes) >= MINUTES_KEPT_MAX:
            self._minutes.clear()
        minute = self._minutes[text[:14]] = round(moment.timestamp()) * NANOSECONDS
        return minute
