"""Transactions over the v20 API: one, a range, since one, and as they come."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

from services.broker.oanda import params, words
from services.broker.oanda.book import Json
from services.broker.oanda.faults import bad_value, no_such
from services.broker.oanda.web import HEARTBEAT_S, Answer, Asking, Door, Handler

PAGE_MAX = 1000
PAGE = 100
CREATES = frozenset(
    [
        "MARKET_ORDER",
        "LIMIT_ORDER",
        "STOP_ORDER",
        "MARKET_IF_TOUCHED_ORDER",
        "TAKE_PROFIT_ORDER",
        "STOP_LOSS_ORDER",
        "TRAILING_STOP_LOSS_ORDER",
    ]
)
TYPES = frozenset(
    {*CREATES, *(f"{each}_REJECT" for each in CREATES), "CREATE", "ORDER_FILL", "ORDER_CANCEL", "ORDER_CANCEL_REJECT"}
    | {"ORDER_CLIENT_EXTENSIONS_MODIFY", "TRADE_CLIENT_EXTENSIONS_MODIFY"}
)
GROUPS: Mapping[str, frozenset[str]] = {
    "ORDER": TYPES - {"CREATE", "TRADE_CLIENT_EXTENSIONS_MODIFY"},
    "ADMIN": frozenset({"CREATE"}),
    "FUNDING": frozenset(),
}
"""Words that stand for several types."""


class History:
    """See the module."""

    def __init__(self, door: Door, of: Callable[[Asking], Awaitable[Any]], streams_end: asyncio.Event) -> None:
        self._door = door
        self._of = of
        self._end = streams_end

    def table(self, here: str) -> list[tuple[str, str, Handler]]:
        """Its paths; the fixed ones before the one with an id."""
        return [
            ("GET", f"{here}/transactions", self.pages),
            ("GET", f"{here}/transactions/idrange", self.range),
            ("GET", f"{here}/transactions/sinceid", self.since),
            ("GET", f"{here}/transactions/stream", self.stream),
            ("GET", f"{here}/transactions/{{transaction}}", self.one),
        ]

    async def one(self, asking: Asking) -> Answer:
        """One transaction."""
        account = await self._of(asking)
        text = asking.path("transaction")
        number = params.number(text) or -1
        found = await account.desk.kept.transactions(number, number)
        if not found:
            raise no_such("Transaction", text)
        return 200, {"transaction": found[0], **self._last(account)}

    async def pages(self, asking: Asking) -> Answer:
        """Where the transactions of a range of times are to be read."""
        account = await self._of(asking)
        query = asking.params
        begin_ns, end_ns = params.moment(query, "from") or 0, params.moment(query, "to") or time.time_ns()
        size = params.bounded(query, "pageSize", PAGE, PAGE_MAX)
        types, given = _types(query)
        ids = await account.desk.kept.range_of(begin_ns, end_ns, types)
        url = asking.request.url
        scheme = asking.request.headers.get("x-forwarded-proto", url.scheme)
        base = f"{scheme}://{url.netloc}{url.path}/idrange"
        more = f"&type={','.join(given)}" if given else ""
        chunks = [ids[i : i + size] for i in range(0, len(ids), size)]
        return 200, {
            "from": words.time_text(begin_ns),
            "to": words.time_text(end_ns),
            "pageSize": size,
            "type": given,
            "count": len(ids),
            "pages": [f"{base}?from={each[0]}&to={each[-1]}{more}" for each in chunks],
            **self._last(account),
        }

    async def range(self, asking: Asking) -> Answer:
        """Transactions from one id to another."""
        account = await self._of(asking)
        first, last = params.whole(asking.params, "from"), params.whole(asking.params, "to")
        if not 1 <= first <= last:
            raise bad_value("from", "at least 1, and not above `to`")
        if last - first >= PAGE_MAX * 10:
            raise bad_value("to", f"at most {PAGE_MAX * 10} transactions at once")
        types, _ = _types(asking.params)
        found = await account.desk.kept.transactions(first, last, types, PAGE_MAX * 10)
        return 200, {"transactions": found, **self._last(account)}

    async def since(self, asking: Asking) -> Answer:
        """Transactions after an id, up to a thousand."""
        account = await self._of(asking)
        after = params.whole(asking.params, "id")
        if after > account.desk.follower.last_transaction:
            raise no_such("Transaction", str(after))
        types, _ = _types(asking.params)
        found = await account.desk.kept.transactions(after + 1, 1 << 62, types, PAGE_MAX)
        return 200, {"transactions": found, **self._last(account)}

    async def stream(self, asking: Asking) -> Any:
        """Transactions as they come, and a heartbeat every five seconds."""
        account = await self._of(asking)
        return self._door.stream(asking, self._told(account))

    async def _told(self, account: Any) -> AsyncIterator[Json]:
        follower = account.desk.follower
        told = follower.last_transaction
        beat_s = time.monotonic()
        while not self._end.is_set():
            for each in await account.desk.kept.transactions(told + 1, 1 << 62, limit=PAGE):
                told = int(each["id"])
                yield each
            if time.monotonic() >= beat_s:
                beat_s = time.monotonic() + HEARTBEAT_S
                now = words.time_text(time.time_ns())
                yield {"type": "HEARTBEAT", "lastTransactionID": str(told), "time": now}
            await follower.after(told, min(1.0, max(0.0, beat_s - time.monotonic())))

    def _last(self, account: Any) -> Json:
        return {"lastTransactionID": str(account.desk.follower.last_transaction)}


def _types(query: Mapping[str, str]) -> tuple[list[str], list[str]]:
    given = [each for each in query.get("type", "").split(",") if each]
    found: set[str] = set()
    for each in given:
        if each not in GROUPS and each not in TYPES:
            raise bad_value("type", f"{each[:40]!r} is no type of transaction here")
        found |= GROUPS.get(each, {each})
    return sorted(found) or (["NONE"] if given else []), given
