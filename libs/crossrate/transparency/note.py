"""Signed notes (C2SP signed-note) with Ed25519, and cosignatures of witnesses (C2SP tlog-cosignature).

A note is a text that ends with a newline, an empty line, and one line for each signature: "— name base64". The first
four bytes of a signature are the key's id; readers pass over signatures of keys that they do not know.
"""

from __future__ import annotations

import base64
import binascii
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

NOTE_BYTES_MAX = 65_536
SIGNATURES_MAX = 64
ED25519 = 1
"""Algorithm byte of a plain signature of the text."""
COSIGNATURE = 4
"""Algorithm byte of a witness's signature of a checkpoint, with the time at which it was made."""
_MARK = "— "


class NoteError(ValueError):
    """A note, a key or a signature is malformed, or nobody who is trusted has signed; the message says which."""


def _key_id(name: str, algorithm: int, public: bytes) -> bytes:
    return sha256(name.encode() + b"\n" + bytes([algorithm]) + public).digest()[:4]


@dataclass(frozen=True, slots=True)
class Verifier:
    """A public key with the name that signatures carry, as "name+id+key" (the form of signed-note's verifier keys)."""

    name: str
    algorithm: int
    public: bytes

    @property
    def id(self) -> bytes:
        """The four bytes that signatures begin with."""
        return _key_id(self.name, self.algorithm, self.public)

    def __str__(self) -> str:
        key = base64.b64encode(bytes([self.algorithm]) + self.public).decode()
        return f"{self.name}+{self.id.hex()}+{key}"

    @classmethod
    def parse(cls, text: str) -> Verifier:
        """Reads a verifier key.

        Raises:
            NoteError: it is none, or its id is not that of its key.
        """
        name, _, rest = text.strip().partition("+")
        id_hex, _, key64 = rest.partition("+")
        try:
            key = base64.b64decode(key64, validate=True)
        except binascii.Error:
            raise NoteError(f"{text.strip()[:100]!r} is no verifier key: expected name+id+key") from None
        if not name or any(each.isspace() for each in name) or len(key) != 33 or key[0] not in (ED25519, COSIGNATURE):
            raise NoteError(f"{text.strip()[:100]!r} is no verifier key of Ed25519: expected name+id+key")
        found = cls(name, key[0], key[1:])
        if found.id.hex() != id_hex:
            raise NoteError(f"verifier key of {name}: its id is {id_hex}, that of its key {found.id.hex()}")
        return found

    def verify(self, text: str, signature: bytes) -> int:
        """Checks a signature (without the key's id) of a note's text.

        Returns:
            When a witness made it, seconds since 1970; 0 for a plain signature.

        Raises:
            NoteError: it is not this key's.
        """
        message, time_s = text.encode(), 0
        if self.algorithm == COSIGNATURE:
            if len(signature) != 72:
                raise NoteError(f"a cosignature of {self.name} has {len(signature)} bytes, not 72")
            (time_s,) = struct.unpack(">Q", signature[:8])
            message, signature = _cosigned(text, time_s), signature[8:]
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message)
        except InvalidSignature:
            raise NoteError(f"the signature of {self.name} is not by the key {self.id.hex()}") from None
        return time_s


def _cosigned(text: str, time_s: int) -> bytes:
    return f"cosignature/v1\ntime {time_s}\n{text}".encode()


class Signer:
    """A private key with its name."""

    def __init__(self, name: str, key: Ed25519PrivateKey, algorithm: int = ED25519) -> None:
        public = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        self.verifier = Verifier(name, algorithm, public)
        self._key = key

    @classmethod
    def generate(cls, name: str, algorithm: int = ED25519) -> Signer:
        """A new key."""
        return cls(name, Ed25519PrivateKey.generate(), algorithm)

    @classmethod
    def parse(cls, text: str) -> Signer:
        """Reads a key as `secret` writes it.

        Raises:
            NoteError: it is none.
        """
        parts = text.strip().split("+", 4)
        try:
            kind, _, name, _, key64 = parts
            key = base64.b64decode(key64, validate=True)
            if kind != "PRIVATE" or len(key) != 33:
                raise ValueError
            return cls(name, Ed25519PrivateKey.from_private_bytes(key[1:]), key[0])
        except (ValueError, binascii.Error):
            raise NoteError("no signing key: expected PRIVATE+KEY+name+id+key") from None

    @property
    def secret(self) -> str:
        """The key as text, for a file of mode 0600 and nothing else."""
        private = self._key.private_bytes(
            serialization.Encoding.Raw, serialization.PrivateFormat.Raw, serialization.NoEncryption()
        )
        key = base64.b64encode(bytes([self.verifier.algorithm]) + private).decode()
        return f"PRIVATE+KEY+{self.verifier.name}+{self.verifier.id.hex()}+{key}"

    def sign(self, text: str, time_s: int = 0) -> str:
        """The line that signs a text; a witness also says when, in seconds since 1970."""
        if self.verifier.algorithm == COSIGNATURE:
            signature = struct.pack(">Q", time_s) + self._key.sign(_cosigned(text, time_s))
        else:
            signature = self._key.sign(text.encode())
        return f"{_MARK}{self.verifier.name} {base64.b64encode(self.verifier.id + signature).decode()}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """A text and the signatures under it: name, key id, signature."""

    text: str
    signatures: tuple[tuple[str, bytes, bytes], ...]

    @classmethod
    def parse(cls, note: str) -> Note:
        """Reads a note; checks no signature.

        Raises:
            NoteError: it is none.
        """
        if len(note.encode()) > NOTE_BYTES_MAX:
            raise NoteError(f"a note of more than {NOTE_BYTES_MAX} bytes")
        text, gap, signed = note.rpartition("\n\n")
        if not gap or not signed.endswith("\n") or not text:
            raise NoteError("no signed note: expected a text, an empty line, and lines of signatures")
        found = []
        for line in signed[:-1].split("\n"):
            name, space, rest = line.removeprefix(_MARK).partition(" ")
            try:
                raw = base64.b64decode(rest, validate=True)
            except binascii.Error:
                raw = b""
            if not line.startswith(_MARK) or not name or not space or len(raw) < 5:
                raise NoteError(f"a malformed line of signature: {line[:100]!r}")
            found.append((name, raw[:4], raw[4:]))
        if len(found) > SIGNATURES_MAX:
            raise NoteError(f"a note with more than {SIGNATURES_MAX} signatures")
        return cls(text + "\n", tuple(found))

    def signed_by(self, verifiers: Iterable[Verifier]) -> dict[Verifier, int]:
        """Which of some keys have signed, with the times of witnesses (0 for a plain signature).

        Raises:
            NoteError: a signature bears one of these keys' names and ids and is not by it.
        """
        found = {}
        for verifier in verifiers:
            for name, key_id, signature in self.signatures:
                if name == verifier.name and key_id == verifier.id:
                    found[verifier] = verifier.verify(self.text, signature)
        return found


def sign(text: str, signers: Sequence[Signer]) -> str:
    """A note over a text, which ends with a newline."""
    return text + "\n" + "".join(each.sign(text) for each in signers)
