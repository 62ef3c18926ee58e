"""Random numbers that are counted: the numpy twins of xr/random.h."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Words = NDArray[np.uint64]

MULTIPLIERS = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
WEYL = 0x9E3779B9, 0xBB67AE85
LOW = np.uint64(0xFFFFFFFF)
HALF = np.uint64(32)
PAIRS_AT_ONCE = 16
PATHS_AT_ONCE = 4096


def words(counter: NDArray[np.uint32], key: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Philox4x32-10 (Salmon, Moraes, Dror and Shaw 2011, section 4.3) of each row."""
    lanes = tuple(counter[:, each].astype(np.uint64) for each in range(4))
    return np.stack(philox(lanes, (int(key[0]), int(key[1]))), axis=1).astype(np.uint32)


def philox(counter: tuple[Words, ...], key: tuple[int, int]) -> tuple[Words, ...]:
    """The ten rounds over four arrays of words (uint64 that hold 32 bits), which are broadcast."""
    c0, c1, c2, c3 = counter
    for each in range(10):
        k0, k1 = (np.uint64((start + each * step) & 0xFFFFFFFF) for start, step in zip(key, WEYL, strict=True))
        p0, p1 = c0 * MULTIPLIERS[0], c2 * MULTIPLIERS[1]
        c0, c1, c2, c3 = (p1 >> HALF) ^ c1 ^ k0, p1 & LOW, (p0 >> HALF) ^ c3 ^ k1, p0 & LOW
    return c0, c1, c2, c3


def uniform_pairs(paths: int, pairs: range, seed: int, stream: int, first_path: int) -> tuple[Array, Array]:
    """Uniforms of the even and of the odd steps of some pairs: two tables of a row for each pair."""
    path = np.arange(first_path, first_path + paths, dtype=np.uint64)[None, :]
    pair = np.arange(pairs.start, pairs.stop, dtype=np.uint64)[:, None]
    c0, c1, c2, c3 = philox(
        (path & LOW, path >> HALF, pair, np.full((1, 1), stream, np.uint64)), (seed & 0xFFFFFFFF, seed >> 32)
    )
    return unit(c0 << HALF | c1), unit(c2 << HALF | c3)


def unit(word: Words) -> Array:
    """The 52 highest bits k of a word as (k + 1/2) / 2**52."""
    return ((word >> np.uint64(12)).astype(np.float64) + 0.5) * 2.0**-52


def normal_pairs(paths: int, pairs: range, seed: int, stream: int, first_path: int) -> tuple[Array, Array]:
    """Normals of the even and of the odd steps of some pairs: Box and Muller (1958)."""
    u, v = uniform_pairs(paths, pairs, seed, stream, first_path)
    radius = np.sqrt(-2.0 * np.log(u))
    quarter = np.rint(4.0 * v)
    rest = (4.0 * v - quarter) * (0.5 * math.pi)
    cosine, sine = np.cos(rest), np.sin(rest)
    turn = quarter.astype(np.int64) & 3
    return (
        radius * np.choose(turn, (cosine, -sine, -cosine, sine)),
        radius * np.choose(turn, (sine, cosine, -sine, -cosine)),
    )


def _table(draw: object, paths: int, steps: int, seed: int, stream: int, first_path: int, first_step: int) -> Array:
    begin, end = first_step // 2, -(-(first_step + steps) // 2)
    table = np.empty((2 * (end - begin), paths))
    for column in range(0, paths, PATHS_AT_ONCE):
        stop = min(column + PATHS_AT_ONCE, paths)
        for pair in range(begin, end, PAIRS_AT_ONCE):
            last = min(pair + PAIRS_AT_ONCE, end)
            even, odd = draw(stop - column, range(pair, last), seed, stream, first_path + column)  # type: ignore[operator]
            rows = slice(2 * (pair - begin), 2 * (last - begin))
            table[rows, column:stop] = np.stack((even, odd), axis=1).reshape(-1, stop - column)
    skipped = first_step % 2
    return table[skipped : skipped + steps]


def uniforms(paths: int, steps: int, seed: int, stream: int, first_path: int, first_step: int) -> Array:
    """A row of uniforms for each step."""
    return _table(uniform_pairs, paths, steps, seed, stream, first_path, first_step)


def normals(paths: int, steps: int, seed: int, stream: int, first_path: int, first_step: int) -> Array:
    """A row of normals for each step."""
    return _table(normal_pairs, paths, steps, seed, stream, first_path, first_step)
