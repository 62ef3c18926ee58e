"""Checkpoints (C2SP tlog-checkpoint): a log's name, its size and its root, as the text of a signed note."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass

from crossrate.transparency.note import Note, NoteError, Signer, Verifier, sign
from crossrate.transparency.tree import HASH_BYTES


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The log `origin` had `size` leaves under `root`. `extensions` are further lines: the time, the size before."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """What is signed."""
        lines = (self.origin, str(self.size), base64.b64encode(self.root).decode(), *self.extensions)
        return "".join(f"{line}\n" for line in lines)

    @classmethod
    def parse(cls, text: str) -> Checkpoint:
        """Reads the text of a note.

        Raises:
            NoteError: it is no checkpoint.
        """
        lines = text.split("\n")
        try:
            root = base64.b64decode(lines[2], validate=True)
        except (IndexError, binascii.Error):
            root = b""
        if len(root) != HASH_BYTES or not lines[0] or not re.fullmatch(r"0|[1-9][0-9]{0,18}", lines[1]) or lines[-1]:
            raise NoteError("no checkpoint: expected lines with origin, size and root")
        return cls(lines[0], int(lines[1]), root, tuple(lines[3:-1]))


def sign_checkpoint(checkpoint: Checkpoint, signers: Sequence[Signer]) -> str:
    """The signed note of a checkpoint."""
    return sign(checkpoint.text, signers)


def open_checkpoint(note: str, origin: str, verifiers: Sequence[Verifier]) -> Checkpoint:
    """The checkpoint of a note that at least one of some keys has signed.

    Raises:
        NoteError: it is malformed, of another log, or signed by none of them.
    """
    parsed = Note.parse(note)
    checkpoint = Checkpoint.parse(parsed.text)
    if checkpoint.origin != origin:
        raise NoteError(f"a checkpoint of the log {checkpoint.origin!r}, not of {origin!r}")
    if not parsed.signed_by(verifiers):
        keys = ", ".join(each.id.hex() for each in verifiers) or "none"
        raise NoteError(f"the checkpoint of size {checkpoint.size} is signed by no trusted key (trusted: {keys})")
    return checkpoint
