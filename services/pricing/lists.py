"""Pages of what is kept, as messages."""

from __future__ import annotations

from datetime import datetime

from crossrate.api.pricing.v1 import snapshot_list_pb2 as pb
from services.pricing.domain.listing import PAGE_SIZE, Type, key_of, parsed, token_after
from services.pricing.domain.refusal import Refused
from services.pricing.messages import timestamp
from services.pricing.store import Store

MARKET_FIELDS = {"name": Type.TEXT, "version": Type.NUMBER, "create_time": Type.TIME}
SNAPSHOT_FIELDS = {"market": Type.TEXT, "market_version": Type.NUMBER, "as_of": Type.TIME}


async def page_of_markets(store: Store, request: pb.ListMarketsRequest) -> pb.ListMarketsResponse:
    """A page of versions of markets.

    Raises:
        Refused: the filter or the token is none.
        StoreUnavailable: the database is away.
    """
    conditions = parsed(request.filter, MARKET_FIELDS)
    after = None
    if (key := key_of(request.page_token, f"markets {request.filter}", 3)) is not None:
        try:
            after = (datetime.fromisoformat(key[0]), key[1], int(key[2]))
        except (TypeError, ValueError):
            raise Refused("page_token", "is not the next_page_token of an answer") from None
    size = request.page_size or PAGE_SIZE
    rows = await store.markets(conditions, after, size + 1)
    answer = pb.ListMarketsResponse(
        markets=[
            pb.MarketSummary(
                name=each.name,
                version=each.version,
                create_time=timestamp(each.create_time),
                comment=each.comment,
                size_bytes=each.size_bytes,
            )
            for each in rows[:size]
        ]
    )
    if len(rows) > size:
        last = rows[size - 1]
        following = [last.create_time.isoformat(), last.name, str(last.version)]
        answer.next_page_token = token_after(following, f"markets {request.filter}")
    return answer


async def page_of_snapshots(store: Store, request: pb.ListSnapshotsRequest) -> pb.ListSnapshotsResponse:
    """A page of snapshots.

    Raises:
        Refused: the filter or the token is none.
        StoreUnavailable: the database is away.
    """
    conditions = parsed(request.filter, SNAPSHOT_FIELDS)
    key = key_of(request.page_token, f"snapshots {request.filter}", 1)
    size = request.page_size or PAGE_SIZE
    rows = await store.snapshots(conditions, key[0] if key else None, size + 1)
    answer = pb.ListSnapshotsResponse(
        snapshots=[
            pb.SnapshotSummary(
                id=each.id,
                as_of=timestamp(each.as_of),
                market=each.market,
                market_version=each.market_version,
                size_bytes=each.size_bytes,
            )
            for each in rows[:size]
        ]
    )
    if len(rows) > size:
        answer.next_page_token = token_after([rows[size - 1].id], f"snapshots {request.filter}")
    return answer
