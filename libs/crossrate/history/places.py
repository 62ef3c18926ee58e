"""Where files stand: a folder, or a bucket of an object store. One URL says which."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.fs as pa_fs
from deltalake.fs import DeltaStorageHandler

PART = ".part"
"""A file's ending while it is being written to a folder."""


class Place(Protocol):
    """Files by their path below one root; a file that can be seen is whole."""

    def write(self, path: str, content: pa.Buffer) -> None:
        """Makes a file that lasts when this returns."""

    def open(self, path: str) -> pa.NativeFile:
        """Opens a file for reading anywhere in it."""

    def delete(self, path: str) -> None:
        """Deletes a file; one that is not there is none the less gone."""

    def settle(self, paths: list[str]) -> None:
        """Has files that others wrote last."""

    def size(self, path: str) -> int:
        """Bytes of a file; -1 if it is not there."""


class Folder:
    """A folder of this machine. Files are flushed to the disk before they get their name."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def write(self, path: str, content: pa.Buffer) -> None:
        """Makes a file that lasts when this returns.

        Raises:
            OSError: it could not be written; nothing of it is left.
        """
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        unfinished = target.with_name(target.name + PART)
        try:
            with unfinished.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(target)
        except OSError:
            with contextlib.suppress(OSError):
                unfinished.unlink()
            raise
        for folder in (target.parent, *target.parent.parents):
            self._flush(folder)
            if folder == self.root:
                break

    @staticmethod
    def _flush(path: Path) -> None:
        """Has the system write what it holds of a file or of a folder's names."""
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def open(self, path: str) -> pa.NativeFile:
        """Opens a file for reading anywhere in it."""
        return pa.OSFile(str(self.root / path))

    def delete(self, path: str) -> None:
        """Deletes a file; one that is not there is none the less gone."""
        (self.root / path).unlink(missing_ok=True)

    def size(self, path: str) -> int:
        """Bytes of a file; -1 if it is not there."""
        try:
            return (self.root / path).stat().st_size
        except FileNotFoundError:
            return -1

    def settle(self, paths: list[str]) -> None:
        """Has files that others wrote last. A file that is no longer there is part of a checkpoint."""
        for path in paths:
            with contextlib.suppress(FileNotFoundError):
                self._flush(self.root / path)
                self._flush((self.root / path).parent)


class Bucket:
    """A bucket of an object store, through the client that the log is written with: one set of credentials."""

    def __init__(self, url: str, options: dict[str, str]) -> None:
        self._handler: Any = DeltaStorageHandler(url, options)
        self._files: Any = pa_fs.PyFileSystem(self._handler)

    def write(self, path: str, content: pa.Buffer) -> None:
        """Puts an object; it lasts, and is seen whole or not at all."""
        # Not through pyarrow: it hands on buffers, and delta-rs's stream takes bytes only.
        stream = self._handler._handler.open_output_stream(path, None)
        stream.write(content.to_pybytes())
        # The object is there from here on, whole; without this there is none.
        stream.close()

    def open(self, path: str) -> pa.NativeFile:
        """Opens an object for reading anywhere in it."""
        return self._files.open_input_file(path)

    def delete(self, path: str) -> None:
        """Deletes an object; one that is not there is none the less gone."""
        with contextlib.suppress(FileNotFoundError):
            self._files.delete_file(path)

    def size(self, path: str) -> int:
        """Bytes of an object; -1 if it is not there."""
        found = self._files.get_file_info(path)
        return int(found.size) if found.type == pa_fs.FileType.File else -1

    def settle(self, paths: list[str]) -> None:
        """Nothing: an object that was put lasts."""
