"""What a FIX venue leaves unanswered is answered by what it tells next, or by asking it."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from crossrate.fix.enums import ExecType
from crossrate.fix.orders import OrderCancelReplaceRequest, OrderCancelRequest
from crossrate.store.fix_store import FIX_MIGRATIONS
from crossrate.store.migrations import _LOCK, migrate
from services.broker.venues.fix import PREFIX
from tests.integration.broker_stand import kind_of
from tests.integration.venue_world import World

pytestmark = pytest.mark.integration


@contextlib.asynccontextmanager
async def world() -> AsyncIterator[World]:
    """A venue and broker's adapter of it."""
    made = World(resend_s_max=0.0)
    try:
        yield await made.start()
    finally:
        await made.stop()


async def test_a_cancel_that_is_carried_out_answers_the_order_too() -> None:
    """The venue has said nothing of an order but that it is cancelled: neither order nor cancel stays unanswered."""
    async with world() as made:
        made.house.mute = True
        order_id = await made.enter(100_000)
        await made.until(lambda: len(made.house.orders) == 1)
        await made.cancel(order_id)
        await made.until(lambda: made.kinds(order_id) == ["CANCELLED"])
        await made.settle()


async def test_an_amendment_that_was_lost_and_is_too_old_to_be_sent_again_is_refused() -> None:
    """The line breaks with it: the venue is asked, never had it, and the order goes on as it was, amendable."""
    async with world() as made:
        order_id = await made.enter(100_000)
        await made.until(lambda: made.kinds(order_id) == ["ACCEPTED"])
        (held,) = made.house.orders.values()
        made.house.breaks_at = OrderCancelReplaceRequest
        await made.amend(order_id, 150_000)
        await made.until(lambda: made.kinds(order_id) == ["ACCEPTED", "REPLACE_REJECTED"])
        assert held["qty"] == 100_000
        await made.amend(order_id, 160_000)
        await made.until(lambda: made.kinds(order_id)[2:] == ["REPLACED"])
        assert held["qty"] == 160_000
        await made.settle()


@pytest.mark.parametrize("line", ["breaks", "stands"])
async def test_an_amendment_whose_report_is_passed_over_is_resolved_by_asking(line: str) -> None:
    """The venue carries it out, its report is lost and filled by a gap when it is asked for: the venue is asked under
    the amendment's ClOrdID, the amendment is told once and was sent once, and the order goes on from there."""
    async with world() as made:
        order_id = await made.enter(100_000)
        await made.until(lambda: made.kinds(order_id) == ["ACCEPTED"])
        (held,) = made.house.orders.values()
        made.house.silent_at, made.house.keeps_line = OrderCancelReplaceRequest, line == "stands"
        await made.amend(order_id, 150_000)
        if line == "stands":
            # The gap shows with the venue's next message.
            await made.until(lambda: held["qty"] == 150_000)
            await made.house.deal(held, 1_000)
        await made.until(lambda: "REPLACED" in made.kinds(order_id))
        (replaced,) = [each for each in made.reports[order_id] if kind_of(each) == "REPLACED"]
        assert (held["qty"], replaced.version) == (150_000, made.version)
        assert made.house.amended == 1
        await made.amend(order_id, 160_000)
        await made.until(lambda: made.kinds(order_id).count("REPLACED") == 2)
        assert held["qty"] == 160_000
        await made.settle()


async def test_the_report_that_comes_after_all_is_not_told_again() -> None:
    """A venue that passes a report over may send it later: the amendment was told, and stays told once."""
    async with world() as made:
        order_id = await made.enter(100_000)
        await made.until(lambda: made.kinds(order_id) == ["ACCEPTED"])
        (held,) = made.house.orders.values()
        made.house.silent_at = OrderCancelReplaceRequest
        await made.amend(order_id, 150_000)
        await made.until(lambda: "REPLACED" in made.kinds(order_id))
        await made.house.tell(held, ExecType.REPLACED)
        await made.house.deal(held, 1_000)
        await made.until(lambda: "FILLED" in made.kinds(order_id))
        assert made.kinds(order_id) == ["ACCEPTED", "REPLACED", "FILLED"]
        await made.settle()


async def test_a_venue_that_resets_the_session_is_asked_for_what_it_has_not_answered() -> None:
    """Its Logon with ResetSeqNumFlag comes while the session stands: what it told before cannot be sent again, so
    the order is; it goes on under the new numbers."""
    async with world() as made:
        made.house.mute = True
        order_id = await made.enter(100_000)
        await made.until(lambda: len(made.house.orders) == 1)
        await made.house.renew()
        await made.until(lambda: "ACCEPTED" in made.kinds(order_id))
        assert made.house.received_orders == [f"{PREFIX}1"]
        await made.cancel(order_id)
        await made.until(lambda: "CANCELLED" in made.kinds(order_id))
        await made.settle()


async def test_a_cancel_that_was_under_way_at_a_reset_is_sent_once_more() -> None:
    """The venue never saw it and its numbers cannot show that: it comes again as PossResend, and is carried out."""
    async with world() as made:
        order_id = await made.enter(100_000)
        await made.until(lambda: made.kinds(order_id) == ["ACCEPTED"])
        made.house.drops = OrderCancelRequest
        await made.cancel(order_id)
        await made.until(lambda: made.house.drops is None)
        await made.house.renew()
        await made.until(lambda: made.kinds(order_id) == ["ACCEPTED", "CANCELLED"])
        assert made.house.again == 1
        await made.settle()


class CancelledOnceLocked:
    """A connection of which the caller is cancelled when the server has just carried a statement out."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self.terminate = connection.terminate

    async def execute(self, *statement: Any, **how: Any) -> None:
        """Carries it out; the caller does not see that."""
        await self._connection.execute(*statement, **how)
        raise asyncio.CancelledError


async def test_a_start_that_is_killed_leaves_no_lock_on_its_connection() -> None:
    """An adapter is killed as it gets the lock of migrations: the next one need not wait for it."""
    async with world() as made:
        async with made.database.connection() as connection:
            with pytest.raises(asyncio.CancelledError):
                await migrate(CancelledOnceLocked(connection), "crossrate.store.fix", FIX_MIGRATIONS)
        async with made.database.connection() as one:
            held = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = $1"
            # The server takes a moment to see that the connection is gone.
            end = time.monotonic() + 60.0
            while await one.fetchval(held, _LOCK):
                assert time.monotonic() < end, "the lock stayed"
