"""What stands between a caller's arrays and a kernel function: checks, broadcasting, threads, errors.

A function of the kernel takes one array for each argument, all of one length, and gives one array for each result.
`Elementwise` makes a Python function of it: numbers and arrays in, arrays out, computed by the compiled path or by the
numpy twin, whichever `crossrate.kernel.path` chose, with the same errors.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crossrate.kernel import path
from crossrate.kernel.domain import Codes, Rule
from crossrate.kernel.faults import ArgumentError, Reason, ShapeError, unpack

THREADS_MAX = 256
Array = NDArray[Any]


def numbers(name: str, value: Any, dtype: Any = np.float64) -> Array:
    """An argument as a C-contiguous array, without a copy where it is one already.

    Raises:
        TypeError: it is not numeric, or an array of another type than the kernel computes in.
    """
    wanted = np.dtype(dtype)
    if isinstance(value, np.ndarray):
        if value.dtype == wanted:
            return np.asarray(value, order="C")
        if wanted.kind == "i" and value.dtype.kind in "iub":
            return _codes(name, value, wanted)
        raise TypeError(
            f"{name} has dtype {value.dtype}, the kernel computes in {wanted}: pass {name}.astype('{wanted}')"
        )
    if isinstance(value, (float, int)) and wanted.kind == "f":
        return np.array(value, wanted)
    found = np.asarray(value)
    if found.dtype.kind not in ("iub" if wanted.kind == "i" else "iuf"):
        raise TypeError(f"{name} is {type(value).__name__} of {found.dtype}: numbers are needed ({wanted})")
    return _codes(name, found, wanted) if wanted.kind == "i" else np.asarray(found, wanted, order="C")


def _codes(name: str, value: Array, wanted: np.dtype[Any]) -> Array:
    """Integers as the kernel's small ones; what does not fit becomes -1, which no code is."""
    if wanted.itemsize == 8 and value.dtype != np.uint64:
        return np.asarray(value, wanted, order="C")
    limits = np.iinfo(wanted)
    return np.where((value >= limits.min) & (value <= limits.max), value, -1).astype(wanted)


def common_shape(arguments: Mapping[str, Array]) -> tuple[int, ...]:
    """The one shape of all arrays that are not single numbers.

    Raises:
        ShapeError: two arguments have different shapes.
    """
    shape: tuple[int, ...] = ()
    first = ""
    for name, value in arguments.items():
        if value.ndim == 0 or value.shape == shape:
            continue
        if first:
            raise ShapeError(
                f"{name} has shape {value.shape}, {first} has {shape}: arrays must have one shape; only single numbers "
                "are repeated"
            )
        shape, first = value.shape, name
    return shape


def pointer(array: Array) -> Any:
    """The C pointer to an array's elements; the caller keeps the array alive."""
    return path.ffi.cast(_c_type(array.dtype), array.ctypes.data)


@lru_cache(maxsize=16)
def _c_type(dtype: np.dtype[Any]) -> Any:
    names = {
        "f8": "double *",
        "i1": "int8_t *",
        "u1": "uint8_t *",
        "i4": "int32_t *",
        "i8": "int64_t *",
        "u4": "uint32_t *",
        "u8": "uint64_t *",
    }
    return path.ffi.typeof(names[dtype.str[1:]])


def threads_of(threads: int) -> int:
    """Checks a number of threads.

    Raises:
        ArgumentError: it is not from 1 to 256.
    """
    if not isinstance(threads, int) or not 1 <= threads <= THREADS_MAX:
        raise ArgumentError("threads", None, Reason.OUT_OF_RANGE, threads, f"it must be from 1 to {THREADS_MAX}")
    return threads


