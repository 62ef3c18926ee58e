"""The kernel against numpy, numba, QuantLib and fast-vollib: one thread, processor time, medians of interleaved runs.

    uv run --group bench python tests/bench/kernel.py [--quick] [--only PREFIX]

A figure is nanoseconds an item (`_ns`), a ratio of the same run, or an error against 50 digits (`_err`).
"""

from __future__ import annotations

import argparse
import importlib.machinery
import importlib.util
import os
import subprocess
import sysconfig
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crossrate.kernel import implied, monte_carlo, path, revalue, vanilla
from crossrate.kernel.front import pointer
from crossrate.kernel.vanilla_batch import Batch
from tests.bench import figures, kernel_peers
from tests.unit.kernel import exact
from tests.unit.kernel.test_implied import refined

Array = NDArray[Any]
Results = dict[str, float]


def staggered(arrays: tuple[Array, ...]) -> tuple[Array, ...]:
    """Copies that begin at different offsets within a page: equal ones slow every peer that reads many arrays."""
    moved = []
    for i, each in enumerate(arrays):
        room = np.empty(each.size + 1024, each.dtype)
        view = room[(i + 1) * 24 : (i + 1) * 24 + each.size]
        view[:] = each
        moved.append(view)
    return tuple(moved)


def options(count: int, seed: int = 1) -> tuple[Array, ...]:
    """A book: half puts, a week to three years, five to forty percent, up to thirty percent from the money."""
    rng = np.random.default_rng(seed)
    days = rng.integers(7, 1095, count)
    return staggered(
        (
            rng.integers(0, 2, count).astype(np.int8),
            rng.uniform(0.9, 1.3, count),
            rng.uniform(0.8, 1.4, count),
            days / 365.0,
            rng.uniform(0.05, 0.4, count),
            rng.uniform(0.0, 0.06, count),
            rng.uniform(0.0, 0.06, count),
        )
    )


def interleaved(arms: dict[str, Callable[[], object]], runs: int) -> dict[str, float]:
    """The median processor time of each arm, in seconds; the arms take turns."""
    taken: dict[str, list[float]] = {name: [] for name in arms}
    for arm in arms.values():
        arm()
    for _ in range(runs):
        for name, arm in arms.items():
            began = time.process_time()
            arm()
            taken[name].append(time.process_time() - began)
    return {name: figures.median(each) for name, each in taken.items()}


def price_figures(quick: bool) -> Iterator[tuple[str, float]]:
    """Premiums and Greeks."""
    count = 1_000_000
    book = options(count)
    out = staggered(tuple(np.empty(count) for _ in range(7)))
    given = [pointer(each) for each in book]
    numba = kernel_peers.numba_price()
    numba_out = np.empty(count)
    null = path.ffi.NULL
    outs = [pointer(each) for each in out]
    arms: dict[str, Callable[[], object]] = {
        "price": lambda: path.lib.xr_vanilla_price(count, *given, outs[0], null),
        "greeks": lambda: path.lib.xr_vanilla_greeks(count, *given, *outs, null),
        "numpy": lambda: kernel_peers.numpy_price(*book),
        "numba": lambda: numba(*book, numba_out),
    }
    arms["price"]()
    arms["numba"]()
    for name, peer in (("numpy", kernel_peers.numpy_price(*book)), ("numba", numba_out)):
        assert np.allclose(peer, out[0], rtol=0, atol=1e-14), name
    taken = interleaved(arms, 5 if quick else 15)
    engine = kernel_peers.QuantLibEngine()
    some = 500 if quick else 3000
    rows = list(zip(*(each[:some].tolist() for each in book), strict=True))

    def loop() -> list[float]:
        return [engine.price(c, s, k, round(t * 365), v, rd, rf) for c, s, k, t, v, rd, rf in rows]

    assert np.allclose(loop(), out[0][:some], rtol=0, atol=1e-13)
    engine_ns = interleaved({"engine": loop}, 3)["engine"] / some * 1e9
    yield "price_ns", taken["price"] / count * 1e9
    yield "greeks_ns", taken["greeks"] / count * 1e9
    yield "greeks_over_price", taken["greeks"] / taken["price"]
    yield "price_vs_numpy", taken["numpy"] / taken["price"]
    yield "price_vs_numba", taken["numba"] / taken["price"]
    yield "price_vs_quantlib_engine", engine_ns / (taken["price"] / count * 1e9)


