"""The key that this mesh's identity is sealed with: a file of mode 0600, made at the first start.

What must be read again (signing keys, TOTP secrets, answers that hold a secret) stands sealed in the database, by
AES-256 in GCM; what must only be recognised (API keys, refresh tokens, codes, tickets) stands as SHA-256 of 256 random
bits. Whoever has a copy of the database alone has neither.
"""

from __future__ import annotations

import base64
import hashlib
import os
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
NONCE_BYTES = 12
SECRET_BYTES = 32


class VaultError(Exception):
    """The key does not fit what was sealed, or cannot be used; the message says what to do."""


def digest(secret: str) -> bytes:
    """What is kept of a secret that has 256 random bits: no need for a slow hash."""
    return hashlib.sha256(secret.encode()).digest()


def new_secret(prefix: str = "") -> str:
    """256 random bits, base64url."""
    return prefix + secrets.token_urlsafe(SECRET_BYTES)


def new_number() -> str:
    """128 random bits in hexadecimal, for what is no secret: it can be typed behind a command, which a minus in front
    would make an option."""
    return secrets.token_hex(16)


class Vault:
    """Seals and opens."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    @classmethod
    def open(cls, path: Path) -> Vault:
        """The vault of a file, which is made if it is not there. Instances that start together agree on one.

        Raises:
            VaultError: the file is not one, or others may read it.
        """
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        if not path.exists():
            made = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(made, "wb") as file:
                file.write(base64.b64encode(secrets.token_bytes(KEY_BYTES)) + b"\n")
                file.flush()
                os.fsync(file.fileno())
            try:
                os.link(draft, path)
            except FileExistsError:
                pass
            finally:
                draft.unlink()
        if path.stat().st_mode & 0o077:
            raise VaultError(f"{path} can be read by others: chmod 600 it, and rotate the signing keys")
        try:
            key = base64.b64decode(path.read_bytes(), validate=False)
        except ValueError:
            key = b""
        if len(key) != KEY_BYTES:
            raise VaultError(f"{path} is no key: put it back from a backup")
        return cls(key)

    def seal(self, content: bytes, purpose: str) -> bytes:
        """Sealed for one purpose; what was sealed for another does not open."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, content, purpose.encode())

    def unseal(self, sealed: bytes, purpose: str) -> bytes:
        """What was sealed.

        Raises:
            VaultError: it was sealed with another key or for another purpose, or was changed.
        """
        try:
            return self._cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], purpose.encode())
        except (InvalidTag, ValueError):
            raise VaultError(
                f"the vault's key does not open {purpose!r}: put the key file back from a backup"
            ) from None