def split(count: int, threads: int, quantum: int = 1024) -> list[tuple[int, int]]:
    """Cuts `count` elements into at most `threads` runs whose borders are multiples of `quantum`."""
    blocks = -(-count // quantum)
    runs = min(threads, max(blocks, 1))
    borders = [min(count, blocks * each // runs * quantum) for each in range(runs + 1)]
    return list(pairwise(borders))


def in_threads(work: Callable[[int, int], int], count: int, threads: int, quantum: int = 1024) -> int:
    """Runs `work(start, stop)` over all elements, in as many threads as asked; the first fault by index, or 0.

    The GIL is released inside of each call of the kernel, so that threads run side by side. The caller's is one of
    them, the others are made for this call: it pays from some milliseconds of work on.
    """
    runs = split(count, threads_of(threads), quantum)
    if len(runs) == 1:
        return work(*runs[0])
    with ThreadPoolExecutor(len(runs) - 1) as pool:
        others = [pool.submit(work, *run) for run in runs[1:]]
        own = work(*runs[0])
        return next((fault for fault in (own, *(each.result() for each in others)) if fault), 0)


def moved(fault: int, start: int) -> int:
    """A fault of a run that began at `start`, with its index counted from the beginning."""
    return fault + start if fault else 0


class Elementwise:
    """A kernel function over arrays of one length, callable on arrays and numbers.

    Args:
        name: the C function: `int64_t name(int64_t count, const inputs..., outputs..., uint8_t *status)`.
        inputs: each argument's name and what it may be, in C's order.
        outputs: the results' names, in C's order; all float64.
        twin: takes the inputs as clean float64/int8 arrays of one dimension and returns a tuple of the outputs; one
            more array of reasons at the end where an element may have no result.
        blame: the input that a twin's reasons are about.
    """

    def __init__(
        self,
        name: str,
        inputs: Mapping[str, Rule],
        outputs: Sequence[str],
        twin: Callable[..., tuple[Array, ...]],
        blame: str = "",
    ):
        self.name = name
        self.inputs = dict(inputs)
        self.outputs = tuple(outputs)
        self.twin = twin
        self.blame = blame

    def __call__(self, *arguments: Any, threads: int = 1, with_status: bool = False) -> tuple[Array, ...]:
        """The outputs, and with `with_status` the reasons (uint8) after them, where refused elements give NaN.

        Raises:
            ArgumentError: an element was refused, and `with_status` is off.
            ShapeError: the arrays' shapes differ.
            TypeError: an argument is not numeric or has another dtype.
        """
        given = {
            name: numbers(name, value, np.int8 if isinstance(rule, Codes) else np.float64)
            for (name, rule), value in zip(self.inputs.items(), arguments, strict=True)
        }
        shape = common_shape(given)
        count = int(np.prod(shape, dtype=np.int64))
        flat = [value.reshape(-1) if value.ndim else np.full(count, value[()], value.dtype) for value in given.values()]
        outputs = [np.empty(count) for _ in self.outputs]
        status = np.zeros(count, np.uint8) if with_status else None
        run = self._twin if path.is_numpy() else self._compiled
        fault = run(flat, outputs, status, count, threads)
        if fault:
            raise self.error(fault, flat, shape)
        shaped = [each.reshape(shape) for each in outputs]
        return (*shaped, status.reshape(shape)) if status is not None else tuple(shaped)

    def error(self, fault: int, flat: Sequence[Array], shape: tuple[int, ...]) -> ArgumentError:
        """What a fault means, in words."""
        reason, place, index = unpack(fault)
        name = tuple(self.inputs)[place - 1]
        rule = self.inputs[name]
        at: int | tuple[int, ...] | None = index
        if len(shape) == 0:
            at = None
        elif len(shape) > 1:
            at = tuple(int(each) for each in np.unravel_index(index, shape))
        says = rule.says if reason in (Reason.NOT_FINITE, Reason.OUT_OF_RANGE, Reason.NOT_A_CODE) else MEANS[reason]
        return ArgumentError(name, at, reason, flat[place - 1][index].item(), says)

    def _compiled(self, flat: list[Array], outputs: list[Array], status: Array | None, count: int, threads: int) -> int:
        function = getattr(path.lib, self.name)

        def work(start: int, stop: int) -> int:
            views = [pointer(each[start:stop]) for each in (*flat, *outputs)]
            state = path.ffi.NULL if status is None else pointer(status[start:stop])
            return moved(function(stop - start, *views, state), start)

        return in_threads(work, count, threads)

    def _twin(self, flat: list[Array], outputs: list[Array], status: Array | None, count: int, threads: int) -> int:
        threads_of(threads)
        reasons = np.zeros(count, np.uint8)
        blamed = np.zeros(count, np.uint8)
        for place, (rule, values) in enumerate(zip(self.inputs.values(), flat, strict=True), 1):
            refused = np.where(reasons == 0, rule.refused(values), 0)
            blamed[refused > 0] = place
            reasons += refused.astype(np.uint8)
        clean = reasons == 0
        for each in outputs:
            each[~clean] = np.nan
        results = self.twin(*(each[clean] for each in flat))
        if len(results) > len(outputs):
            without = np.zeros(count, np.uint8)
            without[clean] = results[-1]
            blamed[without > 0] = tuple(self.inputs).index(self.blame) + 1
            reasons += without
        for each, result in zip(outputs, results, strict=False):
            each[clean] = result
        if status is not None:
            status[:] = reasons
            return 0
        first = int(np.argmax(reasons > 0)) if count else 0
        if count == 0 or not reasons[first]:
            return 0
        return int(reasons[first]) << 56 | int(blamed[first]) << 48 | first


MEANS = {
    Reason.NO_SOLUTION: "no number solves this",
    Reason.NOT_CONVERGED: "the iteration reached its bound",
    Reason.NOT_ASCENDING: "the elements must ascend",
    Reason.NOT_PSD: "the matrix is not positive semi-definite",
    Reason.TOO_FEW: "more elements are needed",
    Reason.INCONSISTENT: "it contradicts another argument",
}
