"""What risk asks of marketdata: the daily reference rates of currencies, kept in memory for a while."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Protocol

import grpc
import numpy as np

from crossrate.api.marketdata.v1 import marketdata_service_pb2 as pb
from crossrate.api.marketdata.v1.marketdata_service_pb2_grpc import MarketDataServiceStub
from crossrate.rpc import errors
from crossrate.rpc.client import CallError
from services.risk.domain.rates import NUMERAIRE, Series

CALLS_MAX = 4
"""Pages asked for at once by this instance."""
PAGE_SIZE = 1_000

Key = tuple[str, str]
"""A currency and a daily source."""


class ReferenceRates(Protocol):
    """Where daily reference rates come from."""

    async def series(self, currencies: Iterable[str], source: str = "") -> dict[str, Series]:
        """All rates of each currency against the euro, from a daily source; "" for the European Central Bank's.

        Raises:
            Failure: NOT_FOUND if a currency has none or there is no such source, WRONG_STATE if the source is empty,
                DEPENDENCY_UNAVAILABLE if they cannot be had.
        """
        ...


class MarketData:
    """The marketdata service, seen from here.

    Args:
        channel: the way to it.
        kept_s: how long rates are used before they are asked for again.
        now: seconds that only go forward.
    """

    def __init__(self, channel: grpc.aio.Channel, kept_s: float, now: Callable[[], float]) -> None:
        self._stub = MarketDataServiceStub(channel)
        self._kept_s = kept_s
        self._now = now
        self._turn = asyncio.Semaphore(CALLS_MAX)
        self._locks: dict[Key, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._kept: dict[Key, tuple[float, Series]] = {}

    async def series(self, currencies: Iterable[str], source: str = "") -> dict[str, Series]:
        """See ReferenceRates."""
        codes = sorted(set(currencies))
        async with asyncio.TaskGroup() as group:
            asked = [group.create_task(self._one(code, source)) for code in codes]
        found: dict[str, Series] = {}
        for code, task in zip(codes, asked, strict=True):
            one = task.result()
            if isinstance(one, errors.Failure):
                raise one
            found[code] = one
        return found

    async def _one(self, code: str, source: str) -> Series | errors.Failure:
        # The lock makes one question of those that come together.
        key = code, source
        async with self._locks[key]:
            kept = self._kept.get(key)
            if kept is not None and self._now() - kept[0] < self._kept_s:
                return kept[1]
            try:
                found = await self._pages(code, source)
            except CallError as error:
                if error.reason == "NOT_FOUND":
                    return errors.not_found("daily rates", f"{code} from {source}" if source else code)
                if error.reason == "WRONG_STATE":
                    return errors.wrong_state("EMPTY", error.message)
                return errors.dependency_unavailable("marketdata")
            self._kept[key] = self._now(), found
            return found

    async def _pages(self, code: str, source: str) -> Series:
        days: list[int] = []
        rates: list[float] = []
        token = ""
        while True:
            request = pb.ListDailyRatesRequest(
                base=NUMERAIRE, counter=code, page_size=PAGE_SIZE, page_token=token, source=source
            )
            async with self._turn:
                page = await self._stub.ListDailyRates(request)
            for each in page.rates:
                days.append(dt.date(each.date.year, each.date.month, each.date.day).toordinal())
                rates.append(each.rate)
            token = page.next_page_token
            if not token:
                break
        epoch = dt.date(1970, 1, 1).toordinal()
        return Series((np.array(days, np.int64) - epoch).astype("datetime64[D]"), np.array(rates))
