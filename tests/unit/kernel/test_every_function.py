"""What holds for every function over arrays, whichever noun it belongs to."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import crossrate.kernel
from crossrate.kernel import path
from crossrate.kernel.domain import Codes, Interval, Rule
from crossrate.kernel.front import Elementwise

ROOT = Path(__file__).resolve().parents[3]
HEADERS = sorted((ROOT / "libs" / "kernel" / "include" / "xr").glob("*.h"))


def elementwise() -> list[Elementwise]:
    """Every function over arrays of one length, of every module of the kernel."""
    found: dict[str, Elementwise] = {}
    for module in pkgutil.iter_modules(crossrate.kernel.__path__):
        if module.ispkg or module.name.startswith("_"):
            continue
        for value in vars(importlib.import_module(f"crossrate.kernel.{module.name}")).values():
            if isinstance(value, Elementwise):
                found[value.name] = value
    return list(found.values())


FUNCTIONS = elementwise()


def anything(rule: Rule, count: int, generator: np.random.Generator) -> np.ndarray:
    """Ordinary numbers, the borders of the domain, what lies just outside, and what is no number."""
    if isinstance(rule, Codes):
        return generator.integers(-1, rule.count + 1, count).astype(np.int8)
    assert isinstance(rule, Interval)
    middle = np.exp(generator.uniform(-3.0, 3.0, count)) * (1.0 if rule.low >= 0 else generator.choice([-1, 1], count))
    special = [rule.low, rule.high, np.nextafter(rule.low, -np.inf), np.nextafter(rule.high, np.inf)]
    special += [0.0, -0.0, 5e-324, 1e-310, 1.0, np.nan, np.inf, -np.inf, 1e308]
    return np.where(generator.random(count) < 0.15, generator.choice(special, count), middle)


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda each: each.name)
def test_a_result_is_a_number_or_has_a_reason(build: str, function: Elementwise) -> None:
    """Over the whole domain and beyond, a result is finite exactly where the status is OK: there is no silent NaN."""
    generator = np.random.default_rng(12)
    # Some twins iterate in Python.
    given = [anything(rule, 200 if build == path.NUMPY else 3000, generator) for rule in function.inputs.values()]
    *outputs, status = function(*given, with_status=True)
    for name, output in zip(function.outputs, outputs, strict=True):
        wrong = np.flatnonzero(np.isfinite(output) != (status == 0))
        assert not len(wrong), (name, [each[wrong[0]] for each in given], output[wrong[0]], status[wrong[0]])


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda each: each.name)
def test_every_build_refuses_the_same(function: Elementwise) -> None:
    """An element that one build refuses for its arguments is refused by all, for the same reason."""
    generator = np.random.default_rng(13)
    given = [anything(rule, 200, generator) for rule in function.inputs.values()]
    argued = {}
    for name in path.paths():
        with path.using(name):
            status = function(*given, with_status=True)[-1]
        argued[name] = np.where(status <= 3, status, 0)
    assert all(np.array_equal(each, argued["numpy"]) for each in argued.values())


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda each: each.name)
def test_the_declared_arguments_are_those_of_the_header(function: Elementwise) -> None:
    """Names and order of the binding are C's: count, inputs, outputs, status."""
    text = "\n".join(header.read_text() for header in HEADERS)
    declared = re.search(rf"int64_t {function.name}\(([^)]*)\)", text)
    assert declared, function.name
    names = [re.findall(r"(\w+)$", each.strip())[0] for each in declared.group(1).split(",")]
    assert names == ["count", *function.inputs, *function.outputs, "status"]


