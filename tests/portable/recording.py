"""Calls of the compiled kernel, written down as they cross the binding: which function, with what in every argument."""

from __future__ import annotations

import importlib
import pkgutil
import re
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

import crossrate.kernel
from crossrate.kernel import path
from tests.kernel_build import kernel_build

NULL = -1
SCALARS = {"double": "<d", "uint64_t": "<Q"}
STRUCT = "xr_vanilla_arrays"
MAKERS = ("pointer", "columns")  # of the binding's modules: what makes a C pointer of an array
DTYPES = {
    "double": "<f8",
    "int8_t": "i1",
    "uint8_t": "u1",
    "int64_t": "<i8",
    "uint64_t": "<u8",
    "uint32_t": "<u4",
}


@dataclass(frozen=True)
class Parameter:
    """One parameter of a C function: its name, its type without `const` and `*`, and what may be done with it."""

    name: str
    type: str
    is_pointer: bool
    is_output: bool

    @property
    def is_compared(self) -> bool:
        """Whether the caller may read it after the call: scratch memory has no meaning then."""
        return self.is_output and self.name not in ("scratch", "running")


@dataclass(frozen=True)
class Result:
    """What a call returned, and its outputs by name."""

    fault: int
    outputs: dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Call:
    """One call: each argument as the bytes that C saw, None for a null pointer, and what came back."""

    name: str
    arguments: tuple[bytes | None, ...]
    result: Result

    def packed(self, place: int) -> bytes:
        """The call as the harness reads it; `place` is the function's place among `signatures`."""
        parts = [struct.pack("<q", place)]
        for each in self.arguments:
            parts += [struct.pack("<q", NULL)] if each is None else [struct.pack("<q", len(each)), each]
        return b"".join(parts)


def signatures() -> dict[str, tuple[Parameter, ...]]:
    """Parameters of all functions that have any, in the headers' order; a struct of arrays is its fields."""
    build = kernel_build()
    fields = re.search(r"typedef struct \{([^}]*)\} " + STRUCT, build.declarations())
    assert fields is not None
    members = []
    for line in filter(None, (each.strip() for each in fields.group(1).split(";"))):
        first, *others = line.split(",")
        members += [first, *(re.sub(r"\w+$", "", first).rstrip() + each.strip() for each in others)]
    found = {}
    for each in build.functions():
        if each.parameters == "void":
            continue
        texts = [text.strip() for text in each.parameters.split(",")]
        if STRUCT in texts[0]:
            texts = [*members, *texts[1:]]
        found[each.name] = tuple(_parameter(text) for text in texts)
    return found


def _parameter(text: str) -> Parameter:
    name = re.findall(r"(\w+)$", text)[0]
    is_pointer = "*" in text
    kind = re.sub(r"\bconst\b|\*|\w+$", "", text).strip()
    return Parameter(name, kind, is_pointer, is_pointer and "const" not in text)


PARTLY_WRITTEN = frozenset({"xr_lines_read", "xr_ohlc_starts"})
"""Functions that leave the end of their outputs as it was: what stands there is no result."""


class _Recorder:
    """Stands for the compiled library: writes each call down and passes it on."""

    def __init__(self, library: Any, sizes: dict[int, int], calls: list[Call]):
        self._library, self._sizes, self._calls = library, sizes, calls
        self._signatures = signatures()

    def __getattr__(self, name: str) -> Any:
        function = getattr(self._library, name)
        if name not in self._signatures:
            return function

        def recorded(*arguments: Any) -> int:
            given = list(arguments)
            if _is_struct(given[0]):
                given = [getattr(given[0], each) for each, _ in path.ffi.typeof(STRUCT).fields] + given[1:]
            pairs = list(zip(self._signatures[name], given, strict=True))
            if name in PARTLY_WRITTEN:
                self._clear([argument for parameter, argument in pairs if parameter.is_compared])
            seen = tuple(self._bytes(*pair) for pair in pairs)
            fault = int(function(*arguments))
            after = {p.name: self._bytes(p, a) for p, a in pairs if p.is_compared}
            kinds = {p.name: DTYPES[p.type] for p, _ in pairs if p.is_compared}
            outputs = {key: np.frombuffer(data, kinds[key]) for key, data in after.items() if data is not None}
            self._calls.append(Call(name, seen, Result(fault, outputs)))
            return fault

        return recorded

    def _clear(self, outputs: Sequence[Any]) -> None:
        for each in outputs:
            size = self._sizes[int(path.ffi.cast("intptr_t", each))]
            path.ffi.buffer(each, size)[:] = bytes(size)

    def _bytes(self, parameter: Parameter, argument: Any) -> bytes | None:
        if not parameter.is_pointer:
            return struct.pack(SCALARS.get(parameter.type, "<q"), argument)
        address = int(path.ffi.cast("intptr_t", argument))
        return bytes(path.ffi.buffer(argument, self._sizes[address])) if address else None


def _is_struct(argument: Any) -> bool:
    return isinstance(argument, path.ffi.CData) and path.ffi.typeof(argument) == path.ffi.typeof(STRUCT + " *")


@contextmanager
def recording() -> Iterator[list[Call]]:
    """The calls that are made inside, by one thread; the compiled build has to be the current one.

    A pointer says nothing about how much it points to. So the binding's two makers of pointers are exchanged in every
    module for ones that remember it.
    """
    sizes: dict[int, int] = {}
    calls: list[Call] = []
    modules = [
        importlib.import_module(f"crossrate.kernel.{each.name}")
        for each in pkgutil.iter_modules(crossrate.kernel.__path__)
        if not each.ispkg and not each.name.startswith("_")
    ]
    originals = [(module, name, vars(module)[name]) for module in modules for name in MAKERS if name in vars(module)]
    library = path.lib

    def watched(make: Any) -> Any:
        def made(array: np.ndarray, start: int = 0) -> Any:
            sizes[array.ctypes.data + start * array.itemsize] = array.nbytes - start * array.itemsize
            return make(array, start) if start or make.__name__ == "columns" else make(array)

        return made

    try:
        for module, name, make in originals:
            setattr(module, name, watched(make))
        path.lib = _Recorder(library, sizes, calls)
        yield calls
    finally:
        path.lib = library
        for module, name, make in originals:
            setattr(module, name, make)


def packed(calls: Sequence[Call]) -> bytes:
    """All calls as the harness reads them."""
    places = {name: place for place, name in enumerate(signatures())}
    return b"".join(call.packed(places[call.name]) for call in calls)
