"""`crossrate data` against a whole mesh: what one service loads, another plays back."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.pipelines import text
from tests.mesh import Mesh
from tests.system.test_readme import here

pytestmark = pytest.mark.system


def test_a_dataset_is_played_back_in_the_terminal(mesh: Mesh, tmp_path: Path) -> None:
    """Quote by quote in the order of time, in JSON with cursors; behind a cursor the rest, and no quote twice."""

    def asked(*arguments: str, code: int = 0) -> list[str]:
        command = [str(Path(sys.executable).with_name("crossrate")), "data", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, env=here(mesh), timeout=60, check=False)
        assert done.returncode == code, done.stdout + done.stderr
        return (done.stdout if code == 0 else done.stderr).splitlines()

    (tmp_path / "EURUSD.csv").write_text(text(2000))
    asked("import", str(tmp_path / "EURUSD.csv"), "--venue", "PLAYED", "--dataset", "played")
    fast = ("replay", "played", "--speed", "0")
    lines = asked(*fast)
    assert len(lines) == 2000
    assert lines[0].split() == ["2024-03-04", "10:00:00.000", "EUR/USD", "1.08", "1.0801", "PLAYED"]
    (one,) = asked(*fast, "--json", "--max", "1")
    first = json.loads(one)
    assert 0 < len(first["quotes"]) < 2000
    assert asked(*fast, "--resume", first["cursor"]) == lines[len(first["quotes"]) :]
    part = ("--from", "2024-03-04T10:00:10", "--to", "2024-03-04T10:00:20Z", "-i", "EUR/USD", "--speed", "1000")
    assert asked("replay", "played", *part) == lines[10:20]
    assert "no quotes of USD/JPY" in asked("replay", "played", "-i", "USD/JPY", code=1)[0]
    assert "is no time" in asked("replay", "played", "--from", "noon", code=1)[0]
