"""The declared table of financing: a TOML file.

[points."EUR/USD"]        # swap points in pips for one day, bid and ask
bid = "0.51"
ask = "0.58"

[interest.EUR]            # annual rates: what a balance gets, what a loan costs; days of the year
bid = "0.0175"
offer = "0.0225"
year_days = 360
"""

from __future__ import annotations

import tomllib
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from pathlib import Path

from crossrate.basics.currency import CURRENCIES
from crossrate.basics.instrument import convention_of
from services.ledger.domain.amounts import PRICE_PLACES
from services.ledger.domain.financing import Interest, Points, Rates

DEFAULT_PATH = Path(__file__).parent / "financing.toml"


class RatesFault(ValueError):
    """The table does not hold; the message names the entry and the rule."""


def load_rates(path: Path = DEFAULT_PATH) -> Rates:
    """Reads and checks the table.

    Raises:
        RatesFault: an entry breaks a rule.
        OSError: the file cannot be read.
    """
    try:
        table = tomllib.loads(path.read_text())
    except tomllib.TOMLDecodeError as error:
        raise RatesFault(f"{path}: {error}") from error
    if unknown := set(table) - {"points", "interest"}:
        raise RatesFault(f'{path}: unknown {", ".join(sorted(unknown))}; write [points."EUR/USD"] or [interest.EUR]')
    points = {name: _points(name, entry) for name, entry in table.get("points", {}).items()}
    interest = {name: _interest(name, entry) for name, entry in table.get("interest", {}).items()}
    return Rates(points, interest)


def _points(name: str, entry: dict) -> Points:
    base, _, counter = name.partition("/")
    try:
        pip_places = convention_of(base, counter).pip_places
    except KeyError:
        raise RatesFault(f"points.{name}: no instrument of the platform; write it as EUR/USD") from None
    bid, ask = (_decimal(f"points.{name}.{side}", entry.get(side)) for side in ("bid", "ask"))
    if bid > ask:
        raise RatesFault(f"points.{name}: bid {bid} is above ask {ask}")
    unit = Decimal(10) ** (PRICE_PLACES - pip_places)
    sides = [points * unit for points in (bid, ask)]
    if any(side != side.to_integral_value() for side in sides):
        raise RatesFault(f"points.{name}: at most {PRICE_PLACES - pip_places} decimal places")
    return Points(*map(int, sides))


def _interest(name: str, entry: dict) -> Interest:
    if name not in CURRENCIES:
        raise RatesFault(f"interest.{name}: none of the platform's currencies")
    bid, offer = (_decimal(f"interest.{name}.{side}", entry.get(side)) for side in ("bid", "offer"))
    if not -1 < bid <= offer < 10:
        raise RatesFault(
            f"interest.{name}: bid {bid} and offer {offer} are annual rates, 0.02 for 2 %, bid not above offer"
        )
    if entry.get("year_days") not in (360, 365):
        raise RatesFault(f"interest.{name}.year_days: 360 or 365, not {entry.get('year_days')}")
    return Interest(Fraction(bid), Fraction(offer), entry["year_days"])


def _decimal(field: str, value: object) -> Decimal:
    """A decimal, written as text so that no binary fraction comes between."""
    try:
        if not isinstance(value, str):
            raise InvalidOperation
        found = Decimal(value)
        if not found.is_finite():
            raise InvalidOperation
    except InvalidOperation:
        raise RatesFault(f'{field}: a decimal in quotation marks, like "0.0175", not {value!r}') from None
    return found
