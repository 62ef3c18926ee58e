"""`risk`: every call of its contract through a real server, on the real reference rates."""

from __future__ import annotations

import asyncio
import datetime as dt
import shutil
import tempfile
import threading
from collections.abc import AsyncIterator, Awaitable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import numpy as np
import pytest
import pytest_asyncio
from google.type.date_pb2 import Date

from crossrate.api.common.v1 import stream_pb2
from crossrate.api.risk.v1 import book_pb2, measure_pb2, scenario_pb2, stress_pb2
from crossrate.api.risk.v1 import risk_service_pb2 as pb
from crossrate.api.risk.v1.risk_service_pb2_grpc import RiskServiceStub, add_RiskServiceServicer_to_server
from crossrate.basics.scenarios import SCENARIOS
from crossrate.kernel import path, vanilla
from crossrate.rpc import arrays, errors
from crossrate.rpc.errors import ErrorReason, Failure, failure_of
from crossrate.rpc.server import Server
from crossrate.runtime.process import RuntimeSettings, open_runtime
from crossrate.runtime.topology import Service, Topology
from services.marketdata import ecb
from services.marketdata.domain.history import History
from services.risk.domain.rates import Series
from services.risk.service import RiskService
from services.risk.worker import Revaluation, Worker
from tests.integration.conftest import Servers, eventually

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

TOPOLOGY = Topology(services={"control": Service(), "risk": Service()})
CELLS = 2_000
END = dt.date(2024, 8, 30)


@dataclass
class Published:
    """Marketdata's own history, without the way to it."""

    history: History
    away: bool = False
    others: dict[str, History] = field(default_factory=dict)

    async def series(self, currencies: Iterable[str], source: str = "") -> dict[str, Series]:
        """See the service's port."""
        if self.away:
            raise errors.dependency_unavailable("marketdata")
        history = self.others[source] if source else self.history
        first, last = history.dates[0], history.dates[-1]
        return {code: Series(*history.days("EUR", code, first, last)) for code in currencies}


@dataclass
class Served:
    """A running instance, a client of its socket, and what stands behind it."""

    risk: RiskServiceStub
    rates: Published
    worker: Worker
    channel: grpc.aio.Channel


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def serving() -> AsyncIterator[Served]:
    """The service as its main wires it, with slices of a few scenarios, called as the local operator."""
    folder = Path(tempfile.mkdtemp(prefix="xr-"))
    servers = Servers(folder, TOPOLOGY)
    try:
        servers.issue()
        runtime = open_runtime(RuntimeSettings(service="risk", instance="risk-1", settle_s=0), servers.place)
        rates, worker = Published(ecb.load()), Worker(1, CELLS, 5.0)
        server = Server(runtime)
        server.add(add_RiskServiceServicer_to_server, RiskService(rates, worker))
        running = asyncio.create_task(server.serve())
        async with grpc.aio.insecure_channel(f"unix:{server.socket}") as channel:
            await asyncio.wait_for(channel.channel_ready(), 60)
            await eventually(lambda: servers.place.registration("risk-1").exists())
            yield Served(RiskServiceStub(channel), rates, worker, channel)
        runtime.stopping.set()
        await asyncio.wait_for(running, 60)
        worker.close()
    finally:
        await asyncio.to_thread(servers.remove)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def served(serving: Served) -> Served:
    """The service with marketdata there."""
    serving.rates.away, serving.worker.slices, serving.worker._cells_per_s = False, 0, 0.0
    return serving


def book(count: int = 1, **columns: list[float]) -> book_pb2.Book:
    """A forward at zero rates, which is as good as spot, on EUR/USD; reported in dollars."""
    message = book_pb2.Book(markets=[book_pb2.BookMarket(instrument="EUR/USD")], reporting_currency="USD")
    own = {"kind": [2], "market": [0], "strike": [1.1], "time": [0.5], "volatility": [0.1]}
    own |= {"domestic_rate": [0.0], "foreign_rate": [0.0], "notional": [1e6] * count} | columns
    dtypes = {"kind": np.int32, "market": np.uint32}
    return arrays.put(message, **{n: np.array(v, dtypes.get(n, np.float64)) for n, v in own.items()})


def var(days: int = 500, **other: object) -> pb.CalculateVarRequest:
    """Plain value at risk of the forward at 99 percent, up to a day of the past."""
    window = scenario_pb2.HistoricalWindow(days=days, end_date=Date(year=END.year, month=END.month, day=END.day))
    request = pb.CalculateVarRequest(
        book=book(), historical=window, method=measure_pb2.VAR_METHOD_PLAIN, confidence=[0.99], include_profits=True
    )
    for name, value in other.items():
        if isinstance(value, list):
            request.ClearField(name)
            getattr(request, name).extend(value)
        elif isinstance(value, int | float):
            setattr(request, name, value)
        else:
            getattr(request, name).CopyFrom(value)
    return request


