"""Decimals as whole numbers."""

from __future__ import annotations

from decimal import Decimal

import pytest

from crossrate.exchange.grid import Grid, OffGrid


def test_a_grid_makes_whole_numbers_of_decimals_exactly() -> None:
    """And back; what lies between is an error that says what would fit."""
    grid = Grid(Decimal("0.00001"), Decimal("0.01"))
    assert grid.ticks(Decimal("1.10005")) == 110_005
    assert grid.price(110_005) == Decimal("1.10005")
    assert grid.units(Decimal("1000000.25")) == 100_000_025
    assert grid.quantity(100_000_025) == Decimal("1000000.25")
    for wrong in ("1.100055", "0", "-1", "NaN", "Infinity", "99999999"):
        with pytest.raises(OffGrid, match="price is"):
            grid.ticks(Decimal(wrong))
    with pytest.raises(ValueError, match="tick is 0"):
        Grid(Decimal(0))
