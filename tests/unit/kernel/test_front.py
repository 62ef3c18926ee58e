"""What stands before every kernel function."""

from __future__ import annotations

import re

import numpy as np
import pytest

from crossrate.kernel import ArgumentError, ShapeError, path, vanilla
from crossrate.kernel.faults import Reason

FINE = {
    "put_or_call": 1,
    "spot": 1.1,
    "strike": 1.1,
    "time": 1.0,
    "volatility": 0.1,
    "domestic_rate": 0.02,
    "foreign_rate": 0.01,
}


def test_the_machine_has_a_compiled_build() -> None:
    """Where the tests run there is a compiler, so that the compiled kernel is what they test."""
    assert path.why_not_compiled() is None
    assert "baseline" in path.paths()


@pytest.mark.parametrize(
    ("argument", "value", "reason"),
    [
        ("put_or_call", 2, Reason.NOT_A_CODE),
        ("put_or_call", -1, Reason.NOT_A_CODE),
        ("spot", 0.0, Reason.OUT_OF_RANGE),
        ("spot", np.nan, Reason.NOT_FINITE),
        ("strike", 0.0, Reason.OUT_OF_RANGE),
        ("strike", 1.1e60, Reason.OUT_OF_RANGE),
        ("time", -1e-300, Reason.OUT_OF_RANGE),
        ("time", 100.1, Reason.OUT_OF_RANGE),
        ("volatility", -0.1, Reason.OUT_OF_RANGE),
        ("volatility", np.inf, Reason.NOT_FINITE),
        ("domestic_rate", 5.1, Reason.OUT_OF_RANGE),
        ("foreign_rate", -5.1, Reason.OUT_OF_RANGE),
    ],
)
def test_a_refused_element_is_named(build: str, argument: str, value: float, reason: Reason) -> None:
    """The error names the argument, the first offending index, the value and what it must be."""
    column = np.full(2000, FINE[argument], np.int8 if argument == "put_or_call" else np.float64)
    column[1500:1503] = value
    with pytest.raises(ArgumentError, match=re.escape(f"{argument}[1500] is ")) as caught:
        vanilla.price(**{**FINE, argument: column})
    assert (caught.value.argument, caught.value.index, caught.value.reason) == (argument, 1500, reason)
    assert "it must be" in str(caught.value)


def test_the_first_refused_element_is_named_also_with_threads(build: str) -> None:
    """Threads change nothing about which element is named."""
    strike = np.full(5000, 1.1)
    strike[[1030, 4999]] = np.nan
    with pytest.raises(ArgumentError, match=r"strike\[1030\]"):
        vanilla.price(1, 1.1, strike, 1.0, 0.1, 0.0, 0.0, threads=2)


def test_an_index_of_several_dimensions_is_told_as_such(build: str) -> None:
    """A refused element of a matrix is named by row and column."""
    strike = np.full((3, 4), 1.1)
    strike[2, 1] = -1.0
    with pytest.raises(ArgumentError, match=r"strike\[2, 1\] is -1.0"):
        vanilla.price(1, 1.1, strike, 1.0, 0.1, 0.0, 0.0)


def test_a_single_number_has_no_index(build: str) -> None:
    """A refused number is named without an index."""
    with pytest.raises(ArgumentError, match=r"^volatility is -0.1"):
        vanilla.price(1, 1.1, 1.1, 1.0, -0.1, 0.0, 0.0)


def test_arrays_of_different_lengths_are_refused(build: str) -> None:
    """Only single numbers are repeated; two arrays must have one shape, and the error names both."""
    with pytest.raises(ShapeError, match=r"strike has shape \(3,\), spot has \(2,\)"):
        vanilla.price(1, np.ones(2), np.ones(3), 1.0, 0.1, 0.0, 0.0)


@pytest.mark.parametrize("column", [np.ones(2, np.float32), np.ones(2, complex), np.array(["1", "2"]), "1.1", None])
def test_another_type_is_refused(build: str, column: object) -> None:
    """What is not a float64 is not silently rounded or guessed."""
    with pytest.raises(TypeError, match="spot"):
        vanilla.price(1, column, 1.1, 1.0, 0.1, 0.0, 0.0)


def test_no_elements_give_no_elements(build: str) -> None:
    """An empty batch is a batch."""
    assert vanilla.price(1, np.empty(0), 1.1, 1.0, 0.1, 0.0, 0.0).shape == (0,)


def test_shapes_and_strides_do_not_matter(build: str) -> None:
    """A strided or transposed array gives what its copy gives, in the array's shape."""
    wide = np.linspace(0.5, 2.0, 24).reshape(4, 6)
    spot = wide[:, ::2].T
    prices = vanilla.price(1, spot, 1.1, 1.0, 0.1, 0.0, 0.0)
    assert prices.shape == (3, 4)
    assert np.array_equal(prices, vanilla.price(1, np.ascontiguousarray(spot), 1.1, 1.0, 0.1, 0.0, 0.0))


def test_the_number_of_threads_changes_no_bit(build: str) -> None:
    """An element's result depends on nothing but the element."""
    strike = np.linspace(0.5, 2.0, 4097)
    once = vanilla.price(1, 1.1, strike, 1.0, 0.1, 0.02, 0.01)
    assert np.array_equal(once, vanilla.price(1, 1.1, strike, 1.0, 0.1, 0.02, 0.01, threads=3))
    assert once[1234] == vanilla.price(1, 1.1, strike[1234], 1.0, 0.1, 0.02, 0.01)


@pytest.mark.parametrize("threads", [0, -1, 257, 1.5])
def test_threads_are_bounded(build: str, threads: object) -> None:
    """A number of threads that cannot be meant is refused."""
    with pytest.raises(ArgumentError, match="threads is"):
        vanilla.price(1, 1.1, 1.1, 1.0, 0.1, 0.0, 0.0, threads=threads)  # type: ignore[arg-type]
