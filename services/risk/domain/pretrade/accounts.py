"""What accounts hold and have working: by what trading reports, and by what was authorised and is not reported yet."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from services.risk.domain.pretrade.groups import Group, Slot
from services.risk.domain.pretrade.limits import Limits
from services.risk.domain.pretrade.market import Market
from services.risk.domain.pretrade.orders import FINAL, Order, Status, Working
from services.risk.domain.pretrade.resting import Resting

FILLS_KEPT_MAX = 10_000
"""Fills of an account that can be taken back or corrected without asking for its whole state."""
ACTIVE, ACCOUNT_CLOSE_ONLY, ACCOUNT_CLOSED = 1, 2, 3
PENDING_NEW, TRADE, PENDING_REPLACE, REPLACED, REPLACE_REJECTED, TRADE_CANCEL, TRADE_CORRECT = 1, 3, 6, 7, 10, 16, 17
"""What reports tell, with the contract's numbers."""

PositionKey = tuple[str, str, str]
"""Instrument, position of a hedging account, strategy."""


@dataclass(frozen=True, slots=True)
class Fill:
    """What a fill moved: units of the base currency (signed), of the counter currency in FINE_SCALE, and its id."""

    key: tuple[str, str]
    position_id: str
    moved: int
    counter: int


@dataclass(slots=True)
class Account:
    """One account.

    Attributes:
        listed: the ledger knows it; desk, currency, margin rate (in millionths) and status are the ledger's.
        funds: by currency, what it has without its trades, in ten-thousandths; None while the ledger has not told.
        call_level, close_out_level: equity over margin used in ten-thousandths, below and at which the account is
            called and closed out; 0 for never.
        known: trading has told its whole state, of which `sequence` is the newest report.
    """

    name: str
    group: Group
    listed: bool = False
    desk: str = ""
    currency: str = ""
    margin_rate: int = 0
    status: int = ACTIVE
    funds: dict[str, int] | None = None
    call_level: int = 0
    close_out_level: int = 0
    known: bool = False
    sequence: int = 0
    positions: dict[PositionKey, list[int]] = field(default_factory=dict)
    movements: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)
    """What of positions no report of trading tells, by instrument and position: shares of blocks."""
    working: dict[str, Working] = field(default_factory=dict)
    oco: dict[tuple[object, ...], dict[str, int]] = field(default_factory=dict)
    children: dict[str, set[str]] = field(default_factory=dict)
    fills: OrderedDict[tuple[str, str], tuple[PositionKey, int, int]] = field(default_factory=OrderedDict)

    def held(self) -> Iterator[tuple[PositionKey, int, int]]:
        """Everything that it holds: by fills, and by movements, which are no strategy's."""
        for key, (quantity, counter) in self.positions.items():
            yield key, quantity, counter
        for (instrument, position_id), (quantity, counter) in self.movements.items():
            yield (instrument, position_id, ""), quantity, counter


