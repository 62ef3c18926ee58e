"""Value at risk and expected shortfall: the numpy twins of xr/var.h."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
EPSILON = float(np.finfo(np.float64).eps)


def near_integer(x: float, scale: float) -> float:
    """A product count × confidence that is an integer but for rounding, as that integer."""
    whole = float(np.rint(x))
    return whole if abs(x - whole) <= 4.0 * EPSILON * max(1.0, scale) else x


def quantile_place(count: int, confidence: float, convention: int) -> tuple[int, float]:
    """Rank from 1 in ascending order, and the part of the way to the next: Hyndman and Fan (1996)."""
    shift = [0.0, 0.0, 0.0, -0.5, 0.0, 0.5, confidence, 1.0 - confidence]
    shift += [(confidence + 1.0) / 3.0, 0.25 * confidence + 0.375, 1.0]
    at = near_integer(count * confidence + shift[convention], float(count))
    below = int(np.floor(at))
    part = at - below
    if convention == 0:
        part = 1.0
    elif convention == 1:
        part = 1.0 if part > 0.0 else 0.0
    elif convention == 2:
        part = 1.0 if part > 0.0 else 0.5
    elif convention == 3:
        part = 0.0 if part == 0.0 and below % 2 == 0 else 1.0
    if below < 1:
        return 1, 0.0
    return (count, 0.0) if below >= count else (below, part)


def measure(pnl: Array, weight: Array | None, confidence: Array, convention: int) -> tuple[Array, Array, Array | None]:
    """Value at risk, expected shortfall and the latter's standard error, rows × levels."""
    order = np.argsort(pnl, axis=1, kind="stable")
    worst = np.take_along_axis(-pnl, order, axis=1)
    if weight is None:
        columns = [_plain(worst, float(p), convention) for p in confidence]
        var, es, error = (np.stack(each, axis=1) for each in zip(*columns, strict=True))
        return var, es, error
    share = weight[order] / np.add.reduce(weight)
    results = [[_weighted(*row, float(p), convention) for p in confidence] for row in zip(worst, share, strict=True)]
    both = np.array(results, np.float64).reshape(len(pnl), len(confidence), 2)
    return both[..., 0], both[..., 1], None


def _plain(worst: Array, confidence: float, convention: int) -> tuple[Array, Array, Array]:
    count = worst.shape[1]
    rank, part = quantile_place(count, confidence, convention)
    var = worst[:, count - rank]
    if part > 0.0:
        var = var + part * (worst[:, count - rank - 1] - var)
    tail = near_integer(count * (1.0 - confidence), float(count))
    inside = np.clip(tail - np.arange(int(np.ceil(tail))), 0.0, 1.0)
    losses = worst[:, : len(inside)]
    es = losses @ inside / tail
    spread = (losses - es[:, None]) ** 2 @ inside / tail
    return var, es, np.sqrt((spread + confidence * (es - var) ** 2) / tail)


def _weighted(worst: Array, share: Array, confidence: float, convention: int) -> tuple[float, float]:
    there = share > 0.0
    losses, share = worst[there], share[there]
    fuzz, tail = 4.0 * EPSILON * len(worst), 1.0 - confidence
    after = np.cumsum(share)
    before = np.concatenate([[0.0], after[:-1]])
    ends = after > tail + fuzz if convention == 1 else after >= tail - fuzz
    at = int(np.argmax(ends)) if ends.any() else len(losses) - 1
    inside = np.minimum(share, np.maximum(0.0, tail - before))[: at + 1]
    es = float(inside @ losses[: at + 1]) / min(tail, float(after[at]))
    if convention != 10 or at == 0:
        return float(losses[at]), es
    step = min(1.0, (tail - before[at]) / share[at])
    return float(losses[at - 1] + (losses[at] - losses[at - 1]) * step), es


def worst(pnl: Array, count: int) -> tuple[Array, NDArray[np.int64]]:
    """The `count` worst losses of each row, and their columns."""
    order = np.argsort(pnl, axis=1, kind="stable")[:, :count]
    return np.take_along_axis(-pnl, order, axis=1), order


def age_weight(scenarios: int, decay: float) -> tuple[Array]:
    """Powers of the decay that sum to 1, the newest last."""
    weights = decay ** np.arange(scenarios - 1, -1, -1, dtype=np.float64)
    return (weights / weights.sum(),)


def order_statistics(count: int, confidence: float, coverage: float) -> tuple[int, int, float]:
    """Ranks from 1, ascending, whose order statistics enclose the quantile, and the probability that they do.

    Their probability is that a binomial number of `count` trials is from the lower rank to the upper one less one
    (David and Nagaraja 2003, section 7.1). Equal tails, each at most half of what `coverage` leaves. A rank of 0
    or of count + 1 says that no order statistic is far enough out.
    """
    k = np.arange(1, count + 1)
    odds = np.log((count - k + 1) / k) + np.log(confidence / (1.0 - confidence))
    logs = np.concatenate([[0.0], np.cumsum(odds)])
    mass = np.exp(logs - logs.max())
    mass /= mass.sum()
    below, beyond = np.cumsum(mass), np.cumsum(mass[::-1])[::-1]
    tail = (1.0 - coverage) / 2.0
    lower = int(np.searchsorted(below, tail, "right"))
    upper = int(count + 1 - np.searchsorted(beyond[::-1], tail, "right"))
    return lower, upper, float(mass[lower:upper].sum())
