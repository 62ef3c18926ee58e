"""Two strategies as a user would write them: nothing but the public SDK.

`MovingAverage` follows one price with market orders, one call each. `Carry` holds what earns interest: it enters its
orders together on a session, each with a stop that limits the loss.
"""

from __future__ import annotations

import collections
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from crossrate.client import AsyncClient, new_order

STOP_SHARE = Decimal("0.01")
"""How far from the price a position's loss is stopped."""


async def deal(client: AsyncClient, account: str, instrument: str, side: str, quantity: int, strategy: str) -> Any:
    """Deals at the market and returns the order when it is over.

    Raises:
        OrderRejected: risk or the kill switch refused it.
    """
    answer = await client.place(account, instrument, side, quantity, strategy=strategy)
    placed = answer.order
    async for report in client.stream_executions(account, after=placed.sequence):
        if report.order.order_id == placed.order_id and report.order.leaves_quantity == "0":
            return report.order
    raise AssertionError("a stream of executions has no end")


@dataclass
class MovingAverage:
    """Long while the mean of the last `fast` mids is at or above that of the last `slow`, short while it is below.

    `quantity` is in units of the base currency; a change of sides deals twice as much.
    """

    client: AsyncClient
    account: str
    instrument: str
    quantity: int
    fast: int = 4
    slow: int = 12
    position: Decimal = Decimal(0)
    """Units of the base currency held, negative for short."""
    orders: int = 0

    def __post_init__(self) -> None:
        self._mids: collections.deque[float] = collections.deque(maxlen=self.slow)

    def wanted(self, mid: float) -> int | None:
        """The position that the prices up to this one ask for; None before there are enough."""
        self._mids.append(mid)
        if len(self._mids) < self.slow:
            return None
        recent = list(self._mids)[-self.fast :]
        up = sum(recent) / self.fast >= sum(self._mids) / self.slow
        return self.quantity if up else -self.quantity

    async def run(self, seconds: float) -> None:
        """Trades for some seconds; an order under way then is waited for."""
        end_s = time.monotonic() + seconds
        async for quote in self.client.stream_quotes([self.instrument]):
            await self._follow((quote.bid + quote.ask) / 2)
            if time.monotonic() > end_s:
                return

    async def _follow(self, mid: float) -> None:
        wanted = self.wanted(mid)
        if wanted is not None and wanted != self.position:
            await self._deal(wanted - self.position)

    async def _deal(self, missing: Decimal) -> None:
        side = "buy" if missing > 0 else "sell"
        order = await deal(self.client, self.account, self.instrument, side, abs(int(missing)), "moving-average")
        self.orders += 1
        self.position += Decimal(order.cum_quantity) * (1 if missing > 0 else -1)


@dataclass
class Carry:
    """Buys the currency of the higher interest against that of the lower one, in each instrument.

    `interest` is the annual rate of each currency. Orders are limits a little through the market, over at once.
    """

    client: AsyncClient
    account: str
    instruments: list[str]
    quantity: int
    interest: Mapping[str, Decimal]
    filled: dict[str, Decimal] = field(default_factory=dict)
    """Units of the base currency by instrument, negative for sold."""

    def earns(self, instrument: str) -> Decimal:
        """What holding the base currency bought earns in a year, as a share; negative if selling it does."""
        base, counter = instrument.split("/")
        return self.interest[base] - self.interest[counter]

    async def order(self, instrument: str) -> Any:
        """The order that takes the position."""
        base, counter = instrument.split("/")
        facts = (await self.client.reference.GetInstrument(base=base, counter=counter)).instrument
        quote = (await self.client.marketdata.GetQuote(base=base, counter=counter)).quote
        buys = self.earns(instrument) > 0
        step = Decimal(1).scaleb(-facts.price_precision)
        price = Decimal(str(quote.ask if buys else quote.bid))
        sign = 1 if buys else -1
        limit = (price + sign * 50 * step).quantize(step, ROUND_HALF_EVEN)
        stop = (price * (1 - sign * STOP_SHARE)).quantize(step, ROUND_HALF_EVEN)
        return new_order(
            self.account,
            instrument,
            "buy" if buys else "sell",
            self.quantity,
            limit_price=limit,
            time_in_force="ioc",
            stop_loss_price=stop,
            strategy="carry",
        )

    async def run(self) -> None:
        """Takes all positions and returns when every order is over."""
        orders = [await self.order(instrument) for instrument in self.instruments]
        async with self.client.session(self.account, "carry") as session:
            results = await session.place(orders)
            open_ids = {result.order_id for result in results}
            async for report in session.executions():
                order = report.order
                if order.order_id in open_ids and order.leaves_quantity == "0":
                    open_ids.discard(order.order_id)
                    sign = 1 if self.earns(order.terms.instrument) > 0 else -1
                    self.filled[order.terms.instrument] = sign * Decimal(order.cum_quantity)
                if not open_ids:
                    return
