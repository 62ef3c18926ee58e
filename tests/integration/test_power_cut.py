"""What a machine has told has to be on its disk when the power fails: on a file system whose power is cut."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from crossrate.runtime import durable
from services.control.ca import Authority
from tests.chaos.device import Device, obstacle

pytestmark = [pytest.mark.integration, pytest.mark.skipif(bool(obstacle()), reason=obstacle())]

NOW = dt.datetime(2026, 11, 28, tzinfo=dt.UTC)


@pytest.fixture
def device() -> Iterator[Device]:
    """A disk that has just been mounted."""
    made = Device()
    try:
        made.begin()
        yield made
    finally:
        made.remove()


def cut(device: Device) -> None:
    """The power fails, and comes back."""
    device.remember()
    device.cut()


def test_a_cut_takes_what_was_not_synced_and_leaves_what_was(device: Device) -> None:
    """The disk of the harness forgets: a file that was only written, and the end of one that was synced before."""
    (device.folder / "written").write_text("never synced")
    descriptor = os.open(device.folder / "synced", os.O_CREAT | os.O_WRONLY)
    os.write(descriptor, b"kept")
    os.fsync(descriptor)
    os.write(descriptor, b" and lost")
    os.close(descriptor)
    cut(device)
    assert (device.folder / "synced").read_bytes() == b"kept"
    assert not (device.folder / "written").exists() or (device.folder / "written").read_text() == ""


def test_a_private_file_has_its_name_after_a_cut(device: Device) -> None:
    """Credentials, roots and the id of a mesh are there whole, also in a folder that is as new as they are."""
    path = device.folder / "credentials" / "ledger.json"
    path.parent.mkdir()
    durable.write_private(path, "first")
    cut(device)
    assert path.read_text() == "first"
    durable.write_private(path, "second")
    cut(device)
    assert path.read_text() == "second"
    assert [each.name for each in path.parent.iterdir()] == ["ledger.json"]


def test_a_folder_that_was_moved_has_its_name_after_a_cut(device: Device) -> None:
    """A database is found where it was put when it was whole."""
    draft, data = device.folder / "data.new", device.folder / "data"
    draft.mkdir()
    durable.write_private(draft / "PG_VERSION", "18")
    durable.move(draft, data)
    cut(device)
    assert (data / "PG_VERSION").read_text() == "18"
    assert not draft.exists()


def test_a_mesh_has_the_same_root_after_a_cut(device: Device) -> None:
    """Clients that trust its root go on: no new one is made."""
    path: Path = device.folder / "control" / "authority.json"
    first = Authority.open(path, "crossrate", 3600, NOW)
    cut(device)
    assert Authority.open(path, "crossrate", 3600, NOW).roots_pem == first.roots_pem
