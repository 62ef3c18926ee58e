"""Who trades over FIX: `mesh/fix_clients.toml`, checked before anything listens."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from services.broker import declared
from services.broker.declared import Account, ClockSeconds, Frozen, Name, Reset

DEFAULT_PATH = Path(__file__).resolve().parents[3] / "mesh" / "fix_clients.toml"
CLIENTS_MAX = 1000

CompId = Annotated[str, Field(pattern=r"^[!-~]{1,64}$")]


class FixClientsInvalid(ValueError):
    """The file does not declare clients; the message names the file, and each field with its remedy."""


class Gateway(Frozen):
    """Where it listens."""

    address: str = Field(default="127.0.0.1", max_length=253)
    """Loopback until told otherwise."""
    port: int = Field(default=9880, ge=0, le=65_535)
    comp_id: CompId = "CROSSRATE"
    certificate: str = ""
    """PEM of certificate and key, relative to this file: with it, TLS alone is spoken."""

    @model_validator(mode="after")
    def _passwords_are_not_read_on_the_way(self) -> Self:
        if self.address not in ("127.0.0.1", "::1", "localhost") and not self.certificate:
            raise ValueError(f"address is {self.address}: beyond loopback passwords need TLS; set `certificate`")
        return self


class FixClient(Frozen):
    """One client's session."""

    comp_id: CompId
    accounts: tuple[Account, ...] = Field(min_length=1, max_length=100)
    """The first is that of orders without Account (1)."""
    reports: Literal["own", "all"] = "own"
    """Of the orders that this session entered, or of every order of the accounts."""
    messages_per_s_max: float = Field(default=500.0, gt=0, le=100_000)
    """What comes faster ends the connection."""
    unknown_fields: Literal["keep", "refuse", "refuse_all"] = "keep"
    """Fields that FIX 4.4 does not have in a message: kept and not looked at; refused (Reject) but for those from tag
    5000 on, which are the parties' own; or all refused."""
    clock_s: ClockSeconds = 120.0
    may_reset: bool = True
    """Whether a Logon with ResetSeqNumFlag (141=Y) is followed; else it is refused. What the client had not received by
    then is not sent again: it asks for it (AF, H)."""
    reset: Reset = "never"
    cancel_on_disconnect: bool = False
    """Whether everything that works on the accounts is cancelled when the session is lost or logged out, also with the
    instance that served it; what the client had sent before is carried out first."""


class FixClients(Frozen):
    """All clients, by name."""

    gateway: Gateway = Gateway()
    clients: dict[Name, FixClient] = Field(default={}, max_length=CLIENTS_MAX)

    @model_validator(mode="after")
    def _names_are_their_own(self) -> Self:
        taken: dict[str, str] = {}
        for name, client in self.clients.items():
            if (other := taken.setdefault(client.comp_id, name)) != name:
                raise ValueError(f"clients.{name}.comp_id: {client.comp_id!r} is that of {other} already")
        return self


def load(path: Path = DEFAULT_PATH) -> FixClients:
    """Reads and checks the file.

    Raises:
        FixClientsInvalid: it is not there, no TOML, or does not declare clients.
    """
    text = declared.read(path, "CROSSRATE_BROKER_FIX_CLIENTS", FixClientsInvalid)
    return declared.checked(FixClients, text, str(path), FixClientsInvalid)


def password_of(state: Path, client: str) -> str:
    """A client's password, from the state folder.

    Raises:
        FixClientsInvalid: the file is not there, is empty, or may be read by others.
    """
    path = state / "fix" / f"{client}.password"
    password = declared.secret(path, f"write {client}'s password there", FixClientsInvalid)
    if not password:
        raise FixClientsInvalid(f"{path}: is empty")
    return password
