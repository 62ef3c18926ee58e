"""Previously quoted orders: the quote is taken of pricing, once, and the deal is booked without a venue."""

from __future__ import annotations

import asyncio
from typing import Any

from crossrate.api.pricing.v1 import quote_pb2
from crossrate.api.trading.v1 import execution_pb2
from crossrate.rpc.errors import Failure
from crossrate.store.errors import StoreError
from services.trading import messages
from services.trading.domain.account import Account, Step
from services.trading.domain.lifecycle import Exec, Reason, Status
from services.trading.domain.order import BUY, Order, OrderType
from services.trading.engine.writer import Writer
from services.trading.peers import Quotes
from services.trading.store import Batch

HOUSE = "house"
"""The venue of deals on our own quotes."""
PAUSE_S_MAX = 2.0


class Taking:
    """Takes quotes for orders that were committed. What was not learned is asked again with the same id, for as long as
    it takes: the order stays PENDING_NEW."""

    def __init__(self, quotes: Quotes, writer: Writer, note: Any) -> None:
        self._quotes = quotes
        self._writer = writer
        self._note = note
        self._running: dict[str, asyncio.Task[None]] = {}

    async def claimed(self, account: Account) -> None:
        """An account is here now: what its last owner may not have learned is asked again."""
        for order in account.orders.values():
            self._look(order)

    def committed(self, batch: Batch) -> None:
        """Orders took a step."""
        for order in batch.orders:
            self._look(order)

    def _look(self, order: Order) -> None:
        quoted = order.terms.order_type is OrderType.PREVIOUSLY_QUOTED
        if quoted and order.status is Status.PENDING_NEW and order.order_id not in self._running:
            task = asyncio.create_task(self._take(order))
            self._running[order.order_id] = task
            task.add_done_callback(lambda _: self._running.pop(order.order_id, None))

    async def _take(self, order: Order) -> None:
        failures = 0
        while True:
            side = quote_pb2.QUOTE_SIDE_BUY if order.side == BUY else quote_pb2.QUOTE_SIDE_SELL
            try:
                # The order's id is the request's: one quote taken, however often it is asked for.
                taken = await self._quotes.take(order.order_id, order.terms.quote_id, side, f"order {order.order_id}")
                await self._writer.work(order.account, self._booked(order.order_id, taken))
                return
            except (Failure, StoreError) as error:
                failures += 1
                self._note.warning(
                    "a quote is not known to be taken; asking again", order=order.order_id, why=str(error)
                )
                await asyncio.sleep(min(PAUSE_S_MAX, 0.05 * 2 ** min(failures, 6)))

    def _booked(self, order_id: str, taken: quote_pb2.ExecutableQuote | str) -> Any:
        def do(account: Account, batch: Batch) -> None:
            order = account.orders.get(order_id)
            if order is None or order.status is not Status.PENDING_NEW:
                return
            if isinstance(taken, str):
                step = Step(Exec.REJECTED, HOUSE, Reason.QUOTE_GONE, taken)
                account.end(order, Exec.REJECTED, step, batch)
                return
            deal = messages.deal_of_fill(fill_of(order, taken))
            account.deal(order, deal, batch, HOUSE)

        return do


def fill_of(order: Order, quote: quote_pb2.ExecutableQuote) -> execution_pb2.Fill:
    """The deal on a quote that was taken."""
    buys = order.side == BUY
    fill = execution_pb2.Fill(
        venue_exec_id=quote.quote_id,
        venue=HOUSE,
        quantity=order.image.terms.quantity,
        price=(quote.offer if buys else quote.bid).px,
        position_id=order.position_id,
    )
    legs = list(quote.legs)
    fill.settl_date.CopyFrom(legs[0].value_date)
    if order.terms.swap:
        near, far = legs[0], legs[-1]
        fill.price = near.offer_px if buys else near.bid_px
        fill.far_price = far.offer_px if buys else far.bid_px
        fill.far_quantity = far.amount.lstrip("-")
        fill.quantity = near.amount.lstrip("-")
        fill.far_settl_date.CopyFrom(far.value_date)
    fill.trade_date.CopyFrom(quote.trade_date)
    fill.venue_time.CopyFrom(quote.end_time)
    fill.market_bid, fill.market_ask = f"{quote.market_bid:.10f}", f"{quote.market_ask:.10f}"
    return fill
