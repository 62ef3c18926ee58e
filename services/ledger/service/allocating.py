"""Allocation: shares of a block trade for accounts, each at the block's price and on its value date."""

from __future__ import annotations

from dataclasses import replace

from crossrate.api.ledger.v1 import account_pb2, entry_pb2
from crossrate.api.ledger.v1 import movement_service_pb2 as pb
from crossrate.rpc import errors
from services.ledger import messages
from services.ledger.domain.amounts import quantity, quantity_text
from services.ledger.domain.entry import Entry, Kind, Trade
from services.ledger.service.booking import open_account
from services.ledger.store.books import Kept, Writing


async def allocate(writing: Writing, request: pb.AllocateBlockRequest, who: str) -> pb.AllocateBlockResponse:
    """Books the shares of a block.

    Raises:
        Failure: there is no such trade, it cannot be shared, or the shares are more than what is left of it.
    """
    names = [share.account for share in request.shares]
    if len(set(names)) < len(names) or request.account in names:
        raise errors.invalid(("shares", "each account has one share, and the block account none"))
    block = await open_account(writing, request.account)
    kept = {name: await open_account(writing, name) for name in names}
    trade = await _block(writing, request)
    counterparty = f"block:{request.account}:{request.trade_id}"
    (dealt,) = trade.deals
    side = 1 if dealt.quantity > 0 else -1
    shares = [quantity(share.quantity) for share in request.shares]
    left = abs(dealt.quantity) - await _allocated(writing, request.account, counterparty)
    if sum(shares) > left:
        words = f"{quantity_text(sum(shares))} asked for, {quantity_text(left)} of the block is not allocated"
        raise errors.wrong_state("NOT_ENOUGH_LEFT", f"shares: {words}")
    given = replace(
        trade,
        trade_id=counterparty,
        counterparty=counterparty,
        deals=(replace(dealt, quantity=-side * sum(shares)),),
        commission=0,
        commission_currency="",
    )
    block.post(_entry(request, request.account, given, who))
    for name, share in zip(names, shares, strict=True):
        position_id = counterparty[:64] if _hedges(kept[name]) else ""
        part = replace(given, position_id=position_id, deals=(replace(dealt, quantity=side * share),))
        kept[name].post(_entry(request, name, part, who))
    entries = {entry.account: entry for entry in await writing.flush()}
    told = [messages.entry_message(entries[name]) for name in (request.account, *names)]
    return pb.AllocateBlockResponse(entries=told, unallocated=quantity_text(left - sum(shares)))


def _hedges(kept: Kept) -> bool:
    return kept.account.position_mode == account_pb2.POSITION_MODE_HEDGING


def _entry(request: pb.AllocateBlockRequest, account: str, trade: Trade, who: str) -> Entry:
    return Entry(account, Kind.ALLOCATION, request.request_id, 0, trade=trade, entered_by=who)


async def _block(writing: Writing, request: pb.AllocateBlockRequest) -> Trade:
    message = await writing.connection.fetchval(
        "SELECT message FROM trade WHERE account = $1 AND trade_id = $2 ORDER BY seq DESC LIMIT 1",
        request.account,
        request.trade_id,
    )
    if message is None:
        raise errors.not_found("trade", request.trade_id, f"ListPostings names those of {request.account}")
    trade = messages.trade_of(entry_pb2.Trade.FromString(message))
    if len(trade.deals) > 1:
        raise errors.wrong_state("SWAP", "trade_id: a swap is not shared; allocate its legs as trades of their own")
    return trade


async def _allocated(writing: Writing, account: str, counterparty: str) -> int:
    rows = await writing.connection.fetch(
        "SELECT message FROM trade WHERE account = $1 AND trade_id = $2", account, counterparty
    )
    trades = [messages.trade_of(entry_pb2.Trade.FromString(row["message"])) for row in rows]
    return sum(abs(each.quantity) for trade in trades for each in trade.deals)
