"""Files that are still there after a power cut.

A rename is on disk when its folder is: what was synced as a draft may otherwise come back under the draft's name, or,
where that was not synced either, under none.
"""

from __future__ import annotations

import os
from pathlib import Path


def move(draft: Path, path: Path) -> None:
    """Gives a file or folder that is on disk its name, in the place of the one before; when it returns, it has it."""
    draft.replace(path)
    # The folder may be new: then its own name has to be on disk as well.
    for folder in (path.parent, path.parent.parent):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def write_private(path: Path, text: str) -> None:
    """Writes a file that its owner alone may read, in one rename; when it returns, it is on disk."""
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    move(draft, path)
