"""What exotic options are worth and how that changes.

A formula of Black and Scholes sees a spot rate S that moves with a volatility σ during a time τ until the expiry, while
discount factors of both currencies shrink evenly by e^−A (counter) and e^−B (base). Everything it depends on besides is
in the terms. Its result Y is for value on the spot date, where an exercise or a touch today would be settled. Today it
is worth V = N·P_d(t_s)·Y: N the notional, P_d and P_f the discount factors, t_s the time to the spot date. From spot to
the delivery date T the curves give A = −ln(P_d(T)/P_d(t_s)) and B = −ln(P_f(T)/P_f(t_s)). A European option then has
the forward and the discounting of the vanilla in `valuation`: a knock-in and a knock-out are together that vanilla.

With r = −ln P(T) / T the zero rate of each currency, x = ln S, and s the time that passes:

    delta         N·P_d·Y_x / S                            vega    N·P_d·Y_σ        volga   N·P_d·Y_σσ
    gamma         N·P_d·(Y_xx − Y_x) / S²                  theta   N·P_d·Y_s
    rho_domestic  N·P_d·((T − t_s)·Y_A − t_s·Y)            vanna   N·P_d·Y_xσ / S
    rho_foreign   N·P_d·(T − t_s)·Y_B                      charm   N·P_d·Y_xs / S

where passing time takes from τ, from the times of fixings, and from A and B at r_d and r_f, while the lag from today to
spot stays with P_d(t_s). The subscripts are derivatives of `derivative`. An American option has a kink where exercise
begins: along a line, points on the other side of it than the market are left out.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from services.pricing.domain.derivative import AXES, MIXED
from services.pricing.domain.exotic import American, Digital
from services.pricing.domain.exotic_columns import Ask
from services.pricing.domain.formula import Columns
from services.pricing.domain.market import Standing
from services.pricing.domain.refusal import Refused
from services.pricing.domain.valuation import Priced, Valuation, hedge


def value_exotic(asked: Ask, found: Columns, standing: Standing) -> Priced:
    """The worth of an option from the kernel's prices at all points.

    Raises:
        Refused: the smile has arbitrage where a digital needs it.
    """
    (values,), leg, grid = found, asked.leg, asked.grid
    if isinstance(leg, Digital):
        _check(leg, float(values[0]), asked, standing)
    apart = _other_side(leg, values, asked.columns[1]) if isinstance(leg, American) else None
    discount = float(standing.domestic.discount(standing.spot_time))
    amount, spot = leg.notional * discount, standing.spot
    first = {axis: grid.along(axis, 1, values, apart) for axis in AXES}
    by_spot = {axis: grid.mixed(axis, values) for axis in MIXED}
    carried = standing.time(leg.value_date) - standing.spot_time
    worth = amount * float(values[0])
    valuation = Valuation(
        present_value=worth,
        delta=amount * first["spot"] / spot,
        gamma=amount * (grid.along("spot", 2, values, apart) - first["spot"]) / spot**2,
        vega=amount * first["volatility"],
        theta=amount * first["passing"],
        rho_domestic=amount * carried * first["domestic"] - standing.spot_time * worth,
        rho_foreign=amount * carried * first["foreign"],
        vanna=amount * by_spot["volatility"] / spot,
        volga=amount * grid.along("volatility", 2, values, apart),
        charm=amount * by_spot["passing"] / spot,
    )
    forward_amount = hedge(standing, leg.value_date)
    return Priced(leg, asked.forward, leg.strike, asked.volatility, valuation, forward_amount, asked.smile_slope)


def _other_side(leg: American, values: NDArray[np.float64], spot: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which points lie on the other side of the exercise boundary than the market: there exercise is all that an option
    is worth, or it is not."""
    gained = spot - leg.strike if leg.call else leg.strike - spot
    exercised: NDArray[np.bool_] = (gained > 0.0) & (values <= gained + 1e-12 * leg.strike)
    return exercised != exercised[0]


def _check(leg: Digital, worth: float, asked: Ask, standing: Standing) -> None:
    """A digital is worth from nothing to its payout for certain, in any market without arbitrage."""
    discount = standing.domestic.discount(np.array([standing.time(leg.value_date), standing.spot_time]))
    certain = float(discount[0] / discount[1]) * (asked.forward if leg.in_base else 1.0)
    if not -1e-9 * certain <= worth <= (1.0 + 1e-9) * certain:
        words = f"{leg.strike:.10g} is where the smile, with a slope of {asked.smile_slope:.4g}, has arbitrage"
        price = f"a payout of 1 would be worth {worth:.4g} of at most {certain:.4g}"
        raise Refused("product.digital.strike", f"{words}: {price}; correct the surface")
