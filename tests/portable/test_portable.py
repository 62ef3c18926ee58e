"""The kernel compiled for 64-bit ARM, by clang, and by hand: the same bits as the build that serves."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from crossrate.kernel import path
from tests.kernel_build import ROOT, kernel_build
from tests.portable.calls import every_function
from tests.portable.harness import Target, compiled, replayed
from tests.portable.recording import Call, recording, signatures

DEBIAN = "Debian: gcc-aarch64-linux-gnu, libc6-dev-arm64-cross, qemu-user, clang"
ARM_CLANG = ("clang", "--target=aarch64-linux-gnu")
QUIET = "-Wno-pass-failed"  # clang warns of each loop that it does not make vector code of
PLAIN = "-DXR_FUSES=0"
TARGETS = {
    "fma": [
        Target("gcc-arm", ("aarch64-linux-gnu-gcc",), (), ("qemu-aarch64",)),
        Target("clang-arm", ARM_CLANG, (QUIET,), ("qemu-aarch64",)),
        Target("clang-avx2", ("clang",), ("-march=x86-64-v3", QUIET)),
    ],
    "plain": [
        Target("gcc-arm-plain", ("aarch64-linux-gnu-gcc",), (PLAIN,), ("qemu-aarch64",)),
        Target("clang-plain", ("clang",), (PLAIN, QUIET)),
    ],
}
CASES = [(rounding, target) for rounding, targets in TARGETS.items() for target in targets]
# They end in the C library's erfc, whose last bit is its own.
BY_LIBRARY = {"xr_backtest_failures": 4e-16, "xr_backtest_sequence": 4e-16}


@pytest.fixture(scope="module")
def recorded() -> dict[str, list[Call]]:
    """Calls of every function and their results, by the rounding class of the build that made them."""
    found = {}
    for name in path.paths():
        with path.using(name):
            rounding = path.rounding_class()
            if rounding in found or path.is_numpy():
                continue
            with recording() as calls:
                every_function()
            found[rounding] = calls
    return found


def differences(call: Call, fault: int, outputs: dict[str, np.ndarray]) -> list[str]:
    """What the results of one call differ in; a zero has no sign here, as the kernel is compiled."""
    said = [f"fault {call.result.fault:#x}, {fault:#x}"] if fault != call.result.fault else []
    bound = BY_LIBRARY.get(call.name, 0.0)
    for name, wanted in call.result.outputs.items():
        found = outputs[name]
        same = (wanted == found) | ((wanted != wanted) & (found != found))
        with np.errstate(invalid="ignore"):
            same |= bound * np.abs(wanted) >= np.abs(found - wanted) if bound else False
        if not same.all():
            at = int(np.argmin(same))
            said.append(f"{name}[{at}] {wanted[at]!r}, {found[at]!r} and {int((~same).sum())} of {same.size}")
    return [f"{call.name}: {each}" for each in said]


DIGEST = """
import hashlib, sys
from crossrate.kernel import path
from tests.portable.calls import every_function
from tests.portable.recording import recording

for name in path.paths()[:-1]:
    path.use(name)
    with recording() as calls:
        every_function()
    digest = hashlib.sha256()
    for call in calls:
        digest.update(repr((call.name, call.result.fault)).encode())
        for output in call.result.outputs.values():
            digest.update(output.tobytes())
    print(name, digest.hexdigest())
"""


def test_a_build_gives_the_same_bits_from_run_to_run() -> None:
    """Two processes get the same from every function, on each build, wherever their arrays lie in memory."""
    runs = [
        subprocess.run(
            [sys.executable, "-c", DIGEST], cwd=ROOT, capture_output=True, text=True, timeout=120, check=True
        )
        for _ in range(2)
    ]
    assert runs[0].stdout == runs[1].stdout
    assert len(runs[0].stdout.splitlines()) == len(path.paths()) - 1


def test_every_public_function_is_called(recorded: dict[str, list[Call]]) -> None:
    """No function of the headers is left out, and nine tenths of all numbers that come back are finite."""
    if not recorded:
        pytest.skip(f"the kernel is not compiled here: {path.why_not_compiled()}")
    for calls in recorded.values():
        assert {call.name for call in calls} == set(signatures())
        numbers = np.concatenate(
            [each for call in calls for each in call.result.outputs.values() if each.dtype == "f8"]
        )
        assert np.isfinite(numbers).mean() > 0.9


def test_without_vectors_the_bits_are_the_same(recorded: dict[str, list[Call]], tmp_path: Path) -> None:
    """By the compiler of the package, which makes no vector code here, a program without Python gives the same bits."""
    if not recorded:
        pytest.skip(f"the kernel is not compiled here: {path.why_not_compiled()}")
    calls = recorded[next(iter(recorded))]
    target = Target("package", tuple(kernel_build().compiler().split()), ("-O1",))
    results = replayed(target, compiled(target, tmp_path), calls)
    said = [each for call, r in zip(calls, results, strict=True) for each in differences(call, r.fault, r.outputs)]
    assert said == []


@pytest.mark.parametrize(("rounding", "target"), CASES, ids=[target.name for _, target in CASES])
def test_another_compiler_and_processor_give_the_same_bits(
    recorded: dict[str, list[Call]], rounding: str, target: Target, tmp_path: Path
) -> None:
    """Every function of the headers gives on 64-bit ARM and by clang what this machine's build gives, to the last bit.

    That holds within a rounding class, which is why a risk run records it; ARM fuses, as AVX2 and AVX-512 do.
    """
    missing = [tool for tool in (target.compiler[0], *target.runner) if not shutil.which(tool)]
    if missing:
        pytest.skip(f"{', '.join(missing)} not on this machine ({DEBIAN})")
    if rounding not in recorded:
        pytest.skip(f"no build of class {rounding} runs here to compare with")
    if target.compiler == ARM_CLANG and not Path("/usr/aarch64-linux-gnu/include").is_dir():
        pytest.skip(f"the C library for 64-bit ARM is not on this machine ({DEBIAN})")
    calls = recorded[rounding]
    results = replayed(target, compiled(target, tmp_path), calls)
    said = [each for call, r in zip(calls, results, strict=True) for each in differences(call, r.fault, r.outputs)]
    assert said == []
