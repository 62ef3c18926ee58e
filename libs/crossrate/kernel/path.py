"""Which build of the kernel runs: one of the compiled paths, or the numpy twins."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

try:
    from crossrate.kernel import _native
except ImportError as error:  # no compiler where this was installed
    _native = None
    _IMPORT_ERROR: str | None = str(error)
else:
    _IMPORT_ERROR = None

CODES = {"baseline": 0, "avx2": 1, "avx512": 2}
NUMPY = "numpy"

ffi: Any = _native.ffi if _native else None
lib: Any = _native.lib if _native else None

_numpy = _native is None


def paths() -> tuple[str, ...]:
    """The builds that this machine can run, the numpy twins last."""
    compiled = tuple(name for name, code in CODES.items() if lib.xr_has(code)) if lib else ()
    return (*compiled, NUMPY)


def current() -> str:
    """The build that calls go to: the best of the machine unless `use` chose another."""
    if _numpy:
        return NUMPY
    chosen = lib.xr_path()
    return next(name for name, code in CODES.items() if code == chosen)


def rounding_class() -> str:
    """Builds of one class give the same bits: "fma", "plain" or "numpy"; record it with a risk run.

    That holds for any compiler and processor. Where the C library is another one, what ends in its erfc (p-values in
    `backtest`) may differ in the last bit.
    """
    if _numpy:
        return NUMPY
    return "fma" if lib.xr_fuses() else "plain"


def why_not_compiled() -> str | None:
    """Why the numpy twins serve, or None if the compiled kernel is there."""
    if _native is not None:
        return None
    note = Path(__file__).with_name("_unbuilt.txt")
    return note.read_text().strip() if note.exists() else _IMPORT_ERROR


def is_numpy() -> bool:
    """Whether calls go to the numpy twins."""
    return _numpy


def use(name: str) -> None:
    """Sends all further calls of the process to one build.

    Raises:
        ValueError: this machine has no such build.
    """
    global _numpy
    if name not in paths():
        raise ValueError(f"no kernel build {name!r} here: there are {', '.join(paths())}")
    _numpy = name == NUMPY
    if not _numpy:
        lib.xr_use(CODES[name])


@contextmanager
def using(name: str) -> Iterator[None]:
    """Uses one build inside a `with`, for tests and comparisons; it holds for all threads of the process."""
    before = current()
    use(name)
    try:
        yield
    finally:
        use(before)
