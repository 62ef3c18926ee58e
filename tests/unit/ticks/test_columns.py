"""Columns of quotes."""

from __future__ import annotations

import numpy as np
import pytest

from crossrate.ticks.columns import COLUMNS, Ticks


def some(count: int = 3) -> Ticks:
    """Some quotes."""
    return Ticks.of(np.arange(count) * 10, 1.1 + np.arange(count), 1.2 + np.arange(count))


def test_what_is_not_given_is_not_known() -> None:
    """Quantities are NaN, numbers and times of receipt 0, and nothing is flagged."""
    ticks = some()
    assert np.isnan(ticks.bid_quantity).all()
    assert not ticks.sequence.any()
    assert not ticks.receive_time.any()
    assert not ticks.flags.any()
    assert {name: getattr(ticks, name).dtype for name in COLUMNS} == {n: np.dtype(t) for n, t in COLUMNS.items()}


def test_columns_of_another_length_or_type_are_refused_by_name() -> None:
    """The error names the column."""
    with pytest.raises(ValueError, match=r"ask has shape \(2,\), venue_time has \(3,\)"):
        Ticks.of(np.arange(3), np.ones(3), np.ones(2))
    with pytest.raises(TypeError, match="price is no column"):
        Ticks.of(np.arange(3), np.ones(3), np.ones(3), price=np.ones(3))
    whole = some()
    with pytest.raises(TypeError, match="bid is of float32"):
        Ticks(**{name: getattr(whole, name) for name in COLUMNS} | {"bid": np.ones(3, np.float32)})


def test_parts_put_together_are_the_whole() -> None:
    """Slices share memory with the whole, and their concatenation equals it."""
    whole = some(5)
    assert np.shares_memory(whole[1:3].bid, whole.bid)
    again = Ticks.concatenated([whole[:2], whole[2:]])
    assert (again.bid == whole.bid).all()
    assert len(Ticks.concatenated([])) == 0
    assert (whole[whole.venue_time > 10].mid == whole.mid[2:]).all()