async def messages(
    served: Served, request: pb.CalculateVarRequest, timeout_s: float = 60.0
) -> list[pb.CalculateVarResponse]:
    """All messages of a stream."""
    return [each async for each in served.risk.CalculateVar(request, timeout=timeout_s)]


async def result(served: Served, request: pb.CalculateVarRequest) -> measure_pb2.VarResult:
    """The result of a calculation, which stands before the end."""
    found = await messages(served, request)
    assert found[-1].end.reason == stream_pb2.STREAM_END_REASON_COMPLETE
    return found[-2].result


async def failure(call: Awaitable[object]) -> Failure:
    """The failure that a call ends with."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    found = failure_of(caught.value)
    assert found is not None, caught.value
    return found


def euro_dollar(history: History, days: int) -> np.ndarray:
    """The last rates up to END, one more than the moves between them."""
    return history.days("EUR", "USD", history.dates[0], np.datetime64(END))[1][-days - 1 :]


async def test_value_at_risk_is_that_of_the_reference_rates(served: Served) -> None:
    """A million euro at zero rates loses a million times the fall of the rate; its quantile is an order statistic."""
    found = await result(served, var())
    rates = euro_dollar(served.rates.history, 500)
    expected = 1e6 * rates[-1] * (rates[1:] / rates[:-1] - 1.0)
    assert np.allclose(found.profit, expected, rtol=0, atol=1e-6)
    losses = np.sort(-expected)
    (measure,) = found.measures
    # Of 500 losses the 495th is the least with a distribution function of 0.99; five are the worst hundredth.
    assert measure.value_at_risk == pytest.approx(losses[494], rel=1e-9)
    assert measure.expected_shortfall == pytest.approx(losses[-5:].mean(), rel=1e-9)
    assert (found.end_date.year, found.end_date.month, found.end_date.day) == (END.year, END.month, END.day)
    assert (found.market_date, found.scenarios) == (found.end_date, 500)
    assert (found.reporting_currency, found.rounding_class) == ("USD", path.rounding_class())
    assert found.worst[0].profit == pytest.approx(-losses[-1], rel=1e-9)
    assert not found.measures[0].component_value_at_risk


async def test_progress_comes_slice_by_slice(served: Served) -> None:
    """Positions of messages count from one; progress grows to the total; the result is the last before the end."""
    found = await messages(served, var(book=book(20)))
    assert [each.position.sequence for each in found] == list(range(1, len(found) + 1))
    progress = [each.progress.scenarios_done for each in found if each.HasField("progress")]
    assert progress == [*range(0, 500, 64), 500]
    assert served.worker.slices == 8
    assert found[-2].HasField("result")


async def test_slices_change_no_bit(served: Served) -> None:
    """Twenty positions, valued in eight slices, make to the bit what pieces of the window make of their own."""
    options = {"kind": [0, 1, 2, 1] * 5, "strike": np.linspace(0.9, 1.3, 20).tolist()}
    whole = await result(served, var(book=book(20, **options)))
    part = await result(served, var(days=100, book=book(20, **options)))
    assert list(whole.profit)[-100:] == list(part.profit)


async def test_components_add_up_and_profits_are_converted(served: Served) -> None:
    """A book of two pairs in yen: what the pairs add to each measure is the measure."""
    own = book(2, market=[0, 1], notional=[1e6, -5e5])
    own.markets.add(instrument="GBP/USD")
    own.reporting_currency = "JPY"
    found = await result(served, var(book=own, confidence=[0.95, 0.99], include_components=True))
    for each in found.measures:
        assert sum(each.component_value_at_risk) == pytest.approx(each.value_at_risk, rel=1e-9)
        assert sum(each.component_expected_shortfall) == pytest.approx(each.expected_shortfall, rel=1e-9)
    history = served.rates.history
    first, last = history.dates[0], np.datetime64(END)
    yen, pounds, dollars = (history.days("EUR", code, first, last)[1][-501:] for code in ("JPY", "GBP", "USD"))
    worth = 1e6 * (1 - 1.1 / dollars) * yen - 5e5 * (1 / pounds - 1.1 / dollars) * yen
    # The last scenario is the last day's moves on the last day's rates.
    now, before = slice(-1, None), slice(-2, -1)
    moved = {
        name: rates[now] * rates[now] / rates[before] for name, rates in (("y", yen), ("g", pounds), ("d", dollars))
    }
    then = 1e6 * (1 - 1.1 / moved["d"]) * moved["y"] - 5e5 * (1 / moved["g"] - 1.1 / moved["d"]) * moved["y"]
    assert found.profit[-1] == pytest.approx(float(then[0] - worth[-1]), rel=1e-9)


async def test_methods_differ_as_they_say(served: Served) -> None:
    """Age weights leave the profits as they are; filtered returns keep their signs; both move the measures."""
    plain = await result(served, var())
    aged = await result(served, var(method=measure_pb2.VAR_METHOD_AGE_WEIGHTED, decay=0.97))
    filtered = await result(served, var(method=measure_pb2.VAR_METHOD_VOLATILITY_FILTERED))
    assert list(aged.profit) == list(plain.profit)
    assert aged.measures[0].value_at_risk != plain.measures[0].value_at_risk
    assert not aged.measures[0].HasField("expected_shortfall_error")
    assert np.array_equal(np.sign(filtered.profit), np.sign(plain.profit))
    assert filtered.measures[0].value_at_risk != plain.measures[0].value_at_risk


async def test_given_scenarios_need_nobody(served: Served) -> None:
    """With spot rates and scenarios of its own a book is calculated while marketdata is away; else the call says so."""
    served.rates.away = True
    own = book(kind=[1], strike=[1.0])
    own.markets[0].spot = 1.1
    returns = np.linspace(-0.05, 0.05, 100)
    given = scenario_pb2.GivenScenarios(count=100, spot_return=returns.tolist(), volatility_shift=[0.01] * 100)
    found = await result(served, var(book=own, given=given))

    def worth(spot: np.ndarray, volatility: float) -> np.ndarray:
        return 1e6 * vanilla.price(1, spot, 1.0, 0.5, volatility, 0.0, 0.0)

    assert np.allclose(found.profit, worth(1.1 * np.exp(returns), 0.11) - worth(np.array(1.1), 0.1), rtol=0, atol=1e-6)
    assert not found.HasField("start_date")
    assert not found.HasField("market_date")
    assert (await failure(messages(served, var()))).reason is ErrorReason.DEPENDENCY_UNAVAILABLE


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (var(book=book(3, market=[0, 0, 1])), "book.market[2]"),
        (var(book=book(3, strike=[1.0, 1.1])), "book.strike"),
        (var(days=50), "confidence[0]"),
        (var(days=10_000), "historical.days"),
        (var(decay=0.9), "decay"),
        (var(candidate=[0, 1]), "candidate"),
        (var(book=book(2), candidate=[0, 2]), "candidate"),
        (var(method=measure_pb2.VAR_METHOD_DELTA_NORMAL), "method"),
        (var(given=scenario_pb2.GivenScenarios(count=100, spot_return=[0.0] * 99)), "given.spot_return"),
    ],
)
async def test_what_does_not_fit_is_refused(served: Served, request_: pb.CalculateVarRequest, field: str) -> None:
    """The field is named, with the index of its first bad element, and nothing is valued."""
    found = await failure(messages(served, request_))
    assert found.reason is ErrorReason.INVALID_REQUEST
    assert [each.field for each in found.violations] == [field]
    assert served.worker.slices == 0


async def test_a_calculation_ends_with_its_caller(served: Served) -> None:
    """After the caller has gone at most the slice under way is finished."""
    request = var(book=book(20_000, kind=[1]), days=1_000)  # sixteen slices of the narrowest kind
    call = served.risk.CalculateVar(request, timeout=60)
    assert (await call.read()).HasField("progress")
    call.cancel()
    # A second calculation has one slice and takes turns with the first: were the first still there, it would go on.
    await result(served, var())
    begun = served.worker.slices
    assert begun < 16
    await asyncio.sleep(0.2)
    assert served.worker.slices == begun


async def ended_late(served: Served) -> str:
    """How a calculation ends that has half a second: by its own clock, the caller's, or that of the stream."""
    try:
        found = await messages(served, var(book=book(20)), 0.5)
    except grpc.aio.AioRpcError as error:
        return error.code().name
    return stream_pb2.StreamEndReason.Name(found[-1].end.reason)