def path_figures(quick: bool) -> Iterator[tuple[str, float]]:
    """Every build of this machine, for who has another processor."""
    count = 200_000
    book = options(count)
    for name in path.paths()[:-1]:
        with path.using(name):
            taken = interleaved({"price": partial(vanilla.price, *book), "greeks": partial(vanilla.greeks, *book)}, 7)
        yield f"price_{name}_ns", taken["price"] / count * 1e9
        yield f"greeks_{name}_ns", taken["greeks"] / count * 1e9


def implied_figures(quick: bool) -> Iterator[tuple[str, float]]:
    """Implied volatility."""
    import fast_vollib

    count = 200_000
    _, spot, strike, life, volatility, domestic, foreign = options(count, 2)
    forward = spot * np.exp((domestic - foreign) * life)
    # Within five deviations, out of the money: what a market quotes.
    near = np.abs(np.log(strike / forward)) < 5.0 * volatility * np.sqrt(life)
    spot, strike, life, volatility, domestic, foreign, forward = (
        each[near] for each in (spot, strike, life, volatility, domestic, foreign, forward)
    )
    call = (strike > forward).astype(np.int8)
    price = vanilla.price(call, spot, strike, life, volatility, domestic, foreign)
    arrays = staggered((call, price, spot, strike, life, domestic, foreign))
    count = len(price)
    out = np.empty(count)
    given = [pointer(each) for each in arrays]
    null = path.ffi.NULL
    flags = np.where(call == 1, "c", "p")

    def vollib() -> Array:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return np.asarray(
                fast_vollib.fast_implied_volatility(
                    price,
                    spot,
                    strike,
                    life,
                    domestic,
                    flags,
                    q=foreign,
                    model="black_scholes_merton",
                    return_as="numpy",
                    backend="numba",
                )
            )

    some = 2000 if quick else 20000
    discount = np.exp(-domestic * life)
    taken = interleaved(
        {
            "ours": lambda: path.lib.xr_implied_volatility(count, *given, pointer(out), null),
            "vollib": vollib,
            "quantlib": lambda: kernel_peers.quantlib_implied(
                *(each[:some] for each in (call, price, forward, strike, discount))
            ),
        },
        3 if quick else 9,
    )
    assert np.allclose(out, volatility, rtol=1e-9)
    assert np.nanmedian(np.abs(vollib() - volatility)) < 1e-8
    ours = taken["ours"] / count
    yield "implied_vol_ns", ours * 1e9
    yield "implied_vol_vs_fast_vollib", taken["vollib"] / count / ours
    yield "implied_vol_vs_quantlib", taken["quantlib"] / some / ours


