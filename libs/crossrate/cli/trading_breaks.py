"""The day's books against those of the venues, as broker compares them."""

from __future__ import annotations

import uuid
from typing import Any

from crossrate.api.broker.v1 import break_pb2
from crossrate.client import AsyncClient


async def compared(client: AsyncClient) -> tuple[list[Any], list[str]]:
    """Has every venue compared whole: the runs, and what differs in words."""
    runs, found = [], []
    for venue in (await client.broker.ListVenues()).venues:
        answer = await client.broker.RunReconciliation(request_id=str(uuid.uuid4()), venue=venue.name, whole=True)
        runs.append(answer.run)
        found += [words_of(each) for each in answer.breaks]
    return runs, found


def words_of(found: break_pb2.Break) -> str:
    """A break in one line."""
    kind = break_pb2.BreakType.Name(found.type).removeprefix("BREAK_TYPE_")
    return f"{found.venue} {found.instrument} {kind}: {found.text} ({found.break_id})"
