"""A crash leaves nothing behind that blocks the next start, and a stop leaves nothing at all."""

import os
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from crossrate.runtime.place import REPOSITORY
from tests.mesh import Mesh

pytestmark = pytest.mark.system


def alive(pid: int) -> bool:
    """Whether a process runs (a zombie does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def wait_until_gone(pids: list[int], seconds: float) -> list[int]:
    """The processes that still run after some seconds."""
    end = time.monotonic() + seconds
    while (left := [p for p in pids if alive(p)]) and time.monotonic() < end:
        time.sleep(0.05)
    return left


@pytest.fixture(scope="module")
def mesh() -> Iterator[Mesh]:
    """A mesh of its own: it is killed."""
    with Mesh() as made:
        made.up()
        yield made


def up_again(mesh: Mesh) -> None:
    """Starts what a first try of a test may have left down; a mesh that runs stays as it is."""
    mesh.command("up", check=False)


def test_a_killed_mesh_starts_again(mesh: Mesh) -> None:
    """After SIGKILL of the supervisor every process ends, and the next start is healthy on the same data."""
    up_again(mesh)
    processes = mesh.processes()
    pids = [p["pid"] for p in processes.values()]
    os.kill(processes["supervisor"]["pid"], signal.SIGKILL)
    assert wait_until_gone(pids, 60) == []
    mesh.up()
    assert all(p["state"] == "ready" for p in mesh.processes().values())


def test_a_second_start_says_that_one_runs(mesh: Mesh) -> None:
    """`crossrate up` on a running mesh changes nothing."""
    before = {name: p["pid"] for name, p in mesh.processes().items()}
    mesh.command("up", check=False)
    assert {name: p["pid"] for name, p in mesh.processes().items()} == before


def test_a_service_restarts_after_a_change_of_the_programs(mesh: Mesh) -> None:
    """The parent of the services is replaced first, because it has the old programs loaded, and then the service."""
    source = REPOSITORY / "libs" / "crossrate" / "__init__.py"
    before, times = mesh.processes(), source.stat()
    try:
        for _ in range(3):
            os.utime(source)
            mesh.command("restart", "reference")
    finally:
        os.utime(source, ns=(times.st_atime_ns, times.st_mtime_ns))
    after = mesh.processes()
    assert after["zygote"]["pid"] != before["zygote"]["pid"]
    # The new parent has reference already, and imports the other services still.
    end = time.monotonic() + 60
    while not all(p["state"] == "ready" for p in after.values()):
        assert time.monotonic() < end, after
        time.sleep(0.05)
        after = mesh.processes()


def test_a_deleted_state_folder_is_a_new_mesh(mesh: Mesh) -> None:
    """Nothing runs on after a stop; whoever deletes the state folder then gets a new mesh at the same path, also where
    data lies elsewhere for root."""
    up_again(mesh)
    pids = [p["pid"] for p in mesh.processes().values()]
    mesh.down()
    assert wait_until_gone(pids, 60) == []
    shutil.rmtree(mesh.place.state)
    # Another start on this machine removes databases whose mesh is gone for good.
    mesh.place.state.mkdir(mode=0o700)
    mesh.up()
    assert all(p["state"] == "ready" for p in mesh.processes().values())