async def test_a_calculation_ends_at_its_deadline(served: Served) -> None:
    """A call ends at its deadline while its first slice is still under way; the slices after it are never begun."""
    gate, begun, slice_of = threading.Event(), [], served.worker._slice

    def held(work: Revaluation, start: int, stop: int) -> None:
        begun.append(start)
        gate.wait(60)
        slice_of(work, start, stop)

    served.worker._slice = held
    try:
        assert await ended_late(served) in ("DEADLINE_EXCEEDED", "STREAM_END_REASON_MAX_AGE")
        gate.set()
        await served.worker.turn(lambda: None)  # after the slice that was under way
        assert begun == [0]
    finally:
        gate.set()
        del served.worker._slice


async def test_what_cannot_end_in_time_is_not_begun(served: Served) -> None:
    """An instance that has never made more than a million prices a second refuses two hundred million in ten."""
    served.worker._cells_per_s = 1e6
    request = var(book=book(50_000, kind=[1]), days=3_800)
    found = await failure(messages(served, request, 10))
    assert found.reason is ErrorReason.DEADLINE_TOO_SHORT
    assert (served.worker.slices, found.metadata["needed_ms"]) == (0, "190000.0")


async def test_stress_tests_know_the_past(served: Served) -> None:
    """A book of francs loses in January 2015 what the rates say; a currency without a rate is named, not guessed."""
    own = book(2, market=[0, 1], strike=[1.0])
    own.markets[0].instrument = "EUR/CHF"
    own.markets.add(instrument="EUR/ISK")
    own.reporting_currency = "CHF"
    shock = scenario_pb2.Shock(name="dollar", moves=[scenario_pb2.CurrencyMove(currency="USD", move=0.1)])
    names = ["CHF_2015_UNPEG", "LEHMAN_2008"]
    answer = await served.risk.StressTest(
        stress_pb2.StressTestRequest(book=own, scenarios=names, shocks=[shock]), timeout=60
    )
    assert [each.name for each in answer.results] == [*names, "dollar"]
    assert answer.results[0].missing_currencies == ["ISK"]
    assert not answer.results[0].HasField("profit")
    assert answer.results[1].profit == pytest.approx(sum(answer.results[1].market_profit), rel=1e-9)
    assert answer.results[2].profit == pytest.approx(0.0, abs=1e-3)
    alone = book(strike=[1.0])
    alone.markets[0].CopyFrom(book_pb2.BookMarket(instrument="EUR/CHF", spot=1.0))
    alone.reporting_currency = "CHF"
    answer = await served.risk.StressTest(stress_pb2.StressTestRequest(book=alone), timeout=60)
    assert [each.name for each in answer.results] == [each.name for each in SCENARIOS]
    by_name = {each.name: each.profit for each in answer.results}
    history = served.rates.history
    before, after = (
        history.days("EUR", "CHF", np.datetime64(day), np.datetime64(day))[1][0] for day in ("2015-01-14", "2015-01-16")
    )
    assert by_name["CHF_2015_UNPEG"] == pytest.approx(1e6 * (after / before - 1.0), rel=1e-9)


