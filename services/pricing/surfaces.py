"""A surface of a snapshot as an answer: by strike, by delta, and the quotes that it goes through."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from crossrate.api.pricing.v1 import snapshot_service_pb2 as kept
from crossrate.kernel.strike import DeltaConvention
from crossrate.rpc import arrays
from services.pricing.books import DELTA_TYPES, DELTAS, calibrated_messages
from services.pricing.domain.market import Standing
from services.pricing.domain.refusal import Refused
from services.pricing.domain.strikes import BY_DELTA, Sought, on_smile, require_deltas

Array = NDArray[np.float64]


def surface_answer(request: kept.GetSurfaceRequest, standing: Standing) -> kept.GetSurfaceResponse:
    """What was asked of a pair's surface.

    Raises:
        Refused: strikes or deltas are not as many as times, both are given, or no strike has a delta.
        Missing: the pair has no surface.
        OutsideCalendar: a date lies outside of what is known of a calendar.
    """
    time, strike, delta = (arrays.get(request, name) for name in ("time", "strike", "delta"))
    for name, values in (("strike", strike), ("delta", delta)):
        if len(values) not in (0, len(time)):
            raise Refused(name, f"has {len(values)} elements for {len(time)} times: give as many, or none")
    if len(strike) and len(delta):
        raise Refused("delta", "cannot be given together with strike")
    answer = kept.GetSurfaceResponse(calibrated=calibrated_messages(standing.surface))
    if not len(time):
        return answer
    if request.delta_type:
        convention = np.full(len(time), int(DELTAS[request.delta_type]), np.int8)
    else:
        convention = standing.conventions_at(time)
    forward = standing.forwards(time)
    if len(delta):
        sought = _sought(standing, time, delta, convention)
        require_deltas(delta, sought.atm)
        strike, volatility, fine = on_smile(sought, lambda which, k: standing.volatility(time[which], k))
        if not fine.all():
            place = int((~fine).argmax())
            raise Refused(f"delta[{place}]", f"is {delta[place]}: no strike has it at {time[place]:.6g} years")
    else:
        strike = strike if len(strike) else forward
        volatility = standing.volatility(time, strike)
        # Which side a delta is of follows its sign here.
        side = np.where(strike >= forward, 1.0, -1.0)
        delta = _sought(standing, time, side, convention).deltas(strike, volatility)
    answer.delta_type.extend(DELTA_TYPES[DeltaConvention(code)] for code in convention.tolist())
    return arrays.put(answer, strike=strike, volatility=volatility, forward=forward, delta=delta)


def _sought(standing: Standing, time: Array, delta: Array, convention: NDArray[np.int8]) -> Sought:
    count = len(time)
    domestic, foreign = (
        curve.growth(time) - curve.growth(standing.spot_time) for curve in (standing.domestic, standing.foreign)
    )
    by = np.full(count, BY_DELTA, np.int8)
    return Sought(delta, convention, by, np.full(count, standing.spot), time, domestic, foreign)
