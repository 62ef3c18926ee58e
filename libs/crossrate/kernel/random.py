"""Random numbers that are counted, not drawn: Philox4x32-10 (Salmon, Moraes, Dror and Shaw 2011).

A number is a function of (seed, stream, path, step) alone. Whoever asks for path 7,000,000 of a run gets it without the
paths before it, and a run gives the same bits whatever the number of threads and the order of its parts. Streams
separate uses of one seed: a stream for each risk factor group, one for each what-if.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crossrate.kernel import path
from crossrate.kernel.draws import BLOCK, columns, extent, source
from crossrate.kernel.faults import ShapeError
from crossrate.kernel.front import in_threads, pointer
from crossrate.kernel.reference import random as reference

Table = NDArray[np.float64]


def words(counter: NDArray[np.uint32], key: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """The bare generator: ten rounds of Philox4x32, for those who count by themselves.

    They are exact.

    Args:
        counter: uint32, shape (n, 4), Random123's order of words.
        key: uint32, shape (2,).

    Returns:
        uint32, shape (n, 4).

    Raises:
        ShapeError: a shape is another one.
        TypeError: an array is not uint32.
    """
    for name, array, ending in (("counter", counter, (4,)), ("key", key, ())):
        if not isinstance(array, np.ndarray) or array.dtype != np.uint32:
            raise TypeError(f"{name} must be an array of uint32")
        if array.ndim != 1 + len(ending) or array.shape[1:] != ending:
            raise ShapeError(f"{name} has shape {array.shape}: {'(n, 4)' if ending else '(2,)'} is needed")
    if key.shape != (2,):
        raise ShapeError(f"key has shape {key.shape}: (2,) is needed")
    if path.is_numpy():
        return reference.words(counter, key)
    counter, key = np.ascontiguousarray(counter), np.ascontiguousarray(key)
    found = np.empty_like(counter)
    path.lib.xr_random_words(len(counter), pointer(counter), pointer(key), pointer(found))
    return found


def uniforms(
    paths: int,
    steps: int,
    *,
    seed: int,
    stream: int = 0,
    first_path: int = 0,
    first_step: int = 0,
    threads: int = 1,
) -> Table:
    """Uniform numbers in (0, 1), never 0 nor 1: (k + 1/2) / 2**52 for k from 0 to 2**52 - 1.

    They are exact.

    Args:
        paths: how many columns.
        steps: how many rows.
        seed: 0 to 2**64 - 1.
        stream: 0 to 2**32 - 1.
        first_path: the path of the first column; the last path is below 2**48.
        first_step: the step of the first row; the last step is below 2**32.
        threads: how many threads share the work; they change no bit.

    Returns:
        float64, shape (steps, paths); all builds give the same bits.

    Raises:
        ArgumentError: an argument is out of its range.
        TypeError: an argument is not a whole number.
    """
    return _table("xr_random_uniforms", reference.uniforms, paths, steps, seed, stream, first_path, first_step, threads)


def normals(
    paths: int,
    steps: int,
    *,
    seed: int,
    stream: int = 0,
    first_path: int = 0,
    first_step: int = 0,
    threads: int = 1,
) -> Table:
    """Standard normal numbers: Box and Muller (1958) on the uniforms of steps 2j and 2j + 1 of a path.

    Step 2j gets sqrt(-2 ln u) cos(2 pi v) and step 2j + 1 the sine, with u the uniform of step 2j and v that of 2j + 1.
    Arguments and errors are those of `uniforms`.

    Returns:
        float64, shape (steps, paths), from -8.6 to 8.6. Within 1e-15 of the exact transform, relative to the number.
        Builds of one rounding class give the same bits.
    """
    return _table("xr_random_normals", reference.normals, paths, steps, seed, stream, first_path, first_step, threads)


def _table(
    name: str,
    twin: Callable[..., Table],
    paths: Any,
    steps: Any,
    seed: Any,
    stream: Any,
    first_path: Any,
    first_step: Any,
    threads: int,
) -> Table:
    key, lane = source(seed, stream)
    count, rows, first, row = extent(paths, steps, first_path, first_step)
    table = np.empty((rows, count))

    def compiled(start: int, stop: int) -> int:
        function = getattr(path.lib, name)
        return int(function(stop - start, rows, key, lane, first + start, row, count, columns(table, start)))

    def numpy(start: int, stop: int) -> int:
        table[:, start:stop] = twin(stop - start, rows, key, lane, first + start, row)
        return 0

    in_threads(numpy if path.is_numpy() else compiled, count, threads, quantum=16 * BLOCK)
    return table
