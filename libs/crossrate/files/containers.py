"""From a path to streams of bytes: plain, .gz, .zst, .zip with its members; nothing is unpacked to disk."""

from __future__ import annotations

import codecs
import gzip
import io
import lzma
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from crossrate.files.failure import FileFailure

MAGIC = {b"PK\x03\x04": "zip", b"PK\x05\x06": "zip", b"\x1f\x8b": "gz", b"\x28\xb5\x2f\xfd": "zst"}


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of a file is believed.

    Attributes:
        block_bytes: how much is read and parsed at a time.
        line_bytes_max: the longest line; of a longer one only the begin is ever in memory.
        expanded_bytes_max: bytes of a file after decompression, all members of an archive together.
        expansion_max: how many times larger than the file that may be; small files have 64 MiB free.
        members_max: members of an archive.
        rejected_max: lines that may be rejected before the file is given up.
    """

    block_bytes: int = 4 << 20
    line_bytes_max: int = 64 << 10
    expanded_bytes_max: int = 64 << 30
    expansion_max: int = 200
    members_max: int = 10_000
    rejected_max: int = 100_000

    def expanded(self, packed: int) -> int:
        """What a file of so many bytes may expand to."""
        return min(self.expanded_bytes_max, max(packed * self.expansion_max, 64 << 20))


@dataclass(frozen=True, slots=True)
class Member:
    """One stream of rows.

    Attributes:
        name: for messages and for the instrument: the path, with the member after a colon.
        paths: what may say the instrument: the member's name in an archive, and the file's.
        stream: its bytes.
    """

    name: str
    paths: tuple[str, ...]
    stream: BinaryIO


class Bounded(io.RawIOBase):
    """A stream that fails, with a message, when it is damaged or gives more than it may."""

    def __init__(self, stream: BinaryIO, name: str, bytes_max: int) -> None:
        """For one member."""
        super().__init__()
        self._stream, self._name, self._left, self._max = stream, name, bytes_max, bytes_max

    def readable(self) -> bool:
        """It is."""
        return True

    def read(self, size: int = -1) -> bytes:
        """At most `size` bytes; fewer only at the end.

        Raises:
            FileFailure: the stream is damaged, cut off or too large.
        """
        parts: list[bytes] = []
        wanted = self._left + 1 if size < 0 else size
        try:
            while wanted > 0 and (part := self._stream.read(min(wanted, 16 << 20))):
                parts.append(part)
                wanted -= len(part)
                self._left -= len(part)
                if self._left < 0:
                    raise FileFailure(
                        self._name, f"expands to more than {self._max} bytes; raise the limit if it is right"
                    )
        except (EOFError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile, lzma.LZMAError, OSError) as error:
            raise FileFailure(
                self._name, f"is damaged or cut off after {self._max - self._left} bytes ({error}); fetch it again"
            ) from error
        return parts[0] if len(parts) == 1 else b"".join(parts)


def _kind(path: Path) -> str:
    try:
        with path.open("rb") as file:
            begin = file.read(4)
    except OSError as error:
        raise FileFailure(str(path), f"cannot be read: {error.strerror}") from error
    if not begin:
        raise FileFailure(str(path), "is empty")
    return next((kind for magic, kind in MAGIC.items() if begin.startswith(magic)), "plain")


@contextmanager
def _opened(path: Path, kind: str, limits: Limits) -> Iterator[BinaryIO]:
    """The stream of a file that is no archive."""
    allowed = limits.expanded(path.stat().st_size)
    if kind == "gz":
        with gzip.open(path, "rb") as stream:
            yield Bounded(stream, str(path), allowed)
    elif kind == "zst":
        import pyarrow as pa

        with pa.CompressedInputStream(pa.OSFile(str(path)), "zstd") as stream:
            yield Bounded(stream, str(path), allowed)
    else:
        with path.open("rb") as stream:
            yield Bounded(stream, str(path), limits.expanded_bytes_max)


def members(path: Path, pattern: str, limits: Limits) -> Iterator[Member]:
    """The streams of a file, one after the other; each is closed when the next is asked for.

    Raises:
        FileFailure: it cannot be read, is damaged, or is larger or names more than it may.
    """
    kind = _kind(path)
    if kind != "zip":
        with _opened(path, kind, limits) as stream:
            yield Member(str(path), (path.absolute().as_posix(),), stream)
        return
    try:
        with zipfile.ZipFile(path) as archive:
            for info in _chosen(path, archive, pattern, limits):
                with archive.open(info) as stream:
                    name = f"{path}:{info.filename}"
                    yield Member(
                        name, (info.filename, path.absolute().as_posix()), Bounded(stream, name, info.file_size)
                    )
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise FileFailure(str(path), f"is no whole zip archive ({error}); fetch it again") from error


def _chosen(path: Path, archive: zipfile.ZipFile, pattern: str, limits: Limits) -> list[zipfile.ZipInfo]:
    """The members that hold rows, by name; refuses an archive that lies about names or sizes."""
    infos = [info for info in archive.infolist() if not info.is_dir()]
    if len(infos) > limits.members_max:
        raise FileFailure(str(path), f"has {len(infos)} members; {limits.members_max} are allowed")
    for info in infos:
        parts = PurePosixPath(info.filename.replace("\\", "/"))
        if parts.is_absolute() or ".." in parts.parts or re.match(r"[A-Za-z]:", info.filename) or "\0" in info.filename:
            raise FileFailure(
                str(path), f"names a member outside of itself, {info.filename!r}; it is not to be trusted"
            )
        if info.flag_bits & 1:
            raise FileFailure(f"{path}:{info.filename}", "is encrypted; unpack it first")
    chosen = [info for info in infos if re.fullmatch(pattern, PurePosixPath(info.filename).name, re.IGNORECASE)]
    if not chosen:
        names = ", ".join(info.filename for info in infos[:5]) or "nothing"
        raise FileFailure(str(path), f"has no member that matches {pattern}; it holds {names}")
    size, allowed = sum(info.file_size for info in chosen), limits.expanded(path.stat().st_size)
    if size > allowed:
        raise FileFailure(str(path), f"expands to {size} bytes, {allowed} are allowed; raise the limit if it is right")
    return sorted(chosen, key=lambda info: info.filename)


class Transcoded(io.RawIOBase):
    """UTF-16 as UTF-8, part by part."""

    def __init__(self, stream: BinaryIO, name: str, encoding: str, begun: bytes) -> None:
        """For a stream of which the begin was read to see what it is."""
        super().__init__()
        self._stream, self._name, self._begun = stream, name, begun
        self._decoder = codecs.getincrementaldecoder(encoding)("strict")

    def readable(self) -> bool:
        """It is."""
        return True

    def read(self, size: int = -1) -> bytes:
        """About `size` bytes; nothing only at the end."""
        while True:
            part = self._begun or self._stream.read(size)
            self._begun = b""
            try:
                text = self._decoder.decode(part, final=not part)
            except UnicodeDecodeError as error:
                raise FileFailure(self._name, f"is no whole {self._decoder.__class__.__module__}: {error}") from error
            if text or not part:
                return text.lstrip("\N{ZERO WIDTH NO-BREAK SPACE}").encode()
