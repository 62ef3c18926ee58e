"""Strikes of deltas and at the money, at a volatility and on a smile."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossrate.api.pricing.v1 import batch_pb2, market_pb2
from crossrate.api.pricing.v1 import snapshot_service_pb2 as kept
from crossrate.api.pricing.v1 import strike_pb2 as pb
from crossrate.kernel import strike
from crossrate.kernel.strike import DeltaConvention
from services.pricing.domain.refusal import Refused
from services.pricing.domain.strikes import BY_DELTA, Sought, on_smile
from services.pricing.strikes import solve_given, solve_snapshot
from services.pricing.surfaces import surface_answer
from tests.unit.pricing.desk import EURUSD, USDJPY, snapshot, surface

DELTAS = np.array([-0.9, -0.5, -0.25, -0.1, -0.02, 0.02, 0.1, 0.25, 0.45])


def given_market(**columns: list[float]) -> batch_pb2.BatchMarket:
    """A market that a request gives."""
    whole = {"spot": [1.08], "volatility": [0.1], "domestic_rate": [0.04], "foreign_rate": [0.02], **columns}
    return batch_pb2.BatchMarket(**whole)


@pytest.mark.parametrize("convention", DeltaConvention)
def test_a_strike_at_a_volatility_has_its_delta(convention: DeltaConvention) -> None:
    """In every convention, for times of an hour to thirty years, and as the kernel has it."""
    time = np.geomspace(1e-4, 30.0, len(DELTAS))
    request = pb.SolveStrikeRequest(delta=DELTAS, delta_type=[int(convention) + 1], time=time, given=given_market())
    found = solve_given(request)
    rows = (found.strike, time, 0.1, 0.04, 0.02)
    fine = found.fine
    again = strike.delta(
        (DELTAS > 0).astype(np.int8)[fine],
        int(convention),
        1.08,
        *(np.broadcast_to(x, DELTAS.shape)[fine].copy() for x in rows),
    )
    assert again == pytest.approx(DELTAS[fine], rel=1e-9)
    assert found.forward == pytest.approx(1.08 * np.exp(0.02 * time), rel=1e-14)
    assert fine.sum() >= 6


def test_at_the_money_in_its_conventions() -> None:
    """The forward, both delta-neutral strikes, the spot rate; a published pair of strikes.

    Forum wilmott.com, topic 74935, on Reiswich and Wystup's USD/JPY: with the forward at 90.686 delta neutral is 90.516
    with and 90.86 without premium adjustment.
    """
    variance = 2 * np.log(90.686 / 90.516)
    request = pb.SolveStrikeRequest(
        delta=[0.0] * 4,
        delta_type=[1, 3, 1, 1],
        atm_type=[2, 2, 1, 3],
        time=[31 / 365],
        given=given_market(
            spot=[90.686], volatility=[float(np.sqrt(variance * 365 / 31))], domestic_rate=[0.0], foreign_rate=[0.0]
        ),
    )
    found = solve_given(request)
    assert found.strike[1] == pytest.approx(90.516, rel=1e-12)
    assert round(float(found.strike[0]), 2) == 90.86
    assert found.strike[2:].tolist() == pytest.approx([90.686, 90.686], rel=1e-14)


@pytest.mark.parametrize("pair", [EURUSD, USDJPY])
@pytest.mark.parametrize("convention", DeltaConvention)
def test_a_strike_on_a_smile_has_its_delta_there(pair: object, convention: DeltaConvention) -> None:
    """The surface's own volatility at the strike gives the delta, to 1e-12, between expiries too."""
    standing = snapshot().of(pair)
    deltas = DELTAS if convention < 2 else DELTAS[1:]
    for time in (0.02, 0.3, 1.0, 2.5):
        request = pb.SolveStrikeRequest(delta=deltas, delta_type=[int(convention) + 1], time=[time])
        request.snapshot.instruments.append(str(pair))
        found = solve_snapshot(request, snapshot())
        assert found.fine.all()
        assert found.volatility == pytest.approx(
            standing.volatility(np.full(len(deltas), time), found.strike), rel=1e-14
        )
        growth = [
            float(c.growth(time) - c.growth(standing.spot_time)) / time for c in (standing.domestic, standing.foreign)
        ]
        call = (deltas > 0).astype(np.int8)
        again = strike.delta(call, int(convention), standing.spot, found.strike, time, found.volatility, *growth)
        assert again == pytest.approx(deltas, abs=1e-12)


def test_expiries_give_the_calibrated_points() -> None:
    """With tenors in place of times, the strikes of quoted deltas are the surface's points, at the money too."""
    market = snapshot()
    for pair in (EURUSD, USDJPY):
        smile = market.of(pair).surface.smiles[-1]
        request = pb.SolveStrikeRequest(delta=[-0.1, -0.25, 0.0, 0.25, 0.1], atm_type=[0, 0, 2, 0, 0])
        request.snapshot.instruments.append(str(pair))
        request.snapshot.expiry.append("2Y")
        found = solve_snapshot(request, market)
        assert found.strike == pytest.approx(smile.points.strikes, rel=1e-11)
        assert found.volatility == pytest.approx(smile.points.volatilities, rel=1e-10)
        assert found.time[0] == smile.time
        assert found.forward[0] == pytest.approx(smile.points.forward, rel=1e-14)


