"""Limits: what they are, which hold for whom, and those that a new platform begins with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum

from services.risk.domain.pretrade.amounts import SCALE
from services.risk.domain.pretrade.market import REPORTING
from services.risk.domain.refusal import Refused


class Check(IntEnum):
    """What is compared, with the contract's numbers."""

    KILL_SWITCH = 1
    REFERENCE_QUOTE = 2
    INSTRUMENT = 3
    MARKET_HOURS = 4
    PRICE_COLLAR = 5
    ORDER_QUANTITY = 6
    ORDER_NOTIONAL = 7
    POSITION = 8
    CURRENCY_EXPOSURE = 9
    GROSS_EXPOSURE = 10
    CONCENTRATION = 11
    MARGIN = 12
    DAILY_LOSS = 13
    ORDER_RATE = 14
    DUPLICATE = 15
    SELF_TRADE = 16
    NET_EXPOSURE = 17
    OPEN_ORDERS = 18
    ACCOUNT = 19


CLOSE_ONLY, RESTRICTED = 1, 2
SCOPES = ("platform", "desk", "account", "strategy", "instrument", "venue")
_PEOPLE = frozenset({"platform", "desk", "account", "strategy"})
_NO_VENUE = frozenset(SCOPES) - {"venue"}
SCOPES_OF: Mapping[Check, frozenset[str]] = {
    Check.INSTRUMENT: _PEOPLE,
    Check.PRICE_COLLAR: _NO_VENUE,
    Check.ORDER_QUANTITY: frozenset(SCOPES),
    Check.ORDER_NOTIONAL: frozenset(SCOPES),
    Check.POSITION: _NO_VENUE,
    Check.CURRENCY_EXPOSURE: _PEOPLE,
    Check.GROSS_EXPOSURE: _PEOPLE,
    Check.NET_EXPOSURE: _PEOPLE,
    Check.CONCENTRATION: _PEOPLE,
    Check.MARGIN: frozenset({"account"}),
    Check.DAILY_LOSS: _PEOPLE,
    Check.ORDER_RATE: frozenset(SCOPES),
    Check.DUPLICATE: frozenset({"account"}),
    Check.SELF_TRADE: frozenset({"platform", "desk", "account"}),
    Check.OPEN_ORDERS: _PEOPLE,
}
"""Which kinds of scope a limit of a kind may have."""
MONEY = frozenset(
    {Check.ORDER_NOTIONAL, Check.CURRENCY_EXPOSURE, Check.GROSS_EXPOSURE, Check.NET_EXPOSURE, Check.DAILY_LOSS}
)
"""Kinds whose value is an amount of a currency."""
BY_INSTRUMENT = frozenset(
    {Check.INSTRUMENT, Check.PRICE_COLLAR, Check.ORDER_QUANTITY, Check.ORDER_NOTIONAL, Check.POSITION}
)
"""Kinds that may be narrowed to one instrument."""
IN_WINDOW = frozenset({Check.ORDER_RATE, Check.DUPLICATE})
AGGREGATES = frozenset(
    {
        Check.POSITION,
        Check.CURRENCY_EXPOSURE,
        Check.GROSS_EXPOSURE,
        Check.NET_EXPOSURE,
        Check.CONCENTRATION,
        Check.DAILY_LOSS,
        Check.OPEN_ORDERS,
    }
)
"""Kinds for which the sums of a scope have to be kept."""


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit. `value` and `floor` in ten-thousandths of the unit, `window_ns` for rates; `use` for INSTRUMENT."""

    scope: str
    kind: Check
    value: int = 0
    unit: str = ""
    instrument: str = ""
    window_ns: int = 0
    floor: int = 0
    use: int = 0

    @property
    def key(self) -> tuple[str, Check, str]:
        """Its name: two limits of one name cannot stand side by side."""
        return self.scope, self.kind, self.instrument

    @property
    def scope_kind(self) -> str:
        """ "account" of "account:alpha"."""
        return self.scope.partition(":")[0]


def checked(limit: Limit, field: str, *, has_value: bool, currencies: Iterable[str]) -> Limit:
    """A limit that makes sense.

    Args:
        field: its path in the request.
        has_value: whether a value was given.

    Raises:
        Refused: it does not; names the field.
    """
    kind = limit.kind
    scopes = SCOPES_OF.get(kind)
    if scopes is None:
        raise Refused(f"{field}.kind", f"{kind.name} has no limit: it always holds")
    if limit.scope_kind not in scopes:
        raise Refused(f"{field}.scope", f"is {limit.scope}: {kind.name} has limits of {', '.join(sorted(scopes))}")
    bare = kind in (Check.INSTRUMENT, Check.SELF_TRADE)
    if bare == has_value:
        raise Refused(f"{field}.value", f"must be {'empty' if bare else 'given'} for {kind.name}")
    money = kind in MONEY or kind is Check.CONCENTRATION
    if money and limit.unit not in set(currencies):
        raise Refused(f"{field}.unit", f"is {limit.unit!r}: {kind.name} needs the code of a currency, as USD")
    if not money and limit.unit:
        raise Refused(f"{field}.unit", f"is {limit.unit}: leave it empty for {kind.name}")
    if limit.instrument and kind not in BY_INSTRUMENT:
        raise Refused(f"{field}.instrument", f"{kind.name} is not by instrument: leave it empty")
    if limit.instrument and limit.scope_kind == "instrument":
        raise Refused(f"{field}.instrument", "the scope names the instrument already: leave it empty")
    if (kind in IN_WINDOW) != bool(limit.window_ns):
        raise Refused(f"{field}.window", f"must be {'given' if kind in IN_WINDOW else 'unset'} for {kind.name}")
    if limit.floor and kind is not Check.CONCENTRATION:
        raise Refused(f"{field}.floor", "is only for CONCENTRATION: leave it empty")
    if kind is Check.CONCENTRATION and limit.value > SCALE:
        raise Refused(f"{field}.value", "is a share: from 0 to 1")
    if (kind is Check.INSTRUMENT) != bool(limit.use):
        raise Refused(f"{field}.use", f"must be {'given' if kind is Check.INSTRUMENT else 'unset'} for {kind.name}")
    return limit


class Limits:
    """All limits of one version."""

    def __init__(self, version: int, limits: Iterable[Limit]) -> None:
        self.version = version
        self.by_key = {limit.key: limit for limit in limits}

    def of(self, kind: Check, scope: str, name: str, instrument: str = "") -> Limit | None:
        """The limit of a scope: its own before that of all, for the instrument before that for each."""
        own = f"{scope}:{name}" if name else scope
        places = (own, f"{scope}:*") if name else (own,)
        for place in places:
            for narrowed in (instrument, "") if instrument else ("",):
                found = self.by_key.get((place, kind, narrowed))
                if found is not None:
                    return found
        return None

    def keeps_sums_of(self, scope: str, name: str) -> bool:
        """Whether some limit needs the sums of a scope."""
        return any(
            limit.kind in AGGREGATES and limit.scope in (scope, f"{scope}:*", f"{scope}:{name}")
            for limit in self.by_key.values()
        )


def _money(scope: str, kind: Check, millions: float) -> Limit:
    return Limit(scope, kind, round(millions * 1_000_000 * SCALE), REPORTING)


def _second(scope: str, kind: Check, count: int) -> Limit:
    return Limit(scope, kind, count * SCALE, window_ns=1_000_000_000)


BEGINNING: tuple[Limit, ...] = (
    Limit("platform", Check.PRICE_COLLAR, 300 * SCALE),
    Limit("platform", Check.ORDER_QUANTITY, 10_000_000_000 * SCALE),
    _money("platform", Check.GROSS_EXPOSURE, 10_000),
    Limit("platform", Check.CONCENTRATION, SCALE // 2, REPORTING, floor=1_000_000_000 * SCALE),
    _money("platform", Check.DAILY_LOSS, 10),
    Limit("platform", Check.OPEN_ORDERS, 200_000 * SCALE),
    _second("platform", Check.ORDER_RATE, 50_000),
    _money("account:*", Check.ORDER_NOTIONAL, 25),
    Limit("account:*", Check.POSITION, 500_000_000 * SCALE),
    _money("account:*", Check.CURRENCY_EXPOSURE, 500),
    _money("account:*", Check.NET_EXPOSURE, 500),
    _money("account:*", Check.GROSS_EXPOSURE, 1_000),
    Limit("account:*", Check.MARGIN, SCALE),
    _money("account:*", Check.DAILY_LOSS, 1),
    Limit("account:*", Check.OPEN_ORDERS, 20_000 * SCALE),
    _second("account:*", Check.ORDER_RATE, 20_000),
    _second("account:*", Check.DUPLICATE, 100),
    Limit("account:*", Check.SELF_TRADE),
)
"""What holds on a new platform until somebody proposes and somebody else approves otherwise."""
