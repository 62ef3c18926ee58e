"""The kernel's own tests once more, against a build that watches every access and every operation."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from crossrate.kernel import path
from tests.kernel_build import kernel_build

ROOT = Path(__file__).resolve().parents[3]
RUN = """
import importlib.machinery, importlib.util, sys
loader = importlib.machinery.ExtensionFileLoader("crossrate.kernel._native", {module!r})
spec = importlib.util.spec_from_loader("crossrate.kernel._native", loader)
module = importlib.util.module_from_spec(spec)
loader.exec_module(module)
import crossrate.kernel
sys.modules["crossrate.kernel._native"] = crossrate.kernel._native = module
import pytest
sys.exit(pytest.main(["-q", "-x", "-p", "no:cacheprovider", "-k", {names!r}, *{tests!r}]))
"""


def test_no_access_out_of_bounds_and_no_undefined_behaviour(tmp_path: Path) -> None:
    """Under the compiler's address and undefined-behaviour sanitizers all kernel tests pass and nothing is reported."""
    flags = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-g1", "-O1"]
    build = kernel_build()
    # One path is enough: all are the same source.
    assert build.build_for_python(flags, tmp_path, ["baseline"]) is None
    module = tmp_path / "_native.abi3.so"
    runtime = subprocess.run(
        [*build.compiler().split(), "-print-file-name=libasan.so"], capture_output=True, text=True, check=True
    ).stdout.strip()
    if not Path(runtime).is_absolute():
        pytest.fail("the compiler has no address sanitizer: install its runtime (Debian: libasan with gcc)")
    # The interpreter itself frees little at its end, which is not the kernel's leak.
    environment = {**os.environ, "LD_PRELOAD": runtime, "ASAN_OPTIONS": "detect_leaks=0", "PYTHONMALLOC": "malloc"}
    # What compares figures with fifty digits, or builds with each other, calls nothing that the others do not, and
    # the digits take ten times as long here.
    others = ("test_exact_", "test_identities", Path(__file__).name)
    files = sorted(Path(__file__).parent.glob("test_*.py"))
    tests = [str(each) for each in files if not each.name.startswith(others)]
    left_out = [name for name in path.paths() if name != "baseline"] + ["are_exact"]
    code = RUN.format(module=str(module), tests=tests, names=" and ".join(f"not {name}" for name in left_out))
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=800,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