def test_a_steep_smile_is_searched() -> None:
    """Where rounds do not come to rest the strike is found by search; where there is none that is said."""

    def steep(which: np.ndarray, k: np.ndarray) -> np.ndarray:
        return 0.1 * np.exp(-4.0 * np.tanh(12.0 * np.log(k)))

    one = np.ones(3)
    deltas = np.array([0.25, -0.25, 0.9999999999])
    sought = Sought(deltas, np.ones(3, np.int8), np.full(3, BY_DELTA, np.int8), one, one, 0 * one, 0 * one)
    found, volatility, fine = on_smile(sought, steep)
    assert fine[0]
    for i in np.flatnonzero(fine):
        again = strike.delta(int(deltas[i] > 0), 1, 1.0, float(found[i]), 1.0, float(volatility[i]), 0.0, 0.0)
        assert float(again) == pytest.approx(deltas[i], abs=1e-12)
    assert np.isnan(found[~fine]).all()


@settings(max_examples=60, deadline=None)
@given(st.floats(0.01, 0.49), st.booleans(), st.floats(0.005, 4.0), st.sampled_from([EURUSD, USDJPY]))
def test_delta_to_strike_and_back(delta: float, call: bool, time: float, pair: object) -> None:
    """GetSurface by delta and by its strikes agree, in the surface's own conventions."""
    standing = snapshot().of(pair)
    asked = {"base": pair.base, "counter": pair.counter, "time": [time]}
    by_delta = surface_answer(kept.GetSurfaceRequest(**asked, delta=[delta if call else -delta]), standing)
    by_strike = surface_answer(kept.GetSurfaceRequest(**asked, strike=by_delta.strike), standing)
    assert by_strike.volatility == pytest.approx(list(by_delta.volatility), rel=1e-14)
    if by_delta.strike[0] >= by_delta.forward[0] if call else by_delta.strike[0] < by_delta.forward[0]:
        assert by_strike.delta == pytest.approx(list(by_delta.delta), abs=1e-12)
    assert by_strike.delta_type == by_delta.delta_type


def test_a_surface_shows_its_points() -> None:
    """All expiries with their dates, strikes, volatilities and deltas; of pillars there are none."""
    standing = snapshot().of(EURUSD)
    answer = surface_answer(kept.GetSurfaceRequest(base="EUR", counter="USD"), standing)
    assert [len(each.strike) for each in answer.calibrated] == [1, 3, 5, 5, 5, 5, 5]
    month = answer.calibrated[2]
    assert (month.expiry_date.day, month.expiry_date.month) == (1, 4)
    assert list(month.delta) == [-0.1, -0.25, 0.0, 0.25, 0.1]
    assert month.fit_error < 1e-14
    pillars = market_pb2.Surface(
        instrument="EUR/USD", smiles=[market_pb2.Smile(time=0.5, strike=[1.1], volatility=[0.1])]
    )
    flat = snapshot(surfaces=[pillars]).of(EURUSD)
    answer = surface_answer(kept.GetSurfaceRequest(base="EUR", counter="USD", time=[0.5], delta=[0.25]), flat)
    assert list(answer.volatility) == [0.1]
    assert not answer.calibrated
    with pytest.raises(Refused, match="no strike"):
        surface_answer(kept.GetSurfaceRequest(base="EUR", counter="USD", time=[0.5], delta=[1.5]), flat)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"time": [0.5, 0.5]}, "time"),
        ({"time": []}, "time"),
        ({"delta_type": [1, 2]}, "delta_type"),
        ({"delta": [0.25, 0.0, 0.1]}, "delta[1]"),
        ({"delta_type": []}, "delta_type"),
        ({"given": given_market(volatility=[0.0])}, "given.volatility[0]"),
        ({"given": given_market(spot=[1.0, 1.0])}, "given.spot"),
    ],
)
def test_what_a_given_market_refuses(change: dict, field: str) -> None:
    """Lengths that fit nothing, a delta of zero, no volatility, no convention."""
    whole = {"delta": [0.25, -0.25, 0.1], "delta_type": [1], "time": [0.5], "given": given_market(), **change}
    with pytest.raises(Refused) as caught:
        solve_given(pb.SolveStrikeRequest(**whole))
    assert caught.value.field == field


def test_what_a_snapshot_refuses() -> None:
    """Times and expiries both or neither, an expiry that is past, a place without a pair."""
    request = pb.SolveStrikeRequest(delta=[0.25, 0.25])
    request.snapshot.instruments.append("EUR/USD")
    for change, field in (
        ({}, "time"),
        ({"time": [1.0], "expiry": ["1M"]}, "time"),
        ({"expiry": ["1M", "1M", "1M"]}, "snapshot.expiry"),
        ({"expiry": ["1M", "2026-03-07"]}, "snapshot.expiry[1]"),
        ({"expiry": ["2026-03-04"], "cut": 2}, "snapshot.expiry[0]"),
        ({"time": [1.0], "instrument_index": [0, 1]}, "snapshot.instrument_index[1]"),
    ):
        made = pb.SolveStrikeRequest()
        made.CopyFrom(request)
        made.time.extend(change.pop("time", []))
        made.snapshot.MergeFrom(pb.StrikeSnapshot(**change))
        with pytest.raises(Refused) as caught:
            solve_snapshot(made, snapshot(surfaces=[surface()]))
        assert caught.value.field == field