async def test_exposure_is_by_currency_pair_and_account(served: Served) -> None:
    """A forward is its two legs, an option its delta and the rest; accounts add up to the whole."""
    own = book(2, kind=[2, 1], notional=[1e6, 2e6])
    own.markets[0].spot = 1.1
    request = pb.ExposureRequest(book=own, accounts=["a", "b"], account=[0, 1])
    answer = await served.risk.Exposure(request, timeout=60)
    forward, option = (each.exposure for each in answer.accounts)
    assert {each.currency: each.amount for each in forward.currencies} == {"EUR": 1e6, "USD": -1.1e6}
    greeks = vanilla.greeks(1, 1.1, 1.1, 0.5, 0.1, 0.0, 0.0)
    assert option.pairs[0].delta == pytest.approx(2e6 * float(greeks.delta), rel=1e-12)
    assert option.reporting_value == pytest.approx(2e6 * float(greeks.price), rel=1e-12)
    (pair,) = answer.total.pairs
    assert pair.delta == pytest.approx(forward.pairs[0].delta + option.pairs[0].delta, rel=1e-12)
    worth = sum(each.reporting_amount for each in answer.total.currencies)
    assert worth == pytest.approx(answer.total.reporting_value, rel=1e-9)
    assert answer.total.net_open_position == pytest.approx(1.1 * pair.delta, rel=1e-12)
    found = await failure(served.risk.Exposure(pb.ExposureRequest(book=own, accounts=["a"], account=[0, 1])))
    assert [each.field for each in found.violations] == ["account[1]"]


async def test_a_ladder_is_a_grid_of_prices(served: Served) -> None:
    """Each cell is the option's new price less the present one; nothing moves, nothing is made."""
    own = book(kind=[0])
    own.markets[0].spot = 1.1
    spots, volatilities = [-0.1, 0.0, 0.1], [0.0, 0.02]
    request = stress_pb2.ScenarioLadderRequest(book=own, spot_move=spots, volatility_move=volatilities)
    answer = await served.risk.ScenarioLadder(request, timeout=60)
    spot = 1.1 * (1 + np.repeat(spots, 2))
    price = vanilla.price(0, spot, 1.1, 0.5, 0.1 + np.tile(volatilities, 3), 0.0, 0.0)
    assert np.allclose(answer.profit, 1e6 * (price - price[2]), rtol=0, atol=1e-6)
    assert answer.worst_index == int(np.argmin(price))
    assert answer.profit[2] == 0.0
    request.instrument = "GBP/USD"
    assert [v.field for v in (await failure(served.risk.ScenarioLadder(request))).violations] == ["instrument"]
