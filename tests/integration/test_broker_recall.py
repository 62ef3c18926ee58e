"""Cancels that come before their orders were sent, at a venue that is away."""

from __future__ import annotations

import pytest

from tests.integration.broker_stand import CANCEL, NEW, instruct, instruction, order
from tests.integration.conftest import eventually
from tests.integration.test_broker_fix_venue import trading_at

pytestmark = pytest.mark.integration


async def test_a_cancel_wins_while_the_venue_is_away() -> None:
    """An order that waits for a session ends at once with its cancel; when the venue is back it is not sent, and one
    that was not cancelled is."""
    async with trading_at("unsent_s_max = 60.0") as (running, prime, reader):
        await prime.acceptor.stop()
        await eventually(lambda: not prime.endpoint.standing)
        recalled, waits = order(venue="prime"), order(venue="prime")
        routing = running.routing()
        await routing.Instruct(instruct(instruction(NEW, recalled), instruction(NEW, waits)))
        await routing.Instruct(instruct(instruction(CANCEL, recalled)))
        await reader.until(lambda: reader.kinds(recalled) == ["CANCELLED"])
        assert reader.kinds(waits) == []
        await prime.start()
        await reader.until(lambda: reader.kinds(waits) == ["ACCEPTED"])
        assert len(prime.received_orders) == 1
        assert reader.kinds(recalled) == ["CANCELLED"]
