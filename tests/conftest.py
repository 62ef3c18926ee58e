"""The order of the suite: what takes long first, so that what is short fills the end; what may be tried again; and the
end of its folder."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

LONGEST_FIRST = (
    "unit/kernel/test_sanitizers.py",
    "portable",
    "integration/test_history_processes.py",
    "system",
    "integration",
    "interop",
    "test_tidy.py",
    "unit/pricing",
    "unit/marketdata",
)
"""Folders and files below tests/. Each process of pytest-xdist takes the next file when it has done one."""

PROCESSES = ("integration", "system")
"""Folders whose tests start real processes, and wait for them: one may fail where the machine stands still."""

ONCE = (
    "integration/test_authorisation_matrix.py",
    "integration/test_chaos_marketdata.py",
    "integration/test_chaos_orders.py",
    "system/test_no_call_lost.py",
)
"""What says that something never happens: once is enough to refute it."""

FOLDER = pytest.StashKey[str]()


def _name(path: Path) -> str:
    return path.relative_to(Path(__file__).parent).as_posix()


def _place(path: Path) -> int:
    name = _name(path)
    found = (place for place, prefix in enumerate(LONGEST_FIRST) if name == prefix or name.startswith(f"{prefix}/"))
    return next(found, len(LONGEST_FIRST))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts long files first; within a file, and between files of one kind, the order stays.

    What waits for processes is tried once more if it fails. The closing line counts it as `rerun`, and why it failed is
    printed: it is a fault to be mended, of the test or of what it tests.
    """
    items.sort(key=lambda item: _place(item.path))
    again = pytest.mark.flaky(reruns=1, reruns_delay=1)
    for item in items:
        name = _name(item.path)
        if name.startswith(PROCESSES) and name not in ONCE:
            item.add_marker(again)


def pytest_configure(config: pytest.Config) -> None:
    """Takes the folder of scripts/test out of the environment: a pytest that a test runs must not remove it."""
    if not hasattr(config, "workerinput"):
        config.stash[FOLDER] = os.environ.pop("CROSSRATE_TEST_FOLDER", "")


def pytest_unconfigure(config: pytest.Config) -> None:
    """Removes the folder that scripts/test has made for everything that tests write, once all processes are done."""
    if folder := config.stash.get(FOLDER, ""):
        shutil.rmtree(folder, ignore_errors=True)
