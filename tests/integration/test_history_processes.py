"""The store of quotes when processes die, disks are full, and several write at once."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from crossrate.history.store import TickStore
from tests.chaos.writers import FEEDS, ROWS, Process, problems, rounds
from tests.unit.history.some import all_of

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.integration

UNTIL_FULL = """
import sys, resource
from crossrate.history.errors import StoreFullError
from crossrate.history.store import TickStore
from tests.unit.history.some import PAIR, quotes, all_of
store = TickStore.open(sys.argv[1])
rows = version = 0
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
try:
    while version < 500:
        version += 1
        rows += store.append("sim", PAIR, quotes(int(sys.argv[3]), seed=version), "feed", version).rows
        print(rows, flush=True)
except StoreFullError as full:
    print("full", store.position("feed"), rows, full)
    assert store.position("feed") == (version - 1 or None), "what was not acknowledged is not there"
    assert len(all_of(store)) == rows, "the store is as it was"
    assert not list(store.verify())
    names = {file.path for file in store.files()}
    import pathlib
    there = {str(p.relative_to(sys.argv[1])) for p in pathlib.Path(sys.argv[1]).glob("venue=*/**/*") if p.is_file()}
    assert there == names, there ^ names
"""


def until_full(root: Path, size_max: str, rows: str, *before: str) -> str:
    """Has a process write until it may write no more; returns what it said."""
    command = [*before, sys.executable, "-c", UNTIL_FULL, str(root), size_max, rows]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    assert "full" in done.stdout, done.stdout
    return done.stdout


@pytest.mark.parametrize("count", [6, pytest.param(40, marks=pytest.mark.long)])
def test_a_killed_writer_loses_nothing(tmp_path: Path, count: int) -> None:
    """In rounds of kill -9 no acknowledged row is lost, none is there twice, no file is half-written."""
    told, wrong = rounds(str(tmp_path / "ticks"), count, seed=11)
    assert wrong == []
    assert min(told.values()) > 0, "the writers wrote"


def test_two_processes_write_at_once(tmp_path: Path) -> None:
    """Both land, without a row of either lost."""
    url = str(tmp_path)
    TickStore.open(url)
    writers = [Process(url, feed) for feed in FEEDS]
    try:
        for writer in writers:
            writer.wait_for(25)
    finally:
        for writer in writers:
            writer.kill()
    assert problems(url, dict.fromkeys(FEEDS, 25)) == []
    store = TickStore.open(url)
    assert len(all_of(store)) == sum((store.position(feed) or 0) + 1 for feed in FEEDS) * ROWS


def test_a_file_that_cannot_be_written_whole_is_not_there(tmp_path: Path) -> None:
    """A write that the system cuts off in the middle of a file is an error, and the store is as it was."""
    said = until_full(tmp_path, "100000", "20000")
    assert said.startswith("full None 0")
    assert len(all_of(TickStore.open(str(tmp_path)))) == 0


def test_a_full_disk_is_an_error_and_changes_nothing(tmp_path: Path) -> None:
    """On a real file system of 1 MiB writes succeed, then fail, be it for the rows or for the log of many commits."""
    unshare = shutil.which("unshare")
    inside = [unshare or "", "--user", "--map-root-user", "--mount", "sh", "-c"]
    mount = f'mount -t tmpfs -o size=1m tmpfs "{tmp_path}"'
    if not unshare or subprocess.run([*inside, mount], capture_output=True, check=False, timeout=60).returncode:
        pytest.skip("needs a mount of its own (unshare --user --mount), which this system does not allow")
    for rows in ("2000", "1"):
        said = until_full(tmp_path, str(2**40), rows, *inside, f'{mount} && exec "$@"', "sh")
        assert said.count("\n") > 3, said
    assert list(tmp_path.iterdir()) == [], "it was mounted there for others"
