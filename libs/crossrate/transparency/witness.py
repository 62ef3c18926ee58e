"""The witness: cosigns a checkpoint only if all that it cosigned before is the beginning of it, and keeps each.

By C2SP tlog-witness. The file is the point: what stands in it was signed by the log at that time, and a log that is
changed or put back later cannot agree with it any more.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from crossrate.transparency.checkpoint import Checkpoint, open_checkpoint
from crossrate.transparency.note import COSIGNATURE, Note, NoteError, Signer, Verifier
from crossrate.transparency.tree import HASH_BYTES, ProofError, verify_consistency

CHECKPOINTS = "checkpoints.jsonl"
KEY = "witness.key"
PROOF_MAX = 63
FORMAT = "crossrate-witness/1"
TAKEN = 3
"""Exit code of a witness whose folder another process has."""


class Conflict(Exception):
    """The witness has cosigned another size than the proof begins at; `size` is the one."""

    def __init__(self, size: int) -> None:
        super().__init__(f"the newest cosigned checkpoint has size {size}")
        self.size = size


class Refused(Exception):
    """What was cosigned before is not the beginning of the log, or nobody who is trusted has signed."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A checkpoint that was cosigned, with all its signatures."""

    checkpoint: Checkpoint
    note: str


class Witness:
    """One witness of one log, with its file. One process at a time may have it."""

    def __init__(self, folder: Path, origin: str, log_keys: list[Verifier], clock_s: Callable[[], float]) -> None:
        """Opens or begins the file and the key.

        Raises:
            NoteError: the key or the file is not what this wrote.
        """
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._path = folder / CHECKPOINTS
        self._origin = origin
        self._log_keys = log_keys
        self._clock_s = clock_s
        self._signer = _signer(folder / KEY, f"{origin}/witness")
        self.verifier = self._signer.verifier
        self._last: Kept | None = None
        if self._path.exists():
            _repair(self._path)
            for kept in read_witness(self._path)[1]:
                self._last = kept
        else:
            _append(self._path, {"format": FORMAT, "origin": origin, "key": str(self.verifier)})

    @property
    def size(self) -> int:
        """Size of the newest cosigned checkpoint; 0 before the first."""
        return self._last.checkpoint.size if self._last else 0

    def add(self, body: str) -> str:
        """Takes a request of tlog-witness: "old <size>", lines of the proof, an empty line, the checkpoint.

        Returns:
            The line with the cosignature.

        Raises:
            NoteError: it cannot be read, or is of another log.
            Conflict: the proof does not begin at the newest cosigned size.
            Refused: the log is not the one that was cosigned before.
        """
        old, proof, note = parse_request(body)
        try:
            checkpoint = open_checkpoint(note, self._origin, self._log_keys)
        except NoteError as error:
            raise Refused(str(error)) from None
        if old > checkpoint.size:
            raise NoteError(f"old size {old} is beyond the checkpoint's {checkpoint.size}")
        if old != self.size:
            raise Conflict(self.size)
        try:
            if self._last is not None:
                verify_consistency(old, checkpoint.size, self._last.checkpoint.root, checkpoint.root, proof)
        except ProofError as error:
            raise Refused(str(error)) from None
        line = self._signer.sign(checkpoint.text, int(self._clock_s()))
        if self._last is None or checkpoint.size > old:
            self._last = Kept(checkpoint, note + line)
            _append(self._path, {"note": self._last.note})
        return line


def parse_request(body: str) -> tuple[int, list[bytes], str]:
    """A request of tlog-witness: old size, proof, checkpoint.

    Raises:
        NoteError: it is none.
    """
    head, gap, note = body.partition("\n\n")
    first, *lines = head.split("\n")
    try:
        if not gap or not first.startswith("old ") or len(lines) > PROOF_MAX:
            raise ValueError
        old, proof = int(first[4:]), [base64.b64decode(line, validate=True) for line in lines]
        if old < 0 or any(len(each) != HASH_BYTES for each in proof):
            raise ValueError
    except (ValueError, binascii.Error):
        raise NoteError("no request to a witness: expected old size, proof, an empty line, checkpoint") from None
    return old, proof, note


def request_of(old: int, proof: list[bytes], note: str) -> str:
    """The same, written."""
    return "\n".join([f"old {old}", *(base64.b64encode(each).decode() for each in proof)]) + f"\n\n{note}"


def read_witness(path: Path) -> tuple[str, Iterator[Kept]]:
    """A witness's file: its public key, and what it has kept, oldest first. A line cut off at the end is passed over.

    Raises:
        NoteError: it is no such file; also while it is iterated over.
        OSError: it cannot be read.
    """
    try:
        lines = path.read_text().splitlines(keepends=True)
        head = json.loads(lines[0])
        if head["format"] != FORMAT:
            raise ValueError
        return head["key"], _kept(path, lines)
    except (ValueError, KeyError, TypeError, IndexError):
        raise NoteError(f"{path} is no file of a witness: its first line has no format {FORMAT}") from None


def _kept(path: Path, lines: list[str]) -> Iterator[Kept]:
    for number, line in enumerate(lines[1:], start=2):
        if number == len(lines) and not line.endswith("\n"):
            return
        try:
            note = json.loads(line)["note"]
            yield Kept(Checkpoint.parse(Note.parse(note).text), note)
        except (ValueError, KeyError, TypeError) as error:
            raise NoteError(f"{path}, line {number}: {error}") from None


def _signer(path: Path, name: str) -> Signer:
    if path.exists():
        return Signer.parse(path.read_text())
    made = Signer.generate(name, COSIGNATURE)
    write_secret(path, made.secret + "\n")
    return made


def write_secret(path: Path, text: str) -> None:
    """Writes a file of mode 0600, whole or not at all, durably."""
    fresh = path.with_name(f"{path.name}.new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.rename(path)


def _repair(path: Path) -> None:
    """Takes off a last line that was cut off; its cosignature never left this process."""
    content = path.read_bytes()
    if not content.endswith(b"\n"):
        os.truncate(path, content.rfind(b"\n") + 1)


def _append(path: Path, line: dict[str, str]) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "a") as file:
        file.write(json.dumps(line, ensure_ascii=False) + "\n")
        file.flush()
        os.fsync(file.fileno())
