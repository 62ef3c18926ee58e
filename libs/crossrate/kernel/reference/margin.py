"""Margin: the numpy twins of xr/margin.h."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def scanning_risk(loss: Array) -> tuple[Array, Array]:
    """Greatest loss over the last axis, and its part that price moves alone make."""
    active = np.argmax(loss, axis=-1)[..., None]
    worst = np.take_along_axis(loss, active, axis=-1)[..., 0]
    twin = np.take_along_axis(loss, np.where(active < 14, active ^ 1, active), axis=-1)[..., 0]
    scan = np.maximum(0.0, worst)
    still = 0.5 * (loss[..., 0] + loss[..., 1])
    moved = np.where(scan > 0.0, np.minimum(scan, np.maximum(0.0, 0.5 * (worst + twin) - still)), 0.0)
    return scan, moved


def portfolio(
    position: Array,
    group: NDArray[np.int64],
    groups: int,
    risk: Array,
    delta: Array,
    short_minimum: Array,
    option_value: Array,
    spreads: list[tuple[Any, ...]],
) -> tuple[Array, Array, Array]:
    """Scanning risk and credits by account and group, and requirements by account."""
    member = np.zeros((len(group), groups))
    member[np.arange(len(group)), group] = 1.0
    loss = np.einsum("ai,ig,ik->agk", position, member, risk, optimize=True)
    scan, price_risk = scanning_risk(loss)
    net = (position * delta) @ member
    left = net.copy()
    credit = np.zeros_like(scan)
    for first, second, first_ratio, second_ratio, same_side, rate in spreads:
        one, other = left[:, first], left[:, second] if same_side else -left[:, second]
        formed = np.minimum(np.abs(one) / first_ratio, np.abs(other) / second_ratio)
        formed = np.where((one * np.sign(other) > 0.0) & (first != second), formed, 0.0)
        for leg, ratio in ((first, first_ratio), (second, second_ratio)):
            used = np.minimum(np.abs(left[:, leg]), formed * ratio)
            whole = np.where(net[:, leg] == 0.0, 1.0, np.abs(net[:, leg]))
            credit[:, leg] += rate * price_risk[:, leg] * (used / whole)
            left[:, leg] -= np.copysign(used, left[:, leg])
    minimum = (np.maximum(0.0, -position) * short_minimum) @ member
    total = np.maximum(np.maximum(0.0, scan - credit), minimum).sum(axis=1)
    return scan, credit, np.maximum(0.0, total - position @ option_value)


def tiered(notional: Array, table: NDArray[np.int64], bound: Array, rate: Array) -> tuple[Array]:
    """The sum over slices of rate times what of the amount is in the slice."""
    ends = np.concatenate([bound[:, 1:], np.full((len(bound), 1), np.inf)], axis=1)
    amount = np.abs(notional)[:, None]
    inside = np.clip(np.minimum(amount, ends[table]) - bound[table], 0.0, None)
    return ((rate[table] * inside).sum(axis=1),)
