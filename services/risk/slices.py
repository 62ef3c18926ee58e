"""Closing positions slice by slice, each within a price bound, by orders that only reduce.

    position ──▶ at most one slice, at most one order at a time ──▶ market IOC with a bound ──▶ look again

A slice that finds nothing within the bound is cancelled by its venue, and the next one is bounded by the quote of that
moment: the close-out follows the market, it does not chase through it. What is sent is written down before, so that a
successor repeats an order that it cannot know to be there under the same id, and never sends a second one.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any

from crossrate.api.common.v1 import gate_pb2
from crossrate.api.risk.v1 import kill_switch_pb2
from crossrate.api.trading.v1 import order_pb2
from crossrate.basics.instrument import CONVENTIONS
from services.risk.domain.pretrade.accounts import Account, Book
from services.risk.domain.pretrade.amounts import PRICE_SCALE, RATE_SCALE, SCALE, price_text, text_of
from services.risk.domain.pretrade.orders import FINAL
from services.risk.trading_peer import Trading

STEPS_MAX = 1000
"""Steps that a record has room for; the oldest give way."""
_NAMES = uuid.UUID("6f1c8f7e-4f0e-5c86-9d2b-2f6c1e7a9b11")
"""Names of the requests are made in this space."""
_ID = re.compile("[0-9a-f-]{36}")


@dataclass(frozen=True, slots=True)
class Held:
    """A position: units of the base currency in ten-thousandths, negative for short."""

    account: str
    instrument: str
    position_id: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Record:
    """Where the steps of a close-out are written down.

    Args:
        prefix, name: begin the client's ids of its orders.
        text: why, for the orders.
        steps: a repeated field of a message.
        keep: has that message written down.
    """

    prefix: str
    name: str
    text: str
    steps: Any
    keep: Callable[[], Awaitable[None]]

    def of(self, held: Held) -> list[kill_switch_pb2.FlattenStep]:
        """The steps of a position."""
        key = held.account, held.instrument, held.position_id
        return [each for each in self.steps if (each.account, each.instrument, each.position_id) == key]

    def append(self, step: kill_switch_pb2.FlattenStep) -> kill_switch_pb2.FlattenStep:
        """Adds a step; returns it as it is in the message."""
        if len(self.steps) >= STEPS_MAX:
            del self.steps[0]
        self.steps.append(step)
        return self.steps[-1]


class Slices:
    """See the module.

    Args:
        slice_max: the most of one order, in ten-thousandths of the reporting currency.
        bound_bp: how far beyond the quote a slice may deal, in basis points.
        now_ns: the clock, ns since 1970, UTC.
    """

    def __init__(
        self, book: Book, trading: Trading, now_ns: Callable[[], int], *, slice_max: int, bound_bp: int
    ) -> None:
        self._book = book
        self._trading = trading
        self._now_ns = now_ns
        self._slice_max = slice_max
        self._bound_bp = bound_bp
        self._reported: dict[str, int] = {}
        """By account the report by which its last slice had ended: a position is looked at after that alone."""

    async def settled(self, record: Record) -> bool:
        """Whether no slice of a record is under way, and what the last ones did has come with the reports.

        Raises:
            CallError: trading does not answer; trying again is safe.
            StoreError: how a slice ended could not be written down.
        """
        under_way = [each for each in record.steps if each.client_order_id and not each.outcome]
        if under_way:
            await self._over(record, under_way[0])
            return False
        accounts = {each.account for each in record.steps}
        return all(self._book.account(name).sequence >= self._reported.get(name, 0) for name in accounts)

    async def close(self, record: Record, held: Held, most: int | None = None) -> bool:
        """One slice of a position that has none under way: at most `most`, in ten-thousandths, None for all of it.

        Returns:
            False if no order can close what is left of the position.

        Raises:
            CallError: trading does not answer; trying again is safe.
            StoreError: the step could not be written down.
        """
        last = next((each for each in reversed(record.of(held)) if each.client_order_id), None)
        if last is not None and not await self._over(record, last):
            return True
        if self._book.account(held.account).sequence < self._reported.get(held.account, 0):
            return True
        return await self._slice(record, held, most)

    async def _over(self, record: Record, step: kill_switch_pb2.FlattenStep) -> bool:
        """Whether a slice has ended; one that may not have arrived is sent again under its id."""
        if step.outcome:
            return True
        order = await self._trading.order(step.account, step.client_order_id)
        if order is None:
            order = await self._trading.place(self._order(record, step), _request_id(step))
        if order.status not in FINAL:
            return False
        status = order_pb2.OrderStatus.Name(order.status).removeprefix("ORDER_STATUS_")
        self._reported[step.account] = max(order.sequence, self._reported.get(step.account, 0))
        step.outcome = f"{status}, {order.cum_quantity} filled"
        if order.reason_text:
            step.outcome += f": {order.reason_text[:300]}"
        await record.keep()
        # The position is looked at after the fill has come with the reports, so not in this step.
        return False

    async def _slice(self, record: Record, held: Held, most: int | None) -> bool:
        market, buys = self._book.market, held.quantity < 0
        made = market.instruments[held.instrument]
        why = market.why_not_live(made, self._now_ns())
        if not why and not market.is_open(made, self._now_ns()):
            why = "the market is closed"
        if why:
            await self._wait(record, held, f"{why}: waits")
            return True
        amount = self._amount(held, most)
        words = "" if amount else f"{text_of(held.quantity)} is below the smallest quantity: close it by hand"
        if held.position_id and not _ID.fullmatch(held.position_id):
            words = f"the position {held.position_id} is a share of a block, which no order can name: close it by hand"
        if words:
            await self._wait(record, held, words)
            return False
        quote = made.ask if buys else made.bid
        bound = quote + (1 if buys else -1) * quote * self._bound_bp // 10_000
        tick = PRICE_SCALE // 10 ** CONVENTIONS[made.pair].price_places
        step = self._step(held)
        number = 1 + sum(bool(each.client_order_id) for each in record.steps)
        step.client_order_id = f"{record.prefix}-{record.name}-{held.instrument.replace('/', '')}-{number}"
        step.quantity, step.price_bound = text_of(amount if buys else -amount), price_text(bound // tick * tick)
        step = record.append(step)
        await record.keep()
        await self._trading.place(self._order(record, step), _request_id(step))
        return True

    def _step(self, held: Held) -> kill_switch_pb2.FlattenStep:
        step = kill_switch_pb2.FlattenStep(
            account=held.account, instrument=held.instrument, position_id=held.position_id
        )
        step.time.FromNanoseconds(self._now_ns())
        return step

    async def _wait(self, record: Record, held: Held, outcome: str) -> None:
        mine = record.of(held)
        if not mine or mine[-1].outcome != outcome:
            record.append(self._step(held)).outcome = outcome
            await record.keep()

    def _amount(self, held: Held, most: int | None) -> int:
        """The next slice of a position, in ten-thousandths: whole steps of the instrument."""
        made = self._book.market.instruments[held.instrument]
        convention = CONVENTIONS[made.pair]
        rate = self._book.market.rates.get(made.base, 0)
        size, least = abs(held.quantity), convention.min_quantity * SCALE
        slice_max = self._slice_max * RATE_SCALE // rate if rate else size
        step = convention.quantity_step * SCALE
        if most is not None:
            # Up to the next whole step, so that what is asked for is reached.
            slice_max = min(slice_max, -(-most // step) * step)
        amount = min(size, max(slice_max, least)) // step * step
        return amount if amount >= least else 0

    def _order(self, record: Record, step: kill_switch_pb2.FlattenStep) -> order_pb2.NewOrder:
        # Trading knows a position by its fills alone: what of it came without one it would cut off. The check before
        # the trade knows all of it, and takes the order only as a reduction as long as the account is stopped.
        moved = (step.instrument, step.position_id) in self._book.account(step.account).movements
        return order_pb2.NewOrder(
            client_order_id=step.client_order_id,
            account=step.account,
            instrument=step.instrument,
            side=order_pb2.SIDE_SELL if step.quantity.startswith("-") else order_pb2.SIDE_BUY,
            quantity=step.quantity.removeprefix("-"),
            order_type=order_pb2.ORDER_TYPE_MARKET,
            time_in_force=order_pb2.TIME_IN_FORCE_IOC,
            price_bound=step.price_bound,
            reduce_only=not moved,
            position_id=step.position_id,
            text=record.text,
        )


def _request_id(step: kill_switch_pb2.FlattenStep) -> str:
    return str(uuid.uuid5(_NAMES, f"{step.account}/{step.client_order_id}"))


def held_by(account: Account, instrument: str = "", strategy: str = "") -> Iterable[Held]:
    """Positions of an account that are not zero, by instrument and position; of one instrument or strategy, or all."""
    sums: dict[tuple[str, str], int] = {}
    for (name, position_id, whose), quantity, _ in account.held():
        if instrument in ("", name) and strategy in ("", whose):
            key = name, position_id
            sums[key] = sums.get(key, 0) + quantity
    return [Held(account.name, *key, quantity) for key, quantity in sorted(sums.items()) if quantity]


def positions(book: Book, scope: gate_pb2.KillScope) -> list[Held]:
    """Positions in the scope of a kill, by account."""
    found: list[Held] = []
    for account in sorted(book.accounts.values(), key=lambda each: each.name):
        if scope.kind == "desk" and account.desk != scope.name:
            continue
        if scope.kind == "account" and account.name != scope.name:
            continue
        instrument, strategy = (scope.name if scope.kind == kind else "" for kind in ("instrument", "strategy"))
        found += held_by(account, instrument, strategy)
    return found
