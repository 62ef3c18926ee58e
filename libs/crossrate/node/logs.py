"""The logs of the processes: one file each, bounded in size, the one before kept beside it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

SIZE_MAX = 16 << 20
"""Bytes at which a log is moved aside. With the one before, a process's logs never take much more than twice this."""


def previous(path: Path) -> Path:
    """Where the log before this one is."""
    return path.with_name(path.name + ".1")


def open_for_append(path: Path) -> int:
    """A descriptor to write a log with, its owner's alone. Appending, so that the file can be cut while it is open."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)


def begin(path: Path) -> None:
    """Moves the log of the start before aside."""
    if path.exists() and path.stat().st_size:
        path.rename(previous(path))


def bound(path: Path, size_max: int = SIZE_MAX) -> bool:
    """Copies a log aside and empties it in place if it is too large; returns whether it did.

    The writer keeps its descriptor. Lines written between the copy and the cut are lost: a log is no journal.
    """
    try:
        if path.stat().st_size <= size_max:
            return False
    except OSError:
        return False
    shutil.copyfile(path, previous(path))
    previous(path).chmod(0o600)
    os.truncate(path, 0)
    return True


def tail(path: Path, lines_max: int = 12, bytes_max: int = 8192) -> str:
    """The last lines of a log."""
    try:
        with path.open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - bytes_max))
            text = file.read().decode(errors="replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-lines_max:])