def revalue_figures(quick: bool) -> Iterator[tuple[str, float]]:
    """10,000 options in 1,000 scenarios of spot and volatility."""
    count, wide = (2000, 1000) if quick else (10_000, 1000)
    call, _, strike, life, volatility, domestic, foreign = options(count, 3)
    rng = np.random.default_rng(4)
    notional = rng.normal(0.0, 1e6, count)
    returns, shifts = rng.normal(0.0, 0.01, wide), rng.normal(0.0, 0.003, wide)
    columns = (call, strike, life, volatility, domestic, foreign, notional)
    positions = revalue.Positions(call, 0, strike, life, volatility, domestic, foreign, notional)
    markets = revalue.Markets(np.array([1.1]), np.array([1.0]))
    scenarios = revalue.Scenarios(returns[None, :], shifts[None, :])
    numba, numba_out = kernel_peers.numba_revalue(), np.empty(wide)
    taken = interleaved(
        {
            "ours": lambda: revalue.profit(positions, markets, scenarios),
            "numba": lambda: numba(*columns, 1.1, returns, shifts, numba_out),
            "numpy": lambda: kernel_peers.numpy_revalue(*columns, 1.1, returns, shifts),
        },
        3 if quick else 7,
    )
    ours = revalue.profit(positions, markets, scenarios)
    # The peers give values, not gains: their mean is today's value and the same for all scenarios.
    offset = numba_out - ours
    assert np.ptp(offset) < 1e-6 * np.abs(offset).max() + 1.0
    yield "reval_ns", taken["ours"] / count / wide * 1e9
    yield "reval_vs_numpy", taken["numpy"] / taken["ours"]
    yield "reval_vs_numba", taken["numba"] / taken["ours"]
    walls: dict[int, list[float]] = {1: [], 2: []}
    spent: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(5 if quick else 15):
        for threads in walls:
            began, used = time.perf_counter(), time.process_time()
            revalue.profit(positions, markets, scenarios, threads=threads)
            walls[threads].append(time.perf_counter() - began)
            spent[threads].append(time.process_time() - used)
    yield "two_threads", figures.median(walls[1]) / figures.median(walls[2])
    # What two threads do twice, as the speed-up that is left where both cores are free.
    yield "two_threads_by_work", 2.0 * figures.median(spent[1]) / figures.median(spent[2])


