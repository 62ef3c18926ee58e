"""Ladders arrange one revaluation of a book; what the book is does not matter to them."""

from __future__ import annotations

import numpy as np
import pytest

from crossrate.kernel import ArgumentError, ShapeError, stress, vanilla


def test_a_ladder_revalues_on_the_grid(build: str) -> None:
    """Each cell is the book's value at its moves less that of now, in one call of the book."""
    calls = []

    def straddle(factor: np.ndarray, added: np.ndarray) -> np.ndarray:
        calls.append(len(factor))
        both = (vanilla.price(kind, 1.1 * factor, 1.1, 0.25, 0.08 + added, 0.03, 0.01) for kind in (0, 1))
        return sum(-1e6 * each for each in both)

    spot, volatility = np.array([-0.1, -0.02, 0.0, 0.05]), np.array([-0.01, 0.0, 0.02])
    found = stress.ladder(straddle, spot, volatility)
    assert calls == [13]
    now = straddle(np.ones(1), np.zeros(1))[0]
    assert found.value == pytest.approx(now, rel=1e-14)
    for i, moved in enumerate(spot):
        for j, added in enumerate(volatility):
            wanted = straddle(np.array([1.0 + moved]), np.array([added]))[0] - now
            assert found.pnl[i, j] == pytest.approx(wanted, rel=1e-9, abs=1e-8)
    assert found.pnl[2, 1] == 0.0
    assert found.worst() == (found.pnl.min(), -0.1, 0.02)


def test_one_move_is_a_ladder_too(build: str) -> None:
    """Numbers stand for axes of one step."""
    assert stress.ladder(lambda factor, added: 100.0 * factor + added, 0.1).pnl == pytest.approx(np.array([[10.0]]))


def test_what_is_refused_is_named(build: str) -> None:
    """A move that no price can make, and a book that gives no number or another shape, are told with their place."""
    with pytest.raises(ArgumentError, match=r"spot_move\[1\] is -1.0: it must be a relative move"):
        stress.ladder(lambda factor, added: factor, [0.0, -1.0])
    with pytest.raises(ArgumentError, match=r"volatility_move\[0\] is nan"):
        stress.ladder(lambda factor, added: factor, 0.0, np.array([np.nan]))
    with pytest.raises(ArgumentError, match=r"value\[2\] is nan: the book must have a value where spot is times 1.2"):
        stress.ladder(lambda factor, added: np.where(factor > 1.15, np.nan, factor), [0.1, 0.2])
    with pytest.raises(ShapeError, match=r"value gave shape \(\) for 3 markets"):
        stress.ladder(lambda factor, added: 1.0, [0.1, 0.2])
    with pytest.raises(ArgumentError, match="at least one move"):
        stress.ladder(lambda factor, added: factor, np.empty(0))
