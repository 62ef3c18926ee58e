"""Nobody starts in a folder of data before the last process that worked there has let go of the memory they shared."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from pathlib import Path

import pytest

from crossrate.node.process import working_in

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="there is no /proc")

MEMORY_BYTES = 128 << 20
SHARES = """
import ctypes, mmap, sys, time
attach = ctypes.CDLL(None).shmat
attach.restype = ctypes.c_void_p
attach(int(sys.argv[1]), None, 0)
memory = mmap.mmap(-1, int(sys.argv[2]))
for page in range(0, len(memory), mmap.PAGESIZE):
    memory[page] = 1
print("ready", flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize(
    ("cwd", "exe", "counts"),
    [
        ("data", "/usr/bin/postgres", True),
        ("data", "/usr/bin/postgres (deleted)", True),
        ("data", None, True),
        ("data", "/usr/bin/bash", False),
        ("elsewhere", "/usr/bin/postgres", False),
        ("elsewhere", None, False),
        (None, None, False),
    ],
)
def test_who_works_in_a_folder(tmp_path: Path, cwd: str | None, exe: str | None, counts: bool) -> None:
    """Whoever is there by the name of the program, or has lost its name already and not yet its folder."""
    process = tmp_path / "17"
    process.mkdir()
    (tmp_path / "self").mkdir()
    if cwd is not None:
        (process / "cwd").symlink_to(tmp_path / cwd)
    if exe is not None:
        (process / "exe").symlink_to(exe)
    assert working_in(tmp_path / "data", "postgres", proc=tmp_path) == ([17] if counts else [])


def test_a_killed_process_counts_until_its_shared_memory_is_free(tmp_path: Path) -> None:
    """When nobody works there any more, nobody is attached: a killed process takes a while to give its memory back."""
    libc = ctypes.CDLL(None, use_errno=True)
    segment = libc.shmget(0, os.sysconf("SC_PAGESIZE"), 0o1600)
    assert segment >= 0, os.strerror(ctypes.get_errno())
    try:
        argv = [sys.executable, "-c", SHARES, str(segment), str(MEMORY_BYTES)]
        with subprocess.Popen(argv, stdout=subprocess.PIPE, cwd=tmp_path) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            assert working_in(tmp_path.resolve(), "python") == [process.pid]
            assert _attached(segment) == 1
            process.kill()
            while working_in(tmp_path.resolve(), "python"):
                pass
            assert _attached(segment) == 0
    finally:
        libc.shmctl(segment, 0, None)


def _attached(segment: int) -> int:
    """How many processes have a segment of shared memory."""
    rows = [row.split() for row in Path("/proc/sysvipc/shm").read_text().splitlines()[1:]]
    return next(int(row[6]) for row in rows if int(row[1]) == segment)
