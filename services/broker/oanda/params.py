"""Parameters of queries."""

from __future__ import annotations

from collections.abc import Mapping

from services.broker.oanda import words
from services.broker.oanda.book import Json
from services.broker.oanda.faults import bad_value

INSTRUMENTS_MAX = 200
LIST_MAX = 500


def whole(params: Mapping[str, str], field: str, default: int | None = None) -> int:
    """A whole number.

    Raises:
        Fault: it is none, or is missing and there is no default.
    """
    text = params.get(field)
    if text is None and default is not None:
        return default
    found = number(text or "")
    if found is None:
        raise bad_value(field, "a whole number")
    return found


def number(text: str) -> int | None:
    """A whole number of at most 18 digits; None for what is none."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 18 else None


def bounded(params: Mapping[str, str], field: str, default: int, most: int) -> int:
    """A whole number from 1 to a bound.

    Raises:
        Fault: it is none.
    """
    found = whole(params, field, default)
    if not 1 <= found <= most:
        raise bad_value(field, f"1 to {most}")
    return found


def moment(params: Mapping[str, str], field: str) -> int | None:
    """A time, nanoseconds since 1970; None for a missing one.

    Raises:
        Fault: it is none.
    """
    text = params.get(field)
    if text is None:
        return None
    found = words.time_ns_of(text)
    if found is None or found > 1 << 62:
        raise bad_value(field, "a time such as '2026-01-31T17:00:00Z' or seconds since 1970")
    return found


def instrument(name: str, field: str = "instrument") -> str:
    """An instrument that there is.

    Raises:
        Fault: there is no such.
    """
    if words.instrument_of(name) is None:
        raise bad_value(field, f"{name[:20]!r} is no instrument; they are written 'EUR_USD'")
    return name


def instruments(params: Mapping[str, str]) -> list[str]:
    """Instruments with commas between, each once.

    Raises:
        Fault: there is none, there are too many, or one does not exist.
    """
    names = list(dict.fromkeys(each for each in params.get("instruments", "").split(",") if each))
    if not 1 <= len(names) <= INSTRUMENTS_MAX:
        raise bad_value("instruments", f"1 to {INSTRUMENTS_MAX} of them")
    return [instrument(name, "instruments") for name in names]


def listing(params: Mapping[str, str]) -> Json:
    """Which orders or trades are wanted: `count`, `instrument`, `beforeID`, `ids`.

    Raises:
        Fault: one of them is not what the API takes.
    """
    made: Json = {"count": bounded(params, "count", 50, LIST_MAX)}
    if "instrument" in params:
        made["instrument"] = instrument(params["instrument"])
    if "beforeID" in params:
        made["before"] = whole(params, "beforeID")
    if "ids" in params:
        ids = [number(each) for each in params["ids"].split(",") if each]
        if len(ids) > LIST_MAX or None in ids:
            raise bad_value("ids", f"up to {LIST_MAX} whole numbers with commas between")
        made["ids"] = ids
    return made
