"""The order of the suite: what takes long first, so that what is short fills the end; what may be tried again; and the
end of its folder."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadFileScheduling

OWN_MESHES = tuple(
    f"system/test_{name}.py"
    for name in (
        "releases",
        "releases_together",
        "identity",
        "recovery",
        "trading_day",
        "scaling",
        "oanda",
        "shadow",
        "release_business",
        "release_candidates",
        "release_rolling",
        "release_writes",
        "shadow_go",
        "breaks",
        "layouts",
    )
)
"""They start meshes of their own. The other files below system/ share one, in one process: each would start it anew."""
LONGEST_FIRST = (
    "system",
    "unit/kernel/test_sanitizers.py",
    *OWN_MESHES,
    "portable",
    "integration/test_chaos_marketdata.py",
    "integration/test_chaos_orders.py",
    "integration/test_history_processes.py",
    "integration",
    "interop",
    "test_tidy.py",
    "unit/evidence",
    "unit/pricing",
    "unit/marketdata",
)
"""Folders and files below tests/. Each process of pytest-xdist takes the next unit of work when it has done one."""

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


def _unit(name: str) -> str:
    """The unit of work that a file belongs to, by its path below tests/."""
    return "system" if name.startswith("system/") and name not in OWN_MESHES else name


def _place(path: Path) -> int:
    name = _unit(_name(path))
    if name in LONGEST_FIRST:
        return LONGEST_FIRST.index(name)
    found = (place for place, prefix in enumerate(LONGEST_FIRST) if name.startswith(f"{prefix}/"))
    return next(found, len(LONGEST_FIRST))


class Units(LoadFileScheduling):
    """Gives each process a unit of work, and the next one when it has done that."""

    def _split_scope(self, nodeid: str) -> str:
        return _unit(super()._split_scope(nodeid).removeprefix("tests/"))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Units:
    """What `--dist loadfile` does, with the shared mesh as one unit."""
    return Units(config, log)


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
