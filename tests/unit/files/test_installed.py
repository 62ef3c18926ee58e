"""Whoever runs the platform has what reads its files."""

from __future__ import annotations

import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def test_running_installs_the_libraries_of_files_and_history() -> None:
    """`scripts/run` leaves out the group of developers alone, and that of history is installed by default."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert project["tool"]["uv"]["default-groups"] == ["dev", "history", "betterproto"]
    assert {each.partition(">")[0] for each in project["dependency-groups"]["history"]} >= {"pyarrow"}
    options = (ROOT / "scripts/run").read_text()
    assert "--no-dev" in options
    assert "--no-default-groups" not in options
    assert "--only-group" not in options
