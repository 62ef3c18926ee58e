"""Who trades over the OANDA v20 API: `mesh/oanda_clients.toml`, checked before anything is served, and their tokens.

A client's tokens lie in the state folder as SHA-256 in hexadecimal, one a line: oanda/<client>.token, mode 0600. Two
lines are two tokens, so that a new one is taken before the old one goes. The file is looked at again every second.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import time
from pathlib import Path

from pydantic import Field

from services.broker import declared
from services.broker.declared import Account, Frozen, Name

DEFAULT_PATH = Path(__file__).resolve().parents[3] / "mesh" / "oanda_clients.toml"
CLIENTS_MAX = 1000
TOKENS_MAX = 8
FRESH_S = 1.0

_HASH = re.compile(r"^[0-9a-f]{64}$")


class OandaClientsInvalid(ValueError):
    """The file does not declare clients; the message names the file, and each field with its remedy."""


class OandaClient(Frozen):
    """One program, or several with the same rights."""

    accounts: tuple[Account, ...] = Field(min_length=1, max_length=100)
    """The accounts that it may use; their names are its account ids."""
    requests_per_s_max: float = Field(default=100.0, gt=0, le=10_000)
    """What comes faster is answered with 429."""
    streams_max: int = Field(default=20, ge=1, le=200)
    """Streams of prices and transactions open at once."""


class OandaClients(Frozen):
    """All clients, by name."""

    clients: dict[Name, OandaClient] = Field(default={}, max_length=CLIENTS_MAX)

    @property
    def accounts(self) -> tuple[str, ...]:
        """Every account that a client may use, once."""
        return tuple(dict.fromkeys(account for client in self.clients.values() for account in client.accounts))


def load(path: Path = DEFAULT_PATH) -> OandaClients:
    """Reads and checks the file.

    Raises:
        OandaClientsInvalid: it is not there, no TOML, or does not declare clients.
    """
    text = declared.read(path, "CROSSRATE_BROKER_OANDA_CLIENTS", OandaClientsInvalid)
    return declared.checked(OandaClients, text, str(path), OandaClientsInvalid)


def token_hashes(state: Path, client: str) -> tuple[str, ...]:
    """A client's tokens as they are kept.

    Raises:
        OandaClientsInvalid: the file is not there, may be read by others, or has a line that is no SHA-256.
    """
    path = state / "oanda" / f"{client}.token"
    text = declared.secret(path, f"write the SHA-256 of {client}'s token there", OandaClientsInvalid)
    lines = [line.strip() for line in text.splitlines()]
    found = tuple(line for line in lines if line and not line.startswith("#"))
    if not found or len(found) > TOKENS_MAX or not all(_HASH.match(each) for each in found):
        raise OandaClientsInvalid(f"{path}: one SHA-256 in hexadecimal a line, 1 to {TOKENS_MAX} of them")
    return found


class Tokens:
    """Whose token it is. A file that has become unreadable lets nobody in.

    Raises:
        OandaClientsInvalid: a client has no tokens at the start.
    """

    def __init__(self, state: Path, clients: OandaClients) -> None:
        self._state = state
        self._names = tuple(clients.clients)
        self._hashes = {name: token_hashes(state, name) for name in self._names}
        self._looked_s = time.monotonic()

    def client(self, token: str) -> str | None:
        """The client that a token is of; None for nobody's."""
        now = time.monotonic()
        if now - self._looked_s > FRESH_S:
            self._looked_s = now
            self._hashes = {name: self._read(name) for name in self._names}
        given = hashlib.sha256(token.encode()).hexdigest()
        found = None
        for name, hashes in self._hashes.items():
            for each in hashes:
                if hmac.compare_digest(each, given):
                    found = name
        return found

    def _read(self, name: str) -> tuple[str, ...]:
        try:
            return token_hashes(self._state, name)
        except OandaClientsInvalid:
            return ()
