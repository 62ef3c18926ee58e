"""What arguments of strikes and smiles may be: the compiled builds refuse just what the domain says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossrate.kernel import Reason, sabr, smile, strike, vanna_volga
from crossrate.kernel.domain import Codes, Interval
from crossrate.kernel.front import Elementwise

FINE = {
    "put_or_call": 1,
    "delta_convention": 1,
    "atm_convention": 1,
    "strangle": 0,
    "order": 1,
    "spot": 1.1,
    "forward": 1.1,
    "strike": 1.12,
    "delta": 0.25,
    "time": 0.5,
    "volatility": 0.1,
    "atm_volatility": 0.1,
    "domestic_rate": 0.02,
    "foreign_rate": 0.01,
    "inner_delta": 0.25,
    "outer_delta": 0.1,
    "alpha": 0.1,
    "beta": 1.0,
    "rho": 0.1,
    "nu": 0.5,
    "c0": -2.3,
    "strike_low": 1.05,
    "strike_middle": 1.1,
    "strike_high": 1.16,
    "volatility_low": 0.11,
    "volatility_middle": 0.1,
    "volatility_high": 0.105,
}
FUNCTIONS = [
    value
    for module in (strike, smile, sabr, vanna_volga)
    for value in vars(module).values()
    if isinstance(value, Elementwise)
]
REFUSALS = {Reason.NOT_FINITE, Reason.OUT_OF_RANGE, Reason.NOT_A_CODE}


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.name)
def test_each_limit_is_where_the_domain_has_it(build: str, function: Elementwise) -> None:
    """The least and greatest that an argument may be are not refused for themselves; the next number beyond is."""
    for name, rule in function.inputs.items():
        if isinstance(rule, Codes):
            inside, outside = [0, rule.count - 1], [-1, rule.count]
        else:
            inside = [rule.low, rule.high]
            outside = [np.nextafter(rule.low, -np.inf), np.nextafter(rule.high, np.inf)]
        for value, refused in [(each, False) for each in inside] + [(each, True) for each in outside]:
            arguments = [value if each == name else FINE.get(each, 0.0) for each in function.inputs]
            *_, status = function(*arguments, with_status=True)
            assert (int(status) in REFUSALS) == refused, (name, value)
        if isinstance(rule, Interval):
            arguments = [np.nan if each == name else FINE.get(each, 0.0) for each in function.inputs]
            assert int(function(*arguments, with_status=True)[-1]) == Reason.NOT_FINITE


@given(
    moneyness=st.floats(-3.0, 3.0),
    time=st.floats(0.003, 30.0),
    volatility=st.floats(0.02, 1.0),
    domestic=st.floats(-0.05, 0.3),
    foreign=st.floats(-0.05, 0.3),
)
def test_deltas_keep_parity(moneyness: float, time: float, volatility: float, domestic: float, foreign: float) -> None:
    """A call's delta less a put's is that of the forward contract, less its premium where that is taken off."""
    forward = 1.1 * np.exp((domestic - foreign) * time)
    level = forward * np.exp(moneyness * volatility * np.sqrt(time))
    market = (1.1, level, time, volatility, domestic, foreign)
    for convention in strike.DeltaConvention:
        call, put = (strike.delta(each, convention, *market) for each in (1, 0))
        whole = (1.0 if convention & 1 else np.exp(-foreign * time)) * (level / forward if convention & 2 else 1.0)
        assert call - put == pytest.approx(whole, rel=1e-12)


@given(
    level=st.floats(0.05, 0.3),
    skew=st.floats(-0.15, 0.15),
    convexity=st.floats(0.005, 0.05),
    time=st.floats(0.02, 3.0),
    convention=st.sampled_from(strike.DeltaConvention),
)
def test_a_smile_mirrors_its_risk_reversal(
    level: float, skew: float, convexity: float, time: float, convention: int
) -> None:
    """The wings differ by the risk reversal; their mean is above the middle unless a steep skew outweighs it."""
    quotes = (level, skew * level, convexity * level)
    found = smile.three_point(1, convention, smile.Strangle.MARKET, 1.1, time, 0.02, 0.01, *quotes)
    put, middle, call = found.volatility[0]
    assert call - put == pytest.approx(skew * level, abs=1e-14)
    assert middle == level
    if skew * skew <= convexity:
        assert 0.5 * (put + call) > level
    assert found.strike[0, 0] < found.strike[0, 1] < found.strike[0, 2]
