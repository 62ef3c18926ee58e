"""Sobol sequences (Sobol 1967) with the direction numbers of Joe and Kuo (2008), and Brownian motions from them.

A coordinate is a function of (seed, stream, number of the point, dimension) alone. Take powers of two of points.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crossrate.kernel import path
from crossrate.kernel.domain import AMOUNT
from crossrate.kernel.draws import BLOCK, columns, source, whole
from crossrate.kernel.faults import ArgumentError, Reason, ShapeError
from crossrate.kernel.front import in_threads, pointer
from crossrate.kernel.paths import checked, intervals
from crossrate.kernel.reference import sobol as reference
from crossrate.kernel.reference.random import philox

Array = NDArray[np.float64]
Words = NDArray[np.uint64]
DIMENSIONS_MAX = 1024
POINTS_MAX = 2**32
COLUMNS = 32
SCRAMBLES = ("none", "shift", "matrix")
TABLE = Path(__file__).with_name("published") / "joe_kuo_6.tsv"


def points(
    count: int,
    dimensions: int,
    *,
    scramble: str = "none",
    seed: int = 0,
    stream: int = 0,
    first_point: int = 0,
    threads: int = 1,
) -> Array:
    """Points in (0, 1), at the middles of cells of 2**-52.

    They are exact.

    Args:
        count: how many points.
        dimensions: 1 to 1,024.
        scramble: "none" (then a coordinate of point 0 is 2**-53); "shift": a digital shift, by exclusive or with random
            words; "matrix": random lower triangular matrices on the digits and a digital shift (Matousek 1998), which
            keeps the net's structure and makes each point uniform, so that seeds give independent estimates.
        seed: 0 to 2**64 - 1, of the scrambling.
        stream: 0 to 2**32 - 1.
        first_point: number of the first point; the last is below 2**32.
        threads: how many threads share the work; they change no bit.

    Returns:
        float64, shape (dimensions, count); all builds give the same bits.

    Raises:
        ArgumentError: an argument is out of its range.
        TypeError: an argument is not a whole number.
    """
    return _table(count, dimensions, False, scramble, (seed, stream), first_point, threads)


def normals(
    count: int,
    dimensions: int,
    *,
    scramble: str = "matrix",
    seed: int = 0,
    stream: int = 0,
    first_point: int = 0,
    threads: int = 1,
) -> Array:
    """Standard normal numbers: the quantiles (Wichura 1988) of `points`, whose arguments and errors these are.

    Within 1e-15 of the exact quantile, relative to it.

    Returns:
        float64, shape (dimensions, count). Builds of one rounding class give the same bits.
    """
    return _table(count, dimensions, True, scramble, (seed, stream), first_point, threads)


def bridge(normals: Any, times: Any, *, threads: int = 1) -> Array:
    """Brownian motions at the times, whose first dimensions decide most (Caflisch and Moskowitz 1995).

    Row 0 of the normals gives the value at the last time, the following ones halve what lies between, breadth first.

    Within 1e-15 × sqrt(last time) of the conditional law in exact arithmetic.

    Args:
        normals: standard normal numbers, shape (steps, paths).
        times: years from today, ascending, above 0; shape (steps,).
        threads: how many threads share the work; they change no bit.

    Returns:
        float64, shape (steps, paths): W at each time; its variance is the time.

    Raises:
        ArgumentError: a time or a normal is out of range, or times do not ascend.
        ShapeError: there is not one row of normals for each time.
        TypeError: an argument is not numeric or has another dtype.
    """
    widths = intervals(times)
    draws = checked("normals", normals, AMOUNT)
    if draws.ndim != 2 or len(draws) != len(widths):
        raise ShapeError(f"normals has shape {draws.shape}: {len(widths)} rows are needed, one for each of the times")
    plan = bridge_plan(np.cumsum(widths))
    steps, count = draws.shape
    motion = np.empty(draws.shape)

    def compiled(begin: int, end: int) -> int:
        tables = columns(draws, begin), count, columns(motion, begin)
        return int(path.lib.xr_sobol_bridge(end - begin, steps, *map(pointer, plan), *tables))

    def numpy(begin: int, end: int) -> int:
        motion[:, begin:end] = reference.bridge(draws[:, begin:end], *plan)
        return 0

    in_threads(numpy if path.is_numpy() else compiled, count, threads, quantum=16 * BLOCK)
    return motion


def bridge_plan(times: Array) -> tuple[NDArray[Any], ...]:
    """Order, left and right neighbours, their weights and the deviation of each row of a bridge; -1 is no row.

    W(t) given W(l) and W(r) has mean ((r - t) W(l) + (t - l) W(r)) / (r - l) and variance (r - t) (t - l) / (r - l).
    """
    last = len(times) - 1
    rows: list[tuple[int, int, int, float, float, float]] = [(last, -1, -1, 0.0, 0.0, float(np.sqrt(times[last])))]
    gaps = [(-1, last)]
    for left, right in gaps:  # grows while it is read: breadth first
        middle = (left + right) // 2
        if middle == left:
            continue
        begin = float(times[left]) if left >= 0 else 0.0
        before, after = float(times[middle]) - begin, float(times[right] - times[middle])
        wide = before + after
        rows.append((middle, left, right, after / wide, before / wide, float(np.sqrt(before * after / wide))))
        gaps += [(left, middle), (middle, right)]
    kinds = (np.int64, np.int64, np.int64, np.float64, np.float64, np.float64)
    return tuple(np.array(column, kind) for column, kind in zip(zip(*rows, strict=True), kinds, strict=True))


@lru_cache(maxsize=1)
def directions() -> Words:
    """The direction numbers of all dimensions: shape (1024, 32), the binary point before the highest bit.

    Bratley and Fox (1988), equations 2 and 3, on the initial numbers of Joe and Kuo (2008).
    """
    table = np.zeros((DIMENSIONS_MAX, COLUMNS), np.uint64)
    table[0] = [1 << (63 - column) for column in range(COLUMNS)]
    for line in TABLE.read_text().splitlines():
        if line.startswith("#"):
            continue
        dimension, degree, inner, initial = line.split("\t")
        s, a = int(degree), int(inner)
        words = [int(m) << (63 - column) for column, m in enumerate(initial.split(" "))]
        for column in range(s, COLUMNS):
            word = words[column - s] ^ (words[column - s] >> s)
            for each in range(1, s):
                word ^= words[column - each] if a >> (s - 1 - each) & 1 else 0
            words.append(word)
        table[int(dimension) - 1] = words[:COLUMNS]
    table.flags.writeable = False
    return table


def scrambled(dimensions: int, scramble: str, seed: int, stream: int) -> tuple[Words, Words]:
    """Direction numbers and shifts after scrambling; the random bits are words of Philox counted by dimension.

    The word at path d and step c is column c of dimension d's matrix, that at step 32 its shift.
    """
    plain = directions()[:dimensions]
    if scramble == "none":
        return plain, np.zeros(dimensions, np.uint64)
    dimension = np.arange(dimensions, dtype=np.uint64)[:, None]
    pair = np.arange(COLUMNS // 2 + 1, dtype=np.uint64)[None, :]
    counter = (dimension, np.zeros_like(dimension), pair, np.full((1, 1), stream, np.uint64))
    c0, c1, c2, c3 = philox(counter, (seed & 0xFFFFFFFF, seed >> 32))
    half = np.uint64(32)
    words = np.stack((c0 << half | c1, c2 << half | c3), axis=2).reshape(dimensions, -1)
    if scramble == "shift":
        return plain, np.ascontiguousarray(words[:, COLUMNS])
    mixed = np.zeros_like(plain)
    for digit in range(COLUMNS):
        place = np.uint64(1 << (63 - digit))
        column = (words[:, digit] & (place - np.uint64(1))) | place
        mixed ^= np.where(plain & place, column[:, None], np.uint64(0))
    return mixed, np.ascontiguousarray(words[:, COLUMNS])


def _table(
    count: Any, dimensions: Any, normal: bool, scramble: str, draw: tuple[Any, Any], first_point: Any, threads: int
) -> Array:
    size = whole("count", count, 0, POINTS_MAX)
    rows = whole("dimensions", dimensions, 1, DIMENSIONS_MAX)
    first = whole("first_point", first_point, 0, POINTS_MAX - size)
    if scramble not in SCRAMBLES:
        raise ArgumentError("scramble", None, Reason.NOT_A_CODE, scramble, f"it must be one of {', '.join(SCRAMBLES)}")
    words, shift = scrambled(rows, scramble, *source(*draw))
    words, table = np.ascontiguousarray(words), np.empty((rows, size))

    def compiled(begin: int, end: int) -> int:
        digits = pointer(words), pointer(shift), normal
        return int(path.lib.xr_sobol_points(end - begin, rows, *digits, first + begin, size, columns(table, begin)))

    def numpy(begin: int, end: int) -> int:
        table[:, begin:end] = reference.points(end - begin, words, shift, normal, first + begin)
        return 0

    in_threads(numpy if path.is_numpy() else compiled, size, threads, quantum=16 * BLOCK)
    return table
