"""`risk` before a trade: the real service behind real proxies, on a real PostgreSQL, without NATS."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.integration.pretrade_mesh import PreTradeMesh, pretrade_mesh
from tests.integration.trading_stand import order

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def mesh() -> AsyncIterator[PreTradeMesh]:
    """One mesh for all of it."""
    async with pretrade_mesh() as made:
        yield made


async def test_an_order_is_authorised_with_every_check(mesh: PreTradeMesh) -> None:
    """The answer tells limit, value and headroom of each check, the quote that was seen, and the margin."""
    answer = await mesh.trading.place([order("buy", "1000000", "1.1700")])
    (found,) = answer.authorisations
    assert found.authorised
    kinds = {check.kind for check in found.checks}
    assert {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 13, 14, 15, 16, 17, 18, 19} <= kinds
    assert (found.quote_seen.bid, found.quote_seen.ask) == ("1.17", "1.1701")
    assert found.margin_currency == "USD"
    assert answer.gate_version == mesh.trading.gate.version > 0
