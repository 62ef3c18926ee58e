"""What the checks know of the market: quotes, and which instruments may be traded.

Everything comes by RPC and is kept in memory; whatever is away too long makes the checks refuse, never pass.
"""

from __future__ import annotations

import asyncio
import math
import time
from typing import Any

from crossrate.api.marketdata.v1 import quote_pb2
from crossrate.api.marketdata.v1.marketdata_service_pb2_grpc import MarketDataServiceStub
from crossrate.api.reference.v1 import reference_service_pb2 as reference_pb
from crossrate.api.reference.v1.reference_service_pb2_grpc import ReferenceServiceStub
from crossrate.basics.instrument import CONVENTIONS
from crossrate.client.quotes import Gap, QuoteStream, Resumption
from crossrate.rpc.client import CallError, ContractChannel
from services.risk.domain.pretrade.market import Market

STREAM_INSTRUMENTS_MAX = 200
"""Instruments of one stream of quotes."""
PAGE_SIZE = 1000
REFUSED_PAUSE_S = 2.0
RESUMPTION = Resumption(pause_s_max=1.0, unreachable_s_max=math.inf)


class Quotes:
    """The composites of all instruments that are dealt directly.

    Args:
        conflation_s: how often a quote comes at most.
        silence_s_max: marketdata is not heard after this time without a word; its heartbeats come more often.
    """

    def __init__(
        self, channel: ContractChannel, market: Market, note: Any, *, conflation_s: float, silence_s_max: float
    ) -> None:
        self._stub = MarketDataServiceStub(channel)
        self._market = market
        self._note = note
        self._conflation_s = conflation_s
        self._silence_s_max = silence_s_max
        self._streams: dict[int, QuoteStream] = {}

    async def run(self) -> None:
        """Follows all quotes, until it is cancelled."""
        names = [str(each.pair) for each in CONVENTIONS.values() if each.direct and each.last_trade_date is None]
        parts = [names[at : at + STREAM_INSTRUMENTS_MAX] for at in range(0, len(names), STREAM_INSTRUMENTS_MAX)]
        async with asyncio.TaskGroup() as group:
            for number, part in enumerate(parts):
                group.create_task(self._follow(number, part))
            group.create_task(self._listen(len(parts)))

    async def _follow(self, number: int, names: list[str]) -> None:
        while True:
            stream = QuoteStream(names, self._conflation_s, "", RESUMPTION)
            self._streams[number] = stream
            try:
                async for event in stream.events(self._stub):
                    if not isinstance(event, Gap):
                        self._take(event)
            except CallError as error:
                self._note.warning("marketdata refuses to stream quotes", why=str(error))
            await asyncio.sleep(REFUSED_PAUSE_S)

    async def _listen(self, count: int) -> None:
        while True:
            streams = self._streams.values()
            heard = len(streams) == count and all(
                each.heard and each.silence_s <= self._silence_s_max for each in streams
            )
            if heard != self._market.heard:
                self._market.heard = heard
                self._note.info("marketdata is heard" if heard else "marketdata is not heard: quotes are not LIVE")
            await asyncio.sleep(self._silence_s_max / 16)

    def _take(self, quote: quote_pb2.Quote) -> None:
        self._market.quote(
            quote.instrument,
            quote.bid,
            quote.ask,
            quote_pb2.QuoteHealth.Name(quote.health).removeprefix("QUOTE_HEALTH_"),
            source=quote.source,
            sequence=quote.sequence,
            receive_ns=quote.receive_time.ToNanoseconds(),
        )


class Instruments:
    """Which instruments may be traded, asked of reference again and again.

    Args:
        interval_s: how often.
        stale_s_max: after this time without an answer no instrument may be traded.
    """

    def __init__(
        self, channel: ContractChannel, market: Market, note: Any, *, interval_s: float, stale_s_max: float
    ) -> None:
        self._stub = ReferenceServiceStub(channel)
        self._market = market
        self._note = note
        self._interval_s = interval_s
        self._stale_s_max = stale_s_max

    async def run(self) -> None:
        """Asks, until it is cancelled."""
        answered_s = -math.inf
        while True:
            try:
                await self.ask()
                answered_s = time.monotonic()
                self._market.statuses_known = True
            except CallError as error:
                if time.monotonic() - answered_s > self._stale_s_max and self._market.statuses_known:
                    self._market.statuses_known = False
                    self._note.warning("reference does not answer: nothing may be traded", why=str(error))
            await asyncio.sleep(self._interval_s)

    async def ask(self) -> None:
        """Asks once.

        Raises:
            CallError: reference does not answer.
        """
        token = ""
        while True:
            request = reference_pb.ListInstrumentsRequest(page_size=PAGE_SIZE, page_token=token)
            page = await self._stub.ListInstruments(request)
            for each in page.instruments:
                known = self._market.instruments.get(each.name)
                if known is not None:
                    known.status = each.status
            token = page.next_page_token
            if not token:
                return
