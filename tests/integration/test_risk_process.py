"""Risk as a process, beside the real marketdata: value at risk of the reference rates that it asks for page by page.

The way out to marketdata is a link to its socket; what the proxies add on it has tests of its own.
"""

from __future__ import annotations

import grpc
import pytest

from crossrate.api.risk.v1 import book_pb2, measure_pb2, scenario_pb2
from crossrate.api.risk.v1 import risk_service_pb2 as pb
from crossrate.api.risk.v1.risk_service_pb2_grpc import RiskServiceStub
from crossrate.rpc.errors import ErrorReason, failure_of
from tests.integration.test_marketdata_process import Processes, processes

pytestmark = pytest.mark.integration

__all__ = ["processes"]


def request(code: str) -> pb.CalculateVarRequest:
    """A forward on EUR against a currency, over more days than one page has."""
    book = book_pb2.Book(
        markets=[book_pb2.BookMarket(instrument=f"EUR/{code}")],
        reporting_currency="EUR",
        kind=[2],
        market=[0],
        strike=[1.1],
        time=[0.5],
        volatility=[0.1],
        domestic_rate=[0.0],
        foreign_rate=[0.0],
        notional=[1e6],
    )
    return pb.CalculateVarRequest(
        book=book,
        historical=scenario_pb2.HistoricalWindow(days=2_500),
        method=measure_pb2.VAR_METHOD_PLAIN,
        confidence=[0.99],
    )


async def test_value_at_risk_of_marketdata_s_rates(processes: Processes) -> None:
    """The window is 2,500 days long; then the rates in memory serve without marketdata, others say who is away."""
    place = processes.place
    await processes.start("marketdata-1", CROSSRATE_SETTLE_S="0")
    place.outbound_socket("risk").symlink_to(place.service_socket("marketdata-1"))
    await processes.start("risk-1", CROSSRATE_SETTLE_S="0")
    async with grpc.aio.insecure_channel(f"unix:{place.service_socket('risk-1')}") as channel:
        risk = RiskServiceStub(channel)
        found = [each async for each in risk.CalculateVar(request("USD"), timeout=60)]
        result = found[-2].result
        assert result.scenarios == 2_500
        assert 5_000 < result.measures[0].value_at_risk < result.measures[0].expected_shortfall < 50_000
        assert result.end_date == result.market_date
        await processes.stop("marketdata-1")
        again = [each async for each in risk.CalculateVar(request("USD"), timeout=60)]
        assert again[-2].result == result
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            [each async for each in risk.CalculateVar(request("JPY"), timeout=2)]
        assert failure_of(caught.value).reason is ErrorReason.DEPENDENCY_UNAVAILABLE
    await processes.stop("risk-1")
