"""Batches that are large enough for their results to be written past the caches give what small ones give."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from crossrate.kernel import path, vanilla
from crossrate.kernel.front import pointer
from tests.unit.kernel import exact

COUNT = 300_100  # more than 16 MiB of seven results, and no multiple of a block
FILL = -7.0
"""What stands around the results; no Greek of these options is that number."""


@pytest.fixture(params=[each for each in path.paths() if each != path.NUMPY])
def compiled(request: pytest.FixtureRequest) -> Iterator[str]:
    """The name of a compiled build, which serves; the twins have one way to write."""
    with path.using(request.param):
        yield request.param


def straight(options: tuple[np.ndarray, ...], offsets: list[int], status: np.ndarray | None) -> list[np.ndarray]:
    """The seven results of one call, each in the middle of a larger array, from its own offset in a line on."""
    rooms = [np.full(len(options[1]) + 32, FILL) for _ in offsets]
    starts = [(-room.ctypes.data // 8) % 8 + 8 + offset for room, offset in zip(rooms, offsets, strict=True)]
    views = [room[start : start + len(options[1])] for room, start in zip(rooms, starts, strict=True)]
    state = path.ffi.NULL if status is None else pointer(status)
    fault = path.lib.xr_vanilla_greeks(len(options[1]), *map(pointer, options), *map(pointer, views), state)
    assert fault == 0
    for room, start in zip(rooms, starts, strict=True):
        assert np.all(room[:start] == FILL)
        assert np.all(room[start + len(options[1]) :] == FILL)
    return views


@pytest.fixture(scope="module")
def options() -> tuple[np.ndarray, ...]:
    """Options of all kinds."""
    return exact.grid(COUNT, 21)


def in_pieces(options: tuple[np.ndarray, ...]) -> list[np.ndarray]:
    """The results of small calls, one after the other."""
    pieces = [vanilla.greeks(*(each[i : i + 10_000] for each in options)) for i in range(0, COUNT, 10_000)]
    return [np.concatenate([getattr(each, name) for each in pieces]) for name in vanilla.Greeks.__slots__]


@pytest.mark.parametrize("offsets", [[0] * 7, [1, 2, 3, 4, 5, 6, 7], [7, 0, 4, 2, 6, 1, 3]])
def test_results_have_the_same_bits_wherever_they_stand(compiled: str, options: tuple, offsets: list[int]) -> None:
    """Seven rows, aligned or not, are those of small batches; nothing before or after them is touched."""
    for ours, piece in zip(straight(options, offsets, None), in_pieces(options), strict=True):
        assert np.array_equal(ours, piece)


def test_refused_elements_between_whole_blocks_leave_their_neighbours_alone(compiled: str, options: tuple) -> None:
    """Blocks with a refused element, the first and the last too, are written by another way into the same rows."""
    bad = np.array([0, 70, 130, 200, 5000, 5063, 5064, 5128, 299_999, COUNT - 1])
    strike = options[2].copy()
    strike[bad] = np.nan
    status = np.zeros(COUNT, np.uint8)
    found = straight((*options[:2], strike, *options[3:]), [3, 0, 5, 1, 7, 2, 6], status)
    assert np.array_equal(np.flatnonzero(status), bad)
    for ours, piece in zip(found, in_pieces(options), strict=True):
        assert np.array_equal(np.flatnonzero(np.isnan(ours)), bad)
        fine = status == 0
        assert np.array_equal(ours[fine], piece[fine])


def test_threads_share_a_large_batch(build: str, options: tuple) -> None:
    """Two threads' rows meet inside of a line, and both halves are there."""
    twice = [np.concatenate([each, each]) for each in options]
    found = vanilla.greeks(*twice, threads=2)
    for name, piece in zip(vanilla.Greeks.__slots__, in_pieces(options), strict=True):
        assert np.array_equal(getattr(found, name), np.concatenate([piece, piece])), name
