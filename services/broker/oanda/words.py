"""Names, numbers and times as the v20 API writes them."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from crossrate.api.trading.v1 import order_pb2 as pb
from crossrate.basics.instrument import CONVENTIONS
from crossrate.basics.pair import Pair

_TIME = re.compile(r"^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:[.](\d{1,9}))?(?:[Zz]|([+-])(\d\d):(\d\d))$")
_UNIX = re.compile(r"^(\d{1,11})(?:[.](\d{1,9}))?$")
_NAMES = uuid.UUID("0b9b2c55-3b0f-5f5e-9c3e-6a1b7a1d2e77")
_INSTRUMENT = re.compile(r"^([A-Z]{3})_([A-Z]{3})$")
TIME_KEYS = frozenset(
    [
        "time",
        "createTime",
        "createdTime",
        "openTime",
        "closeTime",
        "filledTime",
        "triggeredTime",
        "cancelledTime",
        "gtdTime",
        "from",
        "to",
    ]
)
"""Fields of the API that are times."""

FORCES = {
    "GTC": pb.TIME_IN_FORCE_GTC,
    "GTD": pb.TIME_IN_FORCE_GTD,
    "GFD": pb.TIME_IN_FORCE_DAY,
    "FOK": pb.TIME_IN_FORCE_FOK,
    "IOC": pb.TIME_IN_FORCE_IOC,
}
FORCE_WORDS = {value: word for word, value in FORCES.items()}


def instrument_of(name: str) -> str | None:
    """The platform's name of a v20 instrument ("EUR_USD"); None for one that it does not have."""
    match = _INSTRUMENT.match(name)
    if match is None or Pair(match[1], match[2]) not in CONVENTIONS:
        return None
    return f"{match[1]}/{match[2]}"


def name_of(instrument: str) -> str:
    """The v20 name of an instrument ("EUR/USD")."""
    return instrument.replace("/", "_")


def places_of(instrument: str) -> int:
    """Decimal places of its prices."""
    base, _, counter = instrument.partition("/")
    return CONVENTIONS[Pair(base, counter)].price_places


def number(value: Decimal) -> str:
    """A decimal without exponent and without zeros behind; "0" for nothing."""
    text = f"{value:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "") else text


def money(value: Decimal) -> str:
    """An amount of the account's currency: four places."""
    return f"{value.quantize(Decimal('0.0001')):f}"


def price(value: Decimal, instrument: str) -> str:
    """A price with the instrument's places, or all that it has where it is an average."""
    rounded = round(value, places_of(instrument))
    return f"{rounded:f}" if rounded == value else number(round(value, 10))


def time_text(time_ns: int) -> str:
    """RFC 3339 with nanoseconds, UTC."""
    seconds, rest = divmod(time_ns, 1_000_000_000)
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S") + f".{rest:09d}Z"


def time_ns_of(text: str) -> int | None:
    """Nanoseconds since 1970 of either form that the API takes; None for what is none."""
    if match := _UNIX.match(text):
        return int(match[1]) * 1_000_000_000 + int((match[2] or "").ljust(9, "0"))
    match = _TIME.match(text)
    if match is None:
        return None
    try:
        moment = datetime(*(int(each) for each in match.groups()[:6]), tzinfo=UTC)  # type: ignore[arg-type, misc]
    except ValueError:
        return None
    offset_s = (int(match[9]) * 3600 + int(match[10]) * 60) * (1 if match[8] == "+" else -1) if match[8] else 0
    return (int(moment.timestamp()) - offset_s) * 1_000_000_000 + int((match[7] or "").ljust(9, "0"))


def unix_text(text: str) -> str:
    """An RFC 3339 time of this service as seconds since 1970."""
    time_ns = time_ns_of(text)
    if time_ns is None:
        return text
    return f"{time_ns // 1_000_000_000}.{time_ns % 1_000_000_000:09d}"


def shown(value: Any, unix: bool = False) -> Any:
    """What a program sees of what is kept: without fields that begin with "_", times in the form that it asked for."""
    if isinstance(value, Mapping):
        return {
            key: unix_text(each) if unix and key in TIME_KEYS and isinstance(each, str) else shown(each, unix)
            for key, each in value.items()
            if not key.startswith("_")
        }
    if isinstance(value, list | tuple):
        return [shown(each, unix) for each in value]
    return value


def now_ns() -> int:
    """Now, nanoseconds since 1970."""
    return time.time_ns()


def same_id(*parts: str) -> str:
    """The id of a request to trading that is the same whenever it is made of the same parts."""
    return str(uuid.uuid5(_NAMES, "\n".join(parts)))
