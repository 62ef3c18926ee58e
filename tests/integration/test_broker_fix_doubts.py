"""What a FIX venue leaves unanswered is answered by what it tells next, or by asking it."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

import pytest

from crossrate.fix.orders import OrderCancelReplaceRequest
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