class Book:
    """All accounts, and the sums over them that limits need."""

    def __init__(self, market: Market, limits: Limits) -> None:
        self.market = market
        self.limits = limits
        self.accounts: dict[str, Account] = {}
        self.platform = Group("platform", market)
        self.groups: dict[str, Group] = {"platform": self.platform}
        self.resting: dict[str, Resting] = {}
        self.day_marks: dict[str, int] = {}
        """Profit by scope when the day began."""
        self.generation = 0
        """Grows when groups were made anew: whoever kept one looks again."""

    def account(self, name: str) -> Account:
        """An account, known or not."""
        found = self.accounts.get(name)
        if found is None:
            group = Group(f"account:{name}", self.market)
            group.day_mark = self.day_marks.get(group.scope)
            found = self.accounts[name] = Account(name, group)
        return found

    def groups_of(self, account: Account, strategy: str) -> list[Group]:
        """The groups that count what an account does for a strategy."""
        found = [account.group, self.platform]
        for scope, name in (("desk", account.desk), ("strategy", strategy)):
            if name:
                key = f"{scope}:{name}"
                group = self.groups.get(key)
                if group is None and self.limits.keeps_sums_of(scope, name):
                    group = self.groups[key] = Group(key, self.market)
                    group.day_mark = self.day_marks.get(key)
                if group is not None:
                    found.append(group)
        return found

    def resting_of(self, scope: str) -> Resting:
        """Own orders in a book, within a scope of self-trade prevention."""
        found = self.resting.get(scope)
        if found is None:
            found = self.resting[scope] = Resting()
        return found

    def rebuild(self, limits: Limits | None = None) -> None:
        """Makes all sums anew from positions and working orders: after limits changed, or an account its desk."""
        if limits is not None:
            self.limits = limits
        self.generation += 1
        self.platform = Group("platform", self.market)
        self.platform.day_mark = self.day_marks.get("platform")
        self.groups = {"platform": self.platform}
        self.resting = {}
        for account in self.accounts.values():
            account.group = Group(f"account:{account.name}", self.market)
            account.group.day_mark = self.day_marks.get(account.group.scope)
            account.oco = {}
            for (instrument, _, strategy), quantity, counter in account.held():
                self._hold(account, instrument, strategy, quantity, counter)
            for working in account.working.values():
                working.touched, working.reserved, working.counted = [], 0, False
            for working in account.working.values():
                self.settle(account, working)

    def _touched(self, account: Account, instrument: str, strategy: str) -> list[tuple[Group, Slot]]:
        made = self.market.instruments[instrument]
        return [(group, group.slot(made)) for group in self.groups_of(account, strategy)]

    def _hold(self, account: Account, instrument: str, strategy: str, quantity: int, counter: int) -> None:
        for group, slot in self._touched(account, instrument, strategy):
            if quantity:
                group.shift(slot, quantity, 0, 0)
            group.received(slot, counter)

    def settle(self, account: Account, working: Working) -> None:
        """Makes what is reserved for an order what has to be: for the first of a list for the list."""
        order = working.order
        wanted = 0 if self._bounded_by_parent(account, working) else working.wanted
        if order.is_swap:
            wanted = order.moves(wanted)
        if not working.touched:
            working.touched = self._touched(account, order.instrument, order.strategy)
        if not working.counted:
            working.counted = True
            for group, _ in working.touched:
                group.working += 1
        change = wanted - working.reserved
        key = order.oco_key
        if key is not None:
            siblings = account.oco.setdefault((*key, order.strategy), {})
            before = max(siblings.values(), default=0)
            siblings[order.order_id] = wanted
            change = max(siblings.values()) - before
        working.reserved = wanted
        if change and working.direction:
            for group, slot in working.touched:
                group.works(slot, change, working.direction)

    def _bounded_by_parent(self, account: Account, working: Working) -> bool:
        """Whether an order can only close what the order that it waits for will have opened."""
        order = working.order
        if not order.waits_for_parent:
            return False
        parent = account.working.get(order.parent)
        return (
            parent is not None
            and parent.order.instrument == order.instrument
            and parent.direction == -working.direction
            and working.wanted <= parent.order.quantity
        )

    def add(self, account: Account, working: Working) -> None:
        """An order begins to count."""
        order = working.order
        account.working[order.order_id] = working
        if order.parent:
            account.children.setdefault(order.parent, set()).add(order.order_id)
        self.settle(account, working)

    def remove(self, account: Account, order_id: str) -> None:
        """An order counts no more; those that waited for it are reserved by themselves."""
        working = account.working.pop(order_id, None)
        if working is None:
            return
        order = working.order
        change = -working.reserved
        key = order.oco_key
        if key is not None:
            whole = (*key, order.strategy)
            siblings = account.oco.get(whole, {})
            before = max(siblings.values(), default=0)
            siblings.pop(order_id, None)
            change = max(siblings.values(), default=0) - before
            if not siblings:
                account.oco.pop(whole, None)
        if change and working.direction:
            for group, slot in working.touched:
                group.works(slot, change, working.direction)
        if working.counted:
            for group, _ in working.touched:
                group.working -= 1
        for resting in self.resting.values():
            resting.remove(order_id)
        if order.parent:
            of_parent = account.children.get(order.parent)
            if of_parent is not None:
                of_parent.discard(order_id)
                if not of_parent:
                    del account.children[order.parent]
        for child in tuple(account.children.get(order_id, ())):
            if child in account.working:
                self.settle(account, account.working[child])

    def give_up(self, account: Account, order_id: str) -> None:
        """What was authorised for an order and is not committed will not be."""
        working = account.working.get(order_id)
        if working is None:
            return
        if not working.committed:
            self.remove(account, order_id)
            return
        if working.confirmed is not None:
            working.confirmed.filled = working.order.filled
            working.order, working.confirmed = working.confirmed, None
        working.asked = 0
        self.settle(account, working)
        self.rest(account, working)

    def rest(self, account: Account, working: Working) -> None:
        """Makes known to self-trade prevention whether an order stands in a book, and at what price."""
        order = working.order
        for scope in ("platform", f"desk:{account.desk}", f"account:{account.name}"):
            resting = self.resting.get(scope)
            if resting is None:
                continue
            if order.rests:
                resting.put(order.order_id, order.instrument, order.side, order.limit_price)
            else:
                resting.remove(order.order_id)

    def replace_state(
        self,
        account: Account,
        sequence: int,
        orders: Iterable[Order],
        positions: Iterable[tuple[PositionKey, int, int]],
        keep: Iterable[str] = (),
    ) -> None:
        """Takes an account's whole state as trading has it.

        Args:
            keep: orders on their way to their commit that stay reserved: those of the writer that tells the state.
                Another writer's cannot be committed any more.
        """
        kept = set(keep)
        # Those that others wait for go last, so that nobody is reserved by itself in between.
        for order_id in sorted(account.working, key=lambda each: each in account.children):
            if order_id not in kept or account.working[order_id].committed:
                self.remove(account, order_id)
        for (instrument, _, strategy), (quantity, counter) in account.positions.items():
            self._hold(account, instrument, strategy, -quantity, -counter)
        account.positions, account.fills = {}, OrderedDict()
        for key, quantity, counter in positions:
            entry = account.positions.setdefault(key, [0, 0])
            entry[0] += quantity
            entry[1] += counter
            self._hold(account, key[0], key[2], quantity, counter)
        for order in sorted(orders, key=lambda each: bool(each.parent)):
            known = account.working.get(order.order_id)
            working = known or Working(order, order.direction)
            working.order, working.leaves, working.committed = order, order.leaves, True
            working.replacing = order.pending_quantity
            self.add(account, working)
            self.rest(account, working)
        account.sequence, account.known = sequence, True

    def move(self, account: Account, movements: dict[tuple[str, str], tuple[int, int]]) -> None:
        """Takes what moved positions without a report: units of the base currency in ten-thousandths, of the counter
        currency received less paid in FINE_SCALE. It counts from now on, everywhere that fills do."""
        before = account.movements
        if movements == before:
            return
        account.movements = movements
        for key in before.keys() | movements.keys():
            (was, paid), (now, got) = before.get(key, (0, 0)), movements.get(key, (0, 0))
            if (was, paid) != (now, got):
                self._hold(account, key[0], "", now - was, got - paid)

    def report(self, account: Account, sequence: int, exec_type: int, order: Order, fill: Fill | None) -> bool:
        """Takes the account's next report.

        Args:
            order: as it stands after it; of an order that is known, the terms may be its own with a new standing.

        Returns:
            False if what it tells cannot be known without the whole state: the account is not known any more.
        """
        account.sequence = sequence
        if fill is not None and not self._fill(account, exec_type, order, fill):
            account.known = False
            return False
        order_id = order.order_id
        if order.status in FINAL:
            self.remove(account, order_id)
            return True
        working = account.working.get(order_id)
        if working is None:
            working = Working(order, order.direction, committed=True, leaves=order.leaves)
            working.replacing = order.pending_quantity
            self.add(account, working)
            self.rest(account, working)
            return True
        working.order, working.leaves, working.committed, working.confirmed = order, order.leaves, True, None
        if exec_type == PENDING_NEW:
            working.asked = 0
        elif exec_type == PENDING_REPLACE:
            working.replacing = max(working.asked, order.pending_quantity, working.replacing)
            working.asked = 0
        elif order.status != Status.PENDING_REPLACE and exec_type in (REPLACED, REPLACE_REJECTED):
            working.replacing = 0
        self.settle(account, working)
        if exec_type != TRADE:
            self.rest(account, working)
        for child in account.children.get(order_id, ()):
            self.settle(account, account.working[child])
        return True

    def _fill(self, account: Account, exec_type: int, order: Order, fill: Fill) -> bool:
        key = order.instrument, fill.position_id, order.strategy
        if exec_type != TRADE:
            known = account.fills.pop(fill.key, None)
            if known is None and exec_type == TRADE_CORRECT:
                return False
            back = known or (key, fill.moved, fill.counter)
            self._move(account, back[0], -back[1], -back[2])
            if exec_type == TRADE_CANCEL:
                return True
        self._move(account, key, fill.moved, fill.counter)
        account.fills[fill.key] = key, fill.moved, fill.counter
        if len(account.fills) > FILLS_KEPT_MAX:
            account.fills.popitem(last=False)
        return True

    def _move(self, account: Account, key: PositionKey, quantity: int, counter: int) -> None:
        entry = account.positions.setdefault(key, [0, 0])
        entry[0] += quantity
        entry[1] += counter
        if not entry[0] and not entry[1]:
            del account.positions[key]
        self._hold(account, key[0], key[2], quantity, counter)
