"""Values of fields: what each data type of FIX 4.4 is in Python, and how it stands on the wire (volume 1, data types).

| FIX | Python |
|---|---|
| String, char, Exchange, … | `str`, of Latin-1 |
| int, Length, SeqNum | `int` |
| Price, Qty, Amt, PriceOffset, Percentage, float | `Decimal`, exact; never a float |
| Boolean | `bool` |
| UTCTimestamp | `int`, nanoseconds since 1970 UTC; written with the digits behind the second that it needs: 3, 6 or 9 |
| LocalMktDate, UTCDateOnly | `datetime.date` |
| MultipleValueString | `tuple[str, ...]` |
| values of a list | an `enum` |
| data | `bytes` |
"""

from __future__ import annotations

import datetime as dt
import enum
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from crossrate.fix.message import Times, utc_text

DECIMAL_CHARACTERS_MAX = 40
_DECIMAL = re.compile(rb"-?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)")
_WHOLE = re.compile(rb"-?[0-9]{1,18}")
_CURRENCY = re.compile(rb"[A-Z]{3}")
_SETTL_TYPE = re.compile(rb"[0-9BC]|[DWMY][1-9][0-9]{0,2}")
_TIMES = Times()


class NotInList(ValueError):
    """A value has the right form and is none that the field may have."""


class Kind:
    """A data type: how a value is read and written. Both raise ValueError or TypeError for what is none."""

    __slots__ = ("read", "write")

    def __init__(self, read: Callable[[bytes], Any], write: Callable[[Any], bytes]) -> None:
        self.read, self.write = read, write


def _text(value: bytes) -> str:
    return value.decode("latin-1")


def _from_text(value: str) -> bytes:
    data = value.encode("latin-1")
    if not data or b"\x01" in data:
        raise ValueError(f"{value!r} is empty or has the delimiter (SOH) in it")
    return data


def _char(value: bytes) -> str:
    if len(value) != 1:
        raise ValueError("a char is one character")
    return value.decode("latin-1")


def _whole(value: bytes) -> int:
    if not _WHOLE.fullmatch(value):
        raise ValueError("no whole number")
    return int(value)


def _from_whole(value: int) -> bytes:
    return b"%d" % value


def _decimal(value: bytes) -> Decimal:
    if len(value) > DECIMAL_CHARACTERS_MAX or not _DECIMAL.fullmatch(value):
        raise ValueError("no decimal number")
    return Decimal(value.decode("ascii"))


def _from_decimal(value: Decimal) -> bytes:
    if type(value) is int:
        return b"%d" % value
    if not isinstance(value, Decimal):
        raise TypeError(f"{value!r} is a {type(value).__name__}, not a Decimal")
    if not value.is_finite():
        raise ValueError(f"{value} is not finite")
    return f"{value:f}".encode("ascii")


def _boolean(value: bytes) -> bool:
    if value == b"Y":
        return True
    if value == b"N":
        return False
    raise ValueError("neither Y nor N")


def _from_boolean(value: bool) -> bytes:
    return b"Y" if value else b"N"


def _time(value: bytes) -> int:
    return _TIMES.nanoseconds(value)


def _from_time(value: int) -> bytes:
    digits = 3 if value % 1_000_000 == 0 else 6 if value % 1_000 == 0 else 9
    return utc_text(value, digits).encode("ascii")


def _date(value: bytes) -> dt.date:
    if len(value) != 8 or not value.isdigit():
        raise ValueError("no YYYYMMDD")
    return dt.date(int(value[:4]), int(value[4:6]), int(value[6:]))


def _from_date(value: dt.date) -> bytes:
    return b"%04d%02d%02d" % (value.year, value.month, value.day)


def _several(value: bytes) -> tuple[str, ...]:
    return tuple(value.decode("latin-1").split(" "))


def _from_several(value: tuple[str, ...]) -> bytes:
    return _from_text(" ".join(value))


def _matching(pattern: re.Pattern[bytes], what: str) -> Callable[[bytes], str]:
    def read(value: bytes) -> str:
        if not pattern.fullmatch(value):
            raise NotInList(f"{value!r} is no {what}")
        return value.decode("ascii")

    return read


def _matched(pattern: re.Pattern[bytes], what: str) -> Callable[[str], bytes]:
    def write(value: str) -> bytes:
        data = value.encode("latin-1")
        if not pattern.fullmatch(data):
            raise NotInList(f"{value!r} is no {what}")
        return data

    return write


def listed(values: type[enum.Enum]) -> Kind:
    """The type of a field that has one of the values of an enum, of text or of whole numbers."""
    members = {str(member.value).encode("latin-1"): member for member in values}
    texts = {member: data for data, member in members.items()}

    def read(value: bytes) -> enum.Enum:
        found = members.get(value)
        if found is None:
            raise NotInList(f"{value.decode('latin-1')!r} is no {values.__name__}")
        return found

    def write(value: Any) -> bytes:
        found = texts.get(value)
        if found is None:
            raise NotInList(f"{value!r} is no {values.__name__}")
        return found

    return Kind(read, write)


def _data(value: bytes) -> bytes:
    return value


TEXT = Kind(_text, _from_text)
CHAR = Kind(_char, _from_text)
INT = Kind(_whole, _from_whole)
DECIMAL = Kind(_decimal, _from_decimal)
BOOLEAN = Kind(_boolean, _from_boolean)
TIME = Kind(_time, _from_time)
DATE = Kind(_date, _from_date)
SEVERAL = Kind(_several, _from_several)
DATA = Kind(_data, _data)
CURRENCY = Kind(_matching(_CURRENCY, "currency"), _matched(_CURRENCY, "currency"))
SETTL_TYPE = Kind(_matching(_SETTL_TYPE, "SettlType"), _matched(_SETTL_TYPE, "SettlType"))
"""Those of FIX 4.4, and the tenors that FX venues write there, as FIX 5.0 does: D2, W1, M3, Y1."""
