"""Batches as columns: one element for all, places among pairs, and agreement with single prices."""

from __future__ import annotations

import numpy as np
import pytest

from crossrate.kernel import vanilla
from services.pricing.domain.batch import Options
from services.pricing.domain.refusal import Missing, Refused
from tests.unit.pricing.worlds import EURUSD, USDJPY, snapshot

FLAT = {"spot": [1.08], "volatility": [0.1], "domestic_rate": [0.04], "foreign_rate": [0.02]}


def options(count: int = 3, **other: list[float]) -> Options:
    """Calls at ascending strikes, a year to go."""
    columns = {"put_or_call": [1], "strike": np.linspace(1.0, 1.2, count), "time": [1.0]} | other
    return Options(**{name: np.asarray(values, np.float64) for name, values in columns.items()})


def market(**other: list[float]) -> dict[str, np.ndarray]:
    """A market of a request, one element an array unless given."""
    return {name: np.asarray(values, np.float64) for name, values in (FLAT | other).items()}


def test_one_element_stands_for_all() -> None:
    """Repeated in full it gives the same columns."""
    spread = options().given(market())
    full = options(put_or_call=[1] * 3, time=[1.0] * 3).given({k: v.repeat(3) for k, v in market().items()})
    for one, other in zip(spread.arrays(), full.arrays(), strict=True):
        assert np.array_equal(one, other)
        assert one.dtype == other.dtype
    assert len(spread.spot) == 3


@pytest.mark.parametrize("field", ["put_or_call", "time", "given.volatility"])
def test_another_length_is_refused(field: str) -> None:
    """Two elements for three options are neither one nor three; the field is named."""
    own = {} if "given" in field else {field: [1.0, 1.0]}
    other = {"volatility": [0.1, 0.1]} if "given" in field else {}
    with pytest.raises(Refused, match="has 2 elements for 3 options") as caught:
        options(**own).given(market(**other))
    assert caught.value.field == field


def test_a_snapshot_gives_each_option_its_pair() -> None:
    """By place; the spot rate is brought to today, rates and volatility are those of the option's own time."""
    world = snapshot()
    held = options(time=[0.5, 1.0, 2.0]).of_snapshot(world, [EURUSD], np.empty(0, np.uint32))
    standing = world.of(EURUSD)
    columns = held.columns
    assert columns.spot.tolist() == [standing.today] * 3
    assert columns.domestic_rate == pytest.approx(standing.domestic.growth(columns.time) / columns.time)
    assert columns.volatility == pytest.approx(standing.volatility(columns.time, columns.strike))
    with pytest.raises(Missing, match="no surface of USD/JPY"):
        options().of_snapshot(world, [EURUSD, USDJPY], np.array([0, 1, 0]))
    with pytest.raises(Refused, match=r"snapshot\.instrument_index\[2\]: is 2; there are 2 instruments"):
        options().of_snapshot(world, [EURUSD, USDJPY], np.array([0, 0, 2]))
    with pytest.raises(Refused, match=r"time\[1\]: is 0\.0"):
        options(time=[1.0, 0.0, 1.0]).of_snapshot(world, [EURUSD], np.array([0]))


def test_sensitivities_of_a_snapshot_are_to_the_quoted_spot() -> None:
    """They are the central differences of the premium by the snapshot's own spot rate and curves."""

    def priced(**world: float) -> vanilla.Greeks:
        held = options().of_snapshot(snapshot(**({"volatility": 0.09} | world)), [EURUSD], np.array([0]))
        return held.quoted(vanilla.greeks(*held.columns.arrays()))

    found = priced()
    step = 1e-5
    for name, start, of in (("spot", 1.08, "delta"), ("USD", 0.0, "rho_domestic"), ("EUR", 0.0, "rho_foreign")):
        slope = (priced(**{name: start + step}).price - priced(**{name: start - step}).price) / (2 * step)
        assert getattr(found, of) == pytest.approx(slope, rel=1e-6)
    slope = (priced(spot=1.08 + step).delta - priced(spot=1.08 - step).delta) / (2 * step)
    assert found.gamma == pytest.approx(slope, rel=1e-6)
