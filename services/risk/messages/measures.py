"""Value at risk: what is wanted, covariances and draws; the result."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import numpy as np
from numpy.typing import NDArray

from crossrate.api.risk.v1 import covariance_pb2, measure_pb2, simulation_pb2
from crossrate.api.risk.v1 import risk_service_pb2 as pb
from crossrate.kernel.parametric import Moments
from crossrate.rpc import arrays
from services.risk.domain import covariance, simulation
from services.risk.domain.measure import Measured, Method, Wanted
from services.risk.domain.rates import Rates
from services.risk.messages.books import date_message

METHODS = {measure_pb2.VarMethod.Value(f"VAR_METHOD_{each.name}"): each for each in Method}
MODELS = {covariance_pb2.CovarianceModel.Value(f"COVARIANCE_MODEL_{each.name}"): each for each in covariance.Model}


def wanted_of(request: pb.CalculateVarRequest) -> Wanted:
    """What a request wants to be told."""
    return Wanted(
        METHODS[request.method],
        request.decay if request.HasField("decay") else None,
        tuple(request.confidence),
        request.include_components,
        request.component_window,
        request.include_profits,
    )


def estimator_of(model: int, decay: float | None, field: str) -> covariance.Estimator:
    """An estimator; `field` is the path of the message that has both."""
    return covariance.Estimator(MODELS[model], decay, field)


def given_covariance(message: covariance_pb2.GivenCovariance, field: str) -> covariance.Covariance:
    """A covariance of the caller's.

    Raises:
        Refused: it is none.
    """
    volatility, correlation = arrays.get(message, "volatility"), arrays.get(message, "correlation")
    nearest = message.nearest_correlation
    return covariance.given(tuple(message.currencies), volatility, correlation, field, nearest=nearest)


def draws_of(message: simulation_pb2.SimulatedScenarios, field: str) -> simulation.Draws:
    """What is drawn; `field` is the path of the message."""
    return simulation.Draws(message.count, message.seed, message.antithetic, field)


def result_message(
    measured: Iterable[Measured], method: Method, decay: float | None, window: Rates | None
) -> measure_pb2.VarResult:
    """The measures; `window` has the rates on the days of which the moves are, None if they were given."""
    result = measure_pb2.VarResult(method=f"VAR_METHOD_{method.name}", decay=decay)
    for each in measured:
        result.measures.append(_measure_message(each))
    if window is not None:
        result.start_date.CopyFrom(date_message(window.start))
        result.end_date.CopyFrom(date_message(window.end))
    return result


def _measure_message(found: Measured) -> measure_pb2.VarMeasure:
    message = measure_pb2.VarMeasure(
        confidence=found.confidence,
        value_at_risk=found.value_at_risk,
        expected_shortfall=found.expected_shortfall,
        expected_shortfall_error=found.expected_shortfall_error,
        value_at_risk_error=found.value_at_risk_error,
    )
    if found.interval is not None:
        message.value_at_risk_lower, message.value_at_risk_upper = found.interval
    arrays.put(
        message,
        candidate_value_at_risk=np.ascontiguousarray(found.candidate_var),
        candidate_expected_shortfall=np.ascontiguousarray(found.candidate_es),
    )
    parts = found.components
    if parts is not None:
        arrays.put(
            message,
            component_value_at_risk=parts.component_var,
            component_expected_shortfall=parts.component_es,
            incremental_value_at_risk=parts.incremental_var,
            incremental_expected_shortfall=parts.incremental_es,
            marginal_value_at_risk=found.marginal_var,
            marginal_expected_shortfall=found.marginal_es,
        )
    return message


def put_worst(
    result: measure_pb2.VarResult,
    loss: NDArray[np.float64],
    index: NDArray[np.int64],
    dates: NDArray[np.datetime64] | None,
) -> None:
    """Adds the worst scenarios; `dates` are the days at whose ends their moves were complete."""
    for amount, place in zip(loss.tolist(), index.tolist(), strict=True):
        day = None if dates is None else dates[place].astype(date)
        result.worst.add(index=place, date=date_message(day), profit=-amount)


def put_covariance(result: measure_pb2.VarResult, used: covariance.Covariance) -> None:
    """Adds the volatilities that were used."""
    for currency, volatility in zip(used.names, used.volatility.tolist(), strict=True):
        result.volatilities.add(currency=currency, volatility=volatility)


def put_moments(result: measure_pb2.VarResult, moments: Moments) -> None:
    """Adds the moments of a profit."""
    mean, deviation, skewness, kurtosis = (float(each[0]) for each in moments)
    result.moments.mean, result.moments.deviation = mean, deviation
    result.moments.skewness, result.moments.excess_kurtosis = skewness, kurtosis
