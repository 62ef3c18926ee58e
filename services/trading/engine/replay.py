"""Requests that were answered before: the same answer, made of what was committed then."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from crossrate.api.trading.v1 import order_entry_pb2 as pb
from crossrate.api.trading.v1 import trading_events_pb2
from crossrate.rpc import errors
from services.trading.engine.work import Entry
from services.trading.store import Reading
from services.trading.store.reading import KnownOrder


class Replays:
    """Finds them."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    async def entries(self, entries: Sequence[Entry]) -> dict[int, Any]:
        """By `id` of an entry that was answered before: its answer, or why it is refused. Of an entry that is known in
        part the known answers are set in it.

        Raises:
            StoreUnavailable: the database is away.
        """
        if not entries:
            return {}
        keys = [key for entry in entries for key in entry.keys]
        known = await self._reading.known_orders(keys)
        found: dict[int, Any] = {}
        for entry in entries:
            there = {each.key: known[each.key] for each in entry.orders if each.key in known}
            if there:
                answer = await self._answer(entry, there)
                if answer is not None:
                    found[id(entry)] = answer
        return found

    async def _answer(self, entry: Entry, there: dict[tuple[str, str], KnownOrder]) -> Any:
        answers: dict[tuple[str, str], Any] = {}
        for each in entry.orders:
            if each.key in there:
                if there[each.key].digest == each.digest:
                    answers[each.key] = await self.placed(each.key[0], there[each.key])
                elif entry.terms.each_alone:
                    answers[each.key] = reused(each.key[1])
                else:
                    return reused(each.key[1])
        if len(there) == len(entry.orders):
            return [answers[key] for key in entry.keys]
        if entry.atomic:
            return reused(next(iter(there))[1])
        entry.known = answers
        return None

    async def placed(self, account: str, known: KnownOrder) -> pb.PlaceOrderResponse:
        """The answer that an order was given when it was entered."""
        event = await self._reading.event(account, known.first_sequence)
        assert event is not None, "an order's first report is in the journal"
        report = trading_events_pb2.ExecutionReported.FromString(event).report
        answer = pb.PlaceOrderResponse.FromString(known.margin)
        answer.order.CopyFrom(report.order)
        answer.checks.extend(report.checks)
        if report.HasField("quote_seen"):
            answer.quote_seen.CopyFrom(report.quote_seen)
        return answer

    async def request(self, account: str, request_id: str, digest: bytes) -> bytes | None:
        """The answer that a request was given before; None for a new one.

        Raises:
            Failure: REQUEST_ID_REUSED: it was another request.
            StoreUnavailable: the database is away.
        """
        found = await self._reading.known_request(account, request_id)
        if found is None:
            return None
        if found[0] != digest:
            raise errors.request_id_reused(request_id)
        return found[1]


def reused(client_order_id: str) -> errors.Failure:
    """The client's id names another order already."""
    failure = errors.request_id_reused(client_order_id)
    failure.message = f"client_order_id {client_order_id!r} was used before for another order: give this one a new id"
    return failure