def capi_module(folder: str) -> Any:
    """The hand-written module of capi_call.c, compiled."""
    target = Path(folder) / "capi_call.abi3.so"
    include = sysconfig.get_paths()["include"]
    source = Path(__file__).with_name("capi_call.c")
    command = ["cc", "-O2", "-shared", "-fPIC", f"-I{include}", str(source), "-o", str(target)]
    subprocess.run(command, check=True)
    loader = importlib.machinery.ExtensionFileLoader("capi_call", str(target))
    spec = importlib.util.spec_from_loader("capi_call", loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


def simulation_figures(quick: bool) -> Iterator[tuple[str, float]]:
    """A European option by simulation: 252 steps of counted normals, none of them kept."""
    paths, steps = (16_384 if quick else 65_536), 252
    times = np.arange(1, steps + 1) / steps

    def ours(threads: int = 1) -> monte_carlo.Estimate:
        return monte_carlo.price(
            *(monte_carlo.Product.EUROPEAN, 1, 1.1, 1.1, 0.1, 0.03, 0.01, times, paths),
            seed=7,
            antithetic=False,
            threads=threads,
        )

    drift, deviation = (0.02 - 0.005) / steps, 0.1 / steps**0.5
    arms: dict[str, Callable[[], object]] = {"ours": ours}
    for block in (2048, 8192):
        arms[f"numpy {block}"] = partial(kernel_peers.numpy_paths, 7, paths, steps, block, drift, deviation)
    taken = interleaved(arms, 3 if quick else 9)
    assert ours(2) == ours(1)
    best = min(each for name, each in taken.items() if name != "ours")
    peer = np.maximum(1.1 * kernel_peers.numpy_paths(8, paths, steps, 2048, drift, deviation) - 1.1, 0.0)
    price = ours().plain_price
    assert abs(np.exp(-0.03) * peer.mean() - price) < 5 * peer.std() / paths**0.5
    yield "mc_step_ns", taken["ours"] / paths / steps * 1e9
    yield "mc_vs_numpy", best / taken["ours"]


def call_figures(quick: bool) -> Iterator[tuple[str, float]]:
    """A call of one option: the binding's batch against Python's own C API around the same function.

    `call1_cffi_over_capi` is the bare function as cffi makes it, below which no binding by cffi gets; `call0` is a call
    that computes nothing.
    """
    batch = Batch(8)
    for array, value in zip(batch.inputs.values(), (1, 1.1, 1.15, 0.5, 0.12, 0.04, 0.02), strict=True):
        array[:] = value
    address = int(path.ffi.cast("intptr_t", path.ffi.addressof(path.lib, "xr_vanilla_price")))
    with tempfile.TemporaryDirectory() as folder:
        capi = capi_module(folder)
        arrays = (*batch.inputs.values(), batch.outputs["price"])
        capi.hold(address, *(each.ctypes.data for each in arrays))
        calls, bare, taken_once = 20_000, path.lib.xr_vanilla_price_of, batch._arrays

        def repeat(function: Callable[[int], object], count: int = 1) -> None:
            for _ in range(calls):
                function(count)

        def repeat_bare(count: int) -> None:
            for _ in range(calls):
                bare(taken_once, count)

        arms = {
            "ours": partial(repeat, batch.price),
            "raw": partial(repeat, capi.price),
            "cffi": partial(repeat_bare, 1),
            "cffi, nothing": partial(repeat_bare, 0),
            "raw, nothing": partial(repeat, capi.price, 0),
        }
        taken = interleaved(arms, 7 if quick else 25)
    yield "call1_ns", taken["ours"] / calls * 1e9
    yield "call1_over_capi", taken["ours"] / taken["raw"]
    yield "call1_cffi_over_capi", taken["cffi"] / taken["raw"]
    yield "call0_cffi_ns", taken["cffi, nothing"] / calls * 1e9
    yield "call0_capi_ns", taken["raw, nothing"] / calls * 1e9


def error_figures(quick: bool) -> Iterator[tuple[str, float]]:
    """Errors against 50 digits: the premium's of max(spot, strike), the Greeks' and the volatility's relative."""
    count = 1000 if quick else 20_000
    grid = exact.grid(count, 99)
    premium, greeks = vanilla.price(*grid), vanilla.greeks(*grid)
    names = ("delta", "gamma", "vega", "rho_domestic", "rho_foreign")
    worst_price = worst_greek = 0.0
    for i, row in enumerate(zip(*grid, strict=True)):
        true = exact.vanilla(*row)
        worst_price = max(worst_price, abs(float(premium[i] - true["price"])) / max(row[1], row[2]))
        w = row[4] * np.sqrt(row[3])
        if abs(np.log(row[1] / row[2]) + (row[5] - row[6]) * row[3]) / w + w / 2 > 4.0:
            continue
        for name in names:
            worst_greek = max(worst_greek, abs(float(getattr(greeks, name)[i] / true[name] - 1)))
    yield "price_err", worst_price
    yield "greeks_err", worst_greek
    _, spot, strike, life, volatility, domestic, foreign = (each[: count // 4] for each in grid)
    call = (strike > spot * np.exp((domestic - foreign) * life)).astype(np.int8)
    price = vanilla.price(call, spot, strike, life, volatility, domestic, foreign)
    found = implied.volatility(call, price, spot, strike, life, domestic, foreign)
    worst = 0.0
    for i in range(len(found)):
        numbers = (spot[i], strike[i], life[i], domestic[i], foreign[i])
        true_volatility = refined(int(call[i]), float(price[i]), numbers, float(volatility[i]))
        worst = max(worst, abs(float(found[i] / true_volatility - 1)))
    yield "implied_vol_err", worst


PARTS = {
    "price": price_figures,
    "paths": path_figures,
    "implied": implied_figures,
    "reval": revalue_figures,
    "mc": simulation_figures,
    "call": call_figures,
    "errors": error_figures,
}


def main() -> None:
    """Measures and reports."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer runs; ends within a minute")
    parser.add_argument("--only", choices=PARTS, help="one part alone")
    chosen = parser.parse_args()
    os.environ.setdefault("NUMBA_NUM_THREADS", "1")
    results: Results = {}
    notes: dict[str, str] = {}
    for name, part in PARTS.items():
        if chosen.only in (None, name):
            try:
                results.update(part(chosen.quick))
            except ImportError as missing:
                notes[name] = f"{missing}; uv run --group bench brings the peers"
    figures.report("kernel", results, notes)


if __name__ == "__main__":
    main()
