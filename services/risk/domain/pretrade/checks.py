"""Which checks an order has to pass: the limits that reach it, found once for each account, strategy, venue,
instrument."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from services.risk.domain.pretrade.accounts import Account, Book
from services.risk.domain.pretrade.groups import Group, Leg, Slot
from services.risk.domain.pretrade.limits import Check, Limit
from services.risk.domain.pretrade.market import REPORTING, Instrument
from services.risk.domain.pretrade.resting import Resting
from services.risk.domain.pretrade.windows import Alike, Window


class Row:
    """One limit as it reaches an order. `encoded` is for whoever writes checks down: what all of them share."""

    __slots__ = ("currency", "encoded", "floor", "is_reporting", "kind", "limit", "scope", "unit", "words")

    def __init__(
        self,
        kind: Check,
        scope: str,
        limit: int | None,
        unit: str,
        currency: str = "",
        floor: int = 0,
        words: str = "",
    ) -> None:
        self.kind = kind
        self.scope = scope
        self.limit = limit
        self.unit = unit
        self.currency = currency
        self.is_reporting = currency == REPORTING
        self.floor = floor
        self.words = words
        self.encoded: tuple[bytes, bytes, bytes] | None = None


Sum = tuple[Check, Row, Group, Slot, Leg | None]
"""A limit of something that orders add to, and where that is."""
Found = tuple[Row, bool, int | None, int | None, str]
"""A check that was made: its row, whether it passed, limit and value in ten-thousandths (None for none), words."""


@dataclass(slots=True)
class Plan:
    """Everything that an order of one account, strategy, venue and instrument is checked by."""

    account: Account
    instrument: Instrument
    slot: Slot
    touched: list[tuple[Group, Slot]]
    generation: int
    kill: Row
    who: Row
    quote: Row
    status: Row
    hours: Row
    passes: list[Found] = field(default_factory=list)
    uses: list[tuple[Row, Limit]] = field(default_factory=list)
    collars: list[Row] = field(default_factory=list)
    quantities: list[Row] = field(default_factory=list)
    notionals: list[Row] = field(default_factory=list)
    positions: list[Sum] = field(default_factory=list)
    currencies: list[tuple[Sum, Leg]] = field(default_factory=list)
    sums: list[Sum] = field(default_factory=list)
    losses: list[tuple[Row, Group]] = field(default_factory=list)
    opens: list[tuple[Row, Group]] = field(default_factory=list)
    margin: Row | None = None
    rates: list[tuple[Row, Window]] = field(default_factory=list)
    duplicate: Row | None = None
    alike: Alike | None = None
    windows: list[Window] = field(default_factory=list)
    selves: list[tuple[Row, Resting]] = field(default_factory=list)


class Plans:
    """Plans, made when first wanted and made anew when groups were, or limits, or who an account is."""

    KEPT_MAX = 20_000

    def __init__(self, book: Book) -> None:
        self._book = book
        self._kept: dict[tuple[str, str, str, str], Plan] = {}
        self._windows: dict[tuple[Check, str], Window] = {}
        self._alike: dict[str, Alike] = {}
        self._generation = -1

    def plan(self, account: Account, strategy: str, venue: str, instrument: str) -> Plan:
        """The plan of an order."""
        if self._generation != self._book.generation:
            self._kept.clear()
            self._generation = self._book.generation
        key = account.name, strategy, venue, instrument
        found = self._kept.get(key)
        if found is None:
            if len(self._kept) >= self.KEPT_MAX:
                self._kept.clear()
            found = self._kept[key] = self._made(account, strategy, venue, instrument)
        return found

    def window(self, kind: Check, scope: str, window_ns: int) -> Window:
        """The count of a limit of rates; it goes on when the limit's value changes."""
        found = self._windows.get((kind, scope))
        if found is None or found.window_ns != window_ns:
            found = self._windows[kind, scope] = Window(window_ns)
        return found

    def _alike_of(self, scope: str, window_ns: int) -> Alike:
        found = self._alike.get(scope)
        if found is None or found.window_ns != window_ns:
            found = self._alike[scope] = Alike(window_ns)
        return found

    def _made(self, account: Account, strategy: str, venue: str, name: str) -> Plan:
        book = self._book
        instrument = book.market.instruments[name]
        touched = [(group, group.slot(instrument)) for group in book.groups_of(account, strategy)]
        groups = {group.scope: group for group, _ in touched}
        scopes = [("platform", ""), ("desk", account.desk), ("account", account.name), ("strategy", strategy)]
        scopes += [("instrument", name), ("venue", venue)]
        own = f"account:{account.name}"
        plan = Plan(
            account,
            instrument,
            account.group.slot(instrument),
            touched,
            book.generation,
            kill=Row(Check.KILL_SWITCH, "platform", None, ""),
            who=Row(Check.ACCOUNT, own, None, ""),
            quote=Row(Check.REFERENCE_QUOTE, f"instrument:{name}", None, name),
            status=Row(Check.INSTRUMENT, f"instrument:{name}", None, name),
            hours=Row(Check.MARKET_HOURS, f"instrument:{name}", None, name),
        )
        plan.passes = [(row, True, None, None, "") for row in (plan.kill, plan.who, plan.status, plan.hours)]
        for scope, who in scopes:
            if who or scope == "platform":
                text = f"{scope}:{who}" if who else scope
                # What is counted over an instrument is counted over the platform.
                group = groups.get(text) or (book.platform if scope == "instrument" else None)
                for limit in self._limits(scope, who, name):
                    self._add(plan, limit, text, group)
        return plan

    def _limits(self, scope: str, who: str, instrument: str) -> Iterator[Limit]:
        for kind in Check:
            limit = self._book.limits.of(kind, scope, who, instrument)
            if limit is not None:
                yield limit

    def _add(self, plan: Plan, limit: Limit, scope: str, group: Group | None) -> None:
        kind, instrument = limit.kind, plan.instrument
        if kind is Check.INSTRUMENT:
            plan.uses.append((Row(kind, scope, None, instrument.name), limit))
        elif kind is Check.PRICE_COLLAR:
            plan.collars.append(Row(kind, scope, limit.value, "bp"))
        elif kind is Check.ORDER_QUANTITY:
            plan.quantities.append(Row(kind, scope, limit.value, instrument.base))
        elif kind is Check.ORDER_NOTIONAL:
            plan.notionals.append(Row(kind, scope, limit.value, limit.unit, limit.unit))
        elif kind is Check.ORDER_RATE:
            window = self.window(kind, scope, limit.window_ns)
            plan.rates.append((Row(kind, scope, limit.value, "1"), window))
            plan.windows.append(window)
        elif kind is Check.DUPLICATE:
            plan.duplicate, plan.alike = Row(kind, scope, limit.value, "1"), self._alike_of(scope, limit.window_ns)
        elif kind is Check.SELF_TRADE:
            plan.selves.append((Row(kind, scope, None, ""), self._resting(scope)))
        elif kind is Check.MARGIN:
            plan.margin = Row(kind, scope, limit.value, plan.account.currency)
        elif group is not None:
            self._add_sum(plan, limit, scope, group)

    def _resting(self, scope: str) -> Resting:
        book = self._book
        if scope in book.resting:
            return book.resting[scope]
        made = book.resting_of(scope)
        for account in book.accounts.values():
            for working in account.working.values():
                book.rest(account, working)
        return made

    def _add_sum(self, plan: Plan, limit: Limit, scope: str, group: Group) -> None:
        kind, instrument = limit.kind, plan.instrument
        slot = group.slot(instrument)
        if kind is Check.POSITION:
            plan.positions.append((kind, Row(kind, scope, limit.value, instrument.base), group, slot, None))
        elif kind is Check.CURRENCY_EXPOSURE:
            for currency in (instrument.base, instrument.counter):
                row = Row(kind, scope, limit.value, limit.unit, limit.unit, words=f"exposure to {currency}")
                leg = group.legs[currency]
                plan.currencies.append(((kind, row, group, slot, leg), leg))
        elif kind is Check.CONCENTRATION:
            row = Row(kind, scope, limit.value, "1", limit.unit, limit.floor)
            plan.sums.append((kind, row, group, slot, None))
        elif kind is Check.DAILY_LOSS:
            plan.losses.append((Row(kind, scope, limit.value, limit.unit, limit.unit), group))
        elif kind is Check.OPEN_ORDERS:
            plan.opens.append((Row(kind, scope, limit.value, "1"), group))
        else:
            plan.sums.append((kind, Row(kind, scope, limit.value, limit.unit, limit.unit), group, slot, None))
