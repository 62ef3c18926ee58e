"""Vanilla options in arrays that are taken once."""

from __future__ import annotations

import numpy as np
import pytest

from crossrate.kernel import ArgumentError, vanilla
from crossrate.kernel.vanilla_batch import Batch
from tests.unit.kernel import exact


def filled(count: int) -> Batch:
    """A batch with room to spare."""
    batch = Batch(count + 5)
    for array, values in zip(batch.inputs.values(), exact.grid(count), strict=True):
        array[:count] = values
    return batch


@pytest.mark.parametrize("count", [1, 7, 300])
def test_a_batch_gives_what_the_functions_give(build: str, count: int) -> None:
    """Premiums and Greeks are the same to the last bit, and what was not asked for stays untouched."""
    batch = filled(count)
    batch.price(count)
    assert np.array_equal(batch.outputs["price"][:count], vanilla.price(*exact.grid(count)))
    assert np.all(np.isnan(batch.outputs["price"][count:]))
    assert np.all(np.isnan(batch.outputs["delta"]))
    batch.greeks(count)
    greeks = vanilla.greeks(*exact.grid(count))
    for name, array in batch.outputs.items():
        assert np.array_equal(array[:count], getattr(greeks, name)), name


def test_a_refused_element_of_a_batch_is_named(build: str) -> None:
    """The error is that of the function."""
    batch = filled(20)
    batch.inputs["volatility"][3] = -1.0
    with pytest.raises(ArgumentError, match=r"volatility\[3\] is -1.0"):
        batch.price(20)


@pytest.mark.parametrize("count", [-1, 26])
def test_more_than_the_capacity_is_refused(build: str, count: int) -> None:
    """A count that the arrays do not have is refused before anything is read."""
    with pytest.raises(ArgumentError, match=f"count is {count}: it must be from 0 to the capacity, 25"):
        filled(20).greeks(count)


@pytest.mark.parametrize("capacity", [0, 1_000_001])
def test_the_capacity_is_bounded(capacity: int) -> None:
    """A batch of nothing or of too much is refused."""
    with pytest.raises(ArgumentError, match="capacity is"):
        Batch(capacity)
