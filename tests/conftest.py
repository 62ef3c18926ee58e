"""The order of the suite: what waits for other processes first, so that what is short fills the end."""

from __future__ import annotations

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


def _place(path: Path) -> int:
    name = path.relative_to(Path(__file__).parent).as_posix()
    found = (place for place, prefix in enumerate(LONGEST_FIRST) if name == prefix or name.startswith(f"{prefix}/"))
    return next(found, len(LONGEST_FIRST))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts long files first; within a file, and between files of one kind, the order stays."""
    items.sort(key=lambda item: _place(item.path))