MODES = """
import ctypes, queue, sys, threading
import numpy as np
libm = ctypes.CDLL("libm.so.6")
libm.fegetenv.argtypes = [ctypes.c_void_p]

def mode():
    environment = (ctypes.c_uint8 * 64)()
    libm.fegetenv(environment)
    seen = bytes(environment)
    if sys.platform == "linux" and ctypes.sizeof(ctypes.c_void_p) == 8 and __import__("platform").machine() == "x86_64":
        mxcsr = int.from_bytes(seen[28:32], "little") & ~0x3F  # without the flags of what has happened
        seen = seen[:2] + mxcsr.to_bytes(4, "little")
    small = np.array([5e-324, 1e-310]) * np.array([3.0, 0.5])
    return seen, libm.fegetround(), libm.fegetexcept(), small.tolist(), 5e-324 * 3 == 1.5e-323, 1.0 + 2.0**-53

def elsewhere(go, found):
    go.get()
    found.put(mode())

go, found = queue.Queue(), queue.Queue()
early = threading.Thread(target=elsewhere, args=(go, found))
early.start()
before = mode()
from crossrate.kernel import front, path, random, vanilla
seen = []
for name in path.paths():
    path.use(name)
    vanilla.price(1, np.full(9000, 1.1), 1.2, 1.0, 0.1, 0.0, 0.0, threads=3)
    random.normals(9000, 2, seed=1, threads=3)
    front.in_threads(lambda start, stop: seen.append(mode()) or 0, 9000, 3)
go.put(None)
early.join()
late = threading.Thread(target=lambda: (go.put(None), elsewhere(go, found)))
late.start()
late.join()
after = [mode(), found.get(), found.get(), *seen]
assert len(seen) == 3 * len(path.paths())
assert all(each == before for each in after), (before, after)
for rounding in (0, 0x400, 0x800, 0xC00) if __import__("platform").machine() == "x86_64" else (0,):
    libm.fesetround(rounding)
    kept = []
    for name in path.paths():
        path.use(name)
        vanilla.price(1, 1.1, 1.2, 1.0, 0.1, 0.0, 0.0)
        kept.append(libm.fegetround())
    libm.fesetround(0)
    assert kept == [rounding] * len(kept), kept
"""


def test_importing_and_calling_the_kernel_leave_the_floating_point_mode_alone() -> None:
    """Control words, rounding and denormals stay in threads from before and after and in the kernel's own.

    A rounding mode that a caller chose outlives a call of each build.
    """
    done = subprocess.run([sys.executable, "-c", MODES], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


# What only checks, describes, orders or looks up.
WITHOUT_ARITHMETIC = {
    "backtest": {"add_on_1996", "breaches"},
    "bootstrap": {"deposit", "overnight_index_swap"},
    "business_clock": {"day_weights"},
    "margin": {"scenarios"},
    "parametric": {"is_valid"},
    "paths": {"checked", "for_each_interval", "increments", "intervals", "require_reach", "single"},
    "sobol": {"bridge_plan", "directions", "scrambled"},
    "swap_points": {"require_consistent", "with_spot"},
    "var": {"interval"},
    "volatility_filter": {"exponential"},
}
PLUMBING = {"domain", "draws", "faults", "front", "path", "ragged", "rows", "tables"}
BOUND = re.compile(
    r"[Ww]ithin [^.]*\d|[Ww]ithin that of|\bexact\b|rounded once|rounding|bounds? as|[Mm]et to \d|as exact as"
)


def computing() -> list[tuple[str, str, str]]:
    """Module, name and docstring of every public function that computes."""
    found = []
    for module in pkgutil.iter_modules(crossrate.kernel.__path__):
        if module.ispkg or module.name.startswith("_") or module.name in PLUMBING:
            continue
        members = vars(importlib.import_module(f"crossrate.kernel.{module.name}"))
        for name, value in members.items():
            own = inspect.isfunction(value) and value.__module__ == f"crossrate.kernel.{module.name}"
            if own and not name.startswith("_") and name not in WITHOUT_ARITHMETIC.get(module.name, ()):
                found.append((module.name, name, inspect.getdoc(value) or ""))
    return found


@pytest.mark.parametrize(("module", "name", "says"), computing(), ids=lambda each: each if "\n" not in each else "")
def test_the_docstring_states_how_exact_it_is(module: str, name: str, says: str) -> None:
    """Who calls a function learns how far its result may be from the exact one, and of what that is a part."""
    assert BOUND.search(says), f"{module}.{name} states no bound of its error"
