"""What a crashed node left is ended; nothing else is."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

from crossrate.node.leftovers import (
    AlreadyRunning,
    Lock,
    Recorded,
    Records,
    clear_run_folder,
    end_leftovers,
    forget_instance,
    running_node,
)
from crossrate.node.process import start_ticks
from crossrate.runtime.place import Place


@pytest.fixture
def where(tmp_path: Path) -> Place:
    """A place of its own."""
    return Place(tmp_path / "state", tmp_path / "run").make()


def test_a_left_process_is_ended(where: Place) -> None:
    """A recorded process that still runs is ended with its own signal, and the record is gone. It is one that shells do
    not have what they start in the background ignore."""
    left = subprocess.Popen(["/bin/sleep", "60"])
    Records(where).write([Recorded("sleeper", left.pid, start_ticks(left.pid), signal.SIGUSR1)])
    assert end_leftovers(where) == ["sleeper"]
    assert left.wait(60) == -signal.SIGUSR1
    assert Records(where).read() == []


def test_a_reused_process_id_is_left_alone(where: Place) -> None:
    """A process with a recorded id but another start time is somebody else's and goes on."""
    other = subprocess.Popen(["/bin/sleep", "60"])
    try:
        Records(where).write([Recorded("sleeper", other.pid, start_ticks(other.pid) - 1)])
        assert end_leftovers(where) == []
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_records_of_another_boot_mean_nothing(where: Place) -> None:
    """After the machine was started anew no id is trusted, whatever its start time."""
    Records(where).write([Recorded("us", os.getpid(), start_ticks(os.getpid()))])
    path = where.state / "processes.json"
    path.write_text(path.read_text().replace('"boot": "', '"boot": "x'))
    assert Records(where).read() == []
    path.write_text("{broken")
    assert Records(where).read() == []


def test_one_node_has_a_place(where: Place) -> None:
    """The second who takes the lock is told who has it; released, it can be taken again."""
    first, second = Lock(where), Lock(where)
    assert running_node(where) is None
    first.take()
    assert running_node(where) == os.getpid()
    with pytest.raises(AlreadyRunning, match=str(os.getpid())):
        second.take()
    first.release()
    second.take()
    second.release()


def test_stale_sockets_and_registrations_go(where: Place) -> None:
    """Sockets, registrations and the node's own socket of a crashed mesh are removed; the folders stay."""
    stale = [where.service_socket("reference-1"), where.outbound_socket("reference"), where.xds_socket]
    stale += [where.registration("reference-1"), where.run / "node.sock"]
    for path in stale:
        path.touch()
    clear_run_folder(where)
    assert not [path for path in stale if path.exists()]
    assert where.registrations.is_dir()


def test_an_ended_instance_is_forgotten(where: Place) -> None:
    """The registration and socket of one instance go, those of another stay."""
    for instance in ("reference-1", "reference-2"):
        where.registration(instance).touch()
        where.service_socket(instance).touch()
    forget_instance(where, "reference-1")
    assert [p.name for p in where.registrations.iterdir()] == ["reference-2.json"]
    assert where.service_socket("reference-2").exists()
