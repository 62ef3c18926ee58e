"""LedgerService: what accounts have."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

from google.protobuf.timestamp_pb2 import Timestamp

from crossrate.api.common.v1 import stream_pb2
from crossrate.api.ledger.v1 import booked_trades_pb2 as trades_pb
from crossrate.api.ledger.v1 import entry_pb2, ledger_events_pb2
from crossrate.api.ledger.v1 import ledger_service_pb2 as pb
from crossrate.api.ledger.v1.ledger_service_pb2_grpc import LedgerServiceServicer
from crossrate.rpc import errors
from crossrate.rpc.call import current
from crossrate.rpc.values import seconds
from services.ledger import messages
from services.ledger.domain.book import Book
from services.ledger.domain.valuation import MarginTerms
from services.ledger.market import Market
from services.ledger.proof import Rebuild
from services.ledger.service.balances import balances_of, equity_of, margin_terms, positions_of, profit_of
from services.ledger.service.failures import failures
from services.ledger.settings import Settings
from services.ledger.store.books import Books, Kept, UnknownAccount

PAGE_DEFAULT = 100
PAGE_MAX = 1000
HEARTBEAT_S = 15.0
INTERVAL_S = 1.0
_ALL_NS = (1 << 63) - 1


class LedgerService(LedgerServiceServicer):
    """Answers every call of the contract."""

    def __init__(self, books: Books, market: Market, settings: Settings) -> None:
        self._books = books
        self._market = market
        self._settings = settings

    async def GetBalances(self, request: pb.GetBalancesRequest, context) -> pb.GetBalancesResponse:
        """See the contract."""
        kept = await self._kept(request.account)
        return pb.GetBalancesResponse(balances=balances_of(kept, self._terms(kept), self._market))

    async def ListPositions(self, request: pb.ListPositionsRequest, context) -> pb.ListPositionsResponse:
        """See the contract."""
        kept = await self._kept(request.account)
        return pb.ListPositionsResponse(
            positions=positions_of(kept, request.instrument, self._market),
            last_entry=kept.book.last_entry,
            execution_sequence=kept.execution_sequence,
        )

    async def ListPostings(self, request: pb.ListPostingsRequest, context) -> pb.ListPostingsResponse:
        """See the contract."""
        await self._kept(request.account)
        entries, more = await self._entries(
            request.account, request.after_sequence, request.page_size or PAGE_DEFAULT, None, None, request.references
        )
        return pb.ListPostingsResponse(entries=entries, next_after_sequence=more)

    async def ListTrades(self, request: trades_pb.ListTradesRequest, context) -> trades_pb.ListTradesResponse:
        """See the contract."""
        with failures():
            kept = await self._books.get(request.account)
            trades = await self._books.trades(request.account, request.venue_exec_ids)
        found = [each for each in trades if each.counterparty == f"venue:{request.venue}"]
        return trades_pb.ListTradesResponse(trades=found, fault=kept.fault if kept is not None else "")

    async def GetStatement(self, request: pb.GetStatementRequest, context) -> pb.GetStatementResponse:
        """See the contract."""
        kept = await self._kept(request.account)
        until_ns = _ns(request.as_of) if request.HasField("as_of") else _ALL_NS
        answer = pb.GetStatementResponse(book=messages.book_message(await self._as_of(kept, until_ns)))
        if request.HasField("since"):
            since_ns = _ns(request.since)
            if since_ns > until_ns:
                raise errors.invalid(("since", "is after as_of"))
            answer.opening.CopyFrom(messages.book_message(await self._as_of(kept, since_ns)))
            entries, more = await self._entries(request.account, 0, PAGE_MAX, until_ns, since_ns)
            answer.entries.extend(entries)
            answer.next_after_sequence = more
        return answer

    async def GetProfitAndLoss(self, request: pb.GetProfitAndLossRequest, context) -> pb.GetProfitAndLossResponse:
        """See the contract."""
        kept = await self._kept(request.account)
        before = await self._as_of(kept, _ns(request.since)) if request.HasField("since") else None
        rows, total, unvalued = profit_of(kept, before, self._market)
        return pb.GetProfitAndLossResponse(by_currency=rows, total=total, unvalued=unvalued)

    async def ListEquity(self, request: pb.ListEquityRequest, context) -> pb.ListEquityResponse:
        """See the contract."""
        with failures():
            last_entry = await self._books.last_entry()
            size = request.page_size or PAGE_MAX
            if request.accounts:
                size = len(request.accounts)
                found = await self._books.several(list(request.accounts), request.after_entry)
            else:
                found = await self._books.page(request.page_token, size + 1, request.after_entry)
        more = found[size - 1].account.account if len(found) > size else ""
        market = self._market if request.include_margin else None
        told = [equity_of(kept, self._terms(kept), market) for kept in found[:size]]
        return pb.ListEquityResponse(equities=told, next_page_token=more, last_entry=last_entry)

    async def StreamBalances(
        self, request: pb.StreamBalancesRequest, context
    ) -> AsyncIterator[pb.StreamBalancesResponse]:
        """See the contract."""
        interval_s = seconds(request.interval) if request.HasField("interval") else INTERVAL_S
        ending, clock = current().ending, asyncio.get_running_loop().time
        sequence, sent, last, silent_since = 0, 0, None, clock()
        while not ending.is_set():
            kept = await self._kept(request.account)
            balances = balances_of(kept, self._terms(kept), self._market)
            for mark in balances.marks:
                mark.ClearField("receive_time")
            encoded = balances.SerializeToString(deterministic=True)
            if encoded != last or clock() - silent_since >= HEARTBEAT_S:
                sequence += 1
                position = stream_pb2.StreamPosition(sequence=sequence, cursor=str(kept.book.last_entry))
                answer = pb.StreamBalancesResponse(position=position)
                if encoded != last:
                    answer.balances.CopyFrom(balances)
                    sent += 1
                else:
                    answer.heartbeat.server_time.GetCurrentTime()
                yield answer
                last, silent_since = encoded, clock()
                if sent == request.max_messages:
                    return
            waiting = asyncio.ensure_future(ending.wait())
            await asyncio.wait([waiting], timeout=interval_s)
            waiting.cancel()

    def _terms(self, kept: Kept) -> MarginTerms:
        return margin_terms(kept, self._settings)

    async def _kept(self, account: str) -> Kept:
        with failures():
            kept = await self._books.get(account)
            if kept is None:
                raise UnknownAccount(account)
            return kept

    async def _entries(
        self,
        account: str,
        after: int,
        size: int,
        until_ns: int | None,
        after_ns: int | None,
        references: Sequence[str] = (),
    ) -> tuple[list[entry_pb2.Entry], int]:
        with failures():
            found = await self._books.entries(
                account, after, size + 1, until_ns=until_ns, after_ns=after_ns, references=references
            )
        entries = [ledger_events_pb2.EntryPosted.FromString(payload).entry for payload in found]
        return entries[:size], entries[size - 1].sequence if len(entries) > size else 0

    async def _as_of(self, kept: Kept, until_ns: int) -> Book:
        """The book as its entries up to a moment make it."""
        rebuild, after, name = Rebuild(), 0, kept.account.account
        while True:
            with failures():
                page = await self._books.entries(name, after, PAGE_MAX, until_ns=until_ns)
            for payload in page:
                entry = messages.entry_of(ledger_events_pb2.EntryPosted.FromString(payload).entry)
                if wrong := rebuild.add(entry, kept.account):
                    raise AssertionError(f"the journal does not hold: {'; '.join(wrong)}")
                after = entry.sequence
            if len(page) < PAGE_MAX:
                return rebuild.books.get(name) or messages.new_book(kept.account)
            await asyncio.sleep(0)  # Others are served in between.


def _ns(moment: Timestamp) -> int:
    return moment.seconds * messages.NS + moment.nanos
