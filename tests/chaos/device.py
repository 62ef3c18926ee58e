"""A disk whose power can be cut: ext4 on a loop device over a file in memory.

After a kill the kernel still has what was written and not synced, and writes it later: a kill says nothing about fsync.
Here the device under the file system is a file. What stands in it at some moment is what a disk would have kept if
the power had failed then: whatever was synced, and what else the kernel happened to have written by itself. `remember`
takes that, and `cut` puts the file system back to it; its journal is recovered as after a failure. It needs root and
a loop device.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

SIZE_MIB = 3_072
"""The file has holes: what is not used takes no memory."""
UNMOUNTED_S_MAX = 30.0
COMMAND_S_MAX = 60.0
COPIES_MAX = 20
OPTIONS = "commit=300"
"""Metadata, too, reaches the device when somebody syncs, not every five seconds."""
MEMORY = Path("/dev/shm")
PROGRAMS = ("mke2fs", "losetup", "mount", "umount")


class DeviceError(Exception):
    """The disk cannot be had; the message says why."""


def obstacle() -> str:
    """Why there can be no such disk here; empty if there can."""
    if os.geteuid() != 0:
        return "a disk whose power can be cut needs root: it is mounted"
    if missing := [name for name in PROGRAMS if shutil.which(name) is None]:
        return f"a disk whose power can be cut needs {', '.join(missing)}"
    if subprocess.run(["losetup", "--find"], capture_output=True, check=False, timeout=COMMAND_S_MAX).returncode:
        return "a disk whose power can be cut needs a loop device"
    return ""


class Device:
    """See the module. Everybody may enter its folder: PostgreSQL has an account of its own.

    Attributes:
        folder: where it is mounted.
        cuts: how often its power was cut.
    """

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="xd-"))
        self._image = Path(tempfile.mkdtemp(prefix="xd-", dir=MEMORY if MEMORY.is_dir() else None)) / "disk"
        self._kept = self._image.with_name("kept")
        self._loop = ""
        self.cuts = 0

    def begin(self) -> None:
        """Makes the file system, and mounts it.

        Raises:
            DeviceError: it cannot be done.
        """
        self.folder.chmod(0o755)
        with self._image.open("wb") as file:
            file.truncate(SIZE_MIB << 20)
        _run("mke2fs", "-q", "-t", "ext4", "-F", str(self._image))
        self._mount()

    def _mount(self) -> None:
        self._loop = _run("losetup", "--find", "--show", str(self._image)).strip()
        _run("mount", "-t", "ext4", "-o", OPTIONS, self._loop, str(self.folder))
        self.folder.chmod(0o755)

    def _unmount(self) -> None:
        if not self._loop:
            return
        deadline = time.monotonic() + UNMOUNTED_S_MAX
        while self.folder.is_mount():
            try:
                _run("umount", str(self.folder))
            except DeviceError:
                # A process that was killed gives its files back a moment later.
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
        _run("losetup", "--detach", self._loop)
        self._loop = ""

    def _written(self) -> str:
        """Counts what the kernel has given to the device."""
        return Path(f"/sys/block/{Path(self._loop).name}/stat").read_text()

    def remember(self) -> None:
        """Takes what stands on the device now. Whoever writes to it has to be stopped.

        Raises:
            DeviceError: the kernel writes to it all the time.
        """
        for _ in range(COPIES_MAX):
            before = self._written()
            _run("cp", "--sparse=always", str(self._image), str(self._kept))
            if self._written() == before:
                return
        raise DeviceError(f"{self._loop} is being written to: it cannot be copied as it stands at one moment")

    def cut(self) -> None:
        """Puts the file system back to what was on the device at `remember`. Nobody may have a file open there.

        Raises:
            DeviceError: somebody has.
        """
        self._unmount()
        self._kept.replace(self._image)
        self._mount()
        self.cuts += 1

    @contextlib.contextmanager
    def temporary(self) -> Iterator[None]:
        """While this lasts temporary files of this process are made here."""
        before = tempfile.tempdir
        tempfile.tempdir = str(self.folder)
        try:
            yield
        finally:
            tempfile.tempdir = before

    def remove(self) -> None:
        """Takes it away with all that is on it."""
        self._unmount()
        shutil.rmtree(self._image.parent, ignore_errors=True)
        self.folder.rmdir()


def _run(*arguments: str) -> str:
    done = subprocess.run(arguments, capture_output=True, text=True, check=False, timeout=COMMAND_S_MAX)
    if done.returncode:
        raise DeviceError(f"{' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout
