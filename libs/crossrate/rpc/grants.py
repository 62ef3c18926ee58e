"""What a client of the edge may use: its grants, and the fields of requests in which it names what it wants.

The contract says which fields name accounts, instruments and desks (`account_fields` and its sisters in policy.proto).
A call that names what its client was not granted is refused before its handler, and before its other fields are
judged: who may not know an account learns nothing of it. What is listed rather than named is filtered where it is read,
by `Client.account_patterns`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message

from crossrate.rpc import refusals
from crossrate.rpc.contract import MethodContract, field_at
from crossrate.runtime.topology import ROLES

EVERYTHING = "*"
WATCHING = frozenset({"risk_officer", "operator", "auditor", "admin"})
"""Roles that watch over others' doings: they are shown what concerns any account, and named accounts they use as all
others do, by their grants."""
NEVER = float("inf")


@dataclass(frozen=True, slots=True)
class Client:
    """On whose behalf the edge, or the local operator, calls. Times are seconds since 1970.

    Args:
        name: of a client of the topology; "" for who proves nothing.
        accounts: names, beginnings with "*" behind them, or "*".
        instruments: in which it may deal, written like accounts; None for all.
        desk: the desk that it belongs to; "" for none, which may name every desk.
        principal: who is answerable: "user:…" or "machine:…" of a token, else made of the name.
        subject, session: what identity's revocations name; "" without a token.
        issue_time, expire_time: of its token.
        factor_time: when a second factor was last proved; NEVER for a key that counts as one for ever, 0 for none.
        bound_to: SHA-256 of the certificate without which its token is worth nothing, in hexadecimal; "" for none.
    """

    name: str
    roles: frozenset[str]
    accounts: tuple[str, ...]
    instruments: tuple[str, ...] | None = None
    desk: str = ""
    principal: str = ""
    subject: str = ""
    session: str = ""
    issue_time: float = 0.0
    expire_time: float = NEVER
    factor_time: float = 0.0
    bound_to: str = ""

    def may_use(self, account: str) -> bool:
        """Whether it was granted an account."""
        return _matches(self.accounts, account)

    def may_see(self, account: str) -> bool:
        """Whether it may be shown what concerns an account; "" is nobody's."""
        return not account or bool(self.roles & WATCHING) or self.may_use(account)

    def may_deal_in(self, instrument: str) -> bool:
        """Whether it may deal in an instrument."""
        return self.instruments is None or _matches(self.instruments, instrument)

    def may_name(self, desk: str) -> bool:
        """Whether it may name a desk."""
        return not self.desk or desk == self.desk

    @property
    def account_patterns(self) -> list[str]:
        """The accounts that it was granted, for SQL: `account LIKE ANY($1)`. Names have no % and no _ in them."""
        return [f"{each[:-1]}%" if each.endswith(EVERYTHING) else each for each in self.accounts]

    def __str__(self) -> str:
        return self.principal or (f"client:{self.name}" if self.name else "anonymous")


def _matches(granted: Iterable[str], name: str) -> bool:
    return any(name.startswith(each[:-1]) if each.endswith(EVERYTHING) else name == each for each in granted)


OPERATOR = Client("operator", ROLES, (EVERYTHING,), factor_time=NEVER)
"""The local operator."""

Read = Callable[[Any], Iterable[str]]


def reader(message: Descriptor, path: str) -> Read:
    """What finds the values at a path of a request ("order.account"); what is repeated on the way is followed."""
    names = path.split(".")
    repeated = [field_at(message, ".".join(names[: i + 1])).is_repeated for i in range(len(names))]
    if not any(repeated):
        *outer, last = names

        def one(request: Any) -> tuple[str]:
            for name in outer:
                request = getattr(request, name)
            return (getattr(request, last),)

        return one

    def several(request: Any) -> Iterable[str]:
        found = [request]
        for name, many in zip(names, repeated, strict=True):
            found = [v for each in found for v in (getattr(each, name) if many else (getattr(each, name),))]
        return found

    return several


def guard(contract: MethodContract) -> Callable[[Client, Message], None] | None:
    """What refuses a request that names what its client was not granted; None for a method that names nothing.

    The function raises `Failure` with CALLER_NOT_ALLOWED. A field that is empty names nothing.
    """
    accounts = [reader(contract.input, path) for path in contract.account_fields]
    instruments = [reader(contract.input, path) for path in contract.instrument_fields]
    desks = [reader(contract.input, path) for path in contract.desk_fields]
    if not accounts and not instruments and not desks:
        return None

    def check(client: Client, request: Message) -> None:
        if client is OPERATOR:
            return
        if client.accounts != (EVERYTHING,):
            _check("account", accounts, client.may_use, client, request)
        if client.instruments is not None:
            _check("instrument", instruments, client.may_deal_in, client, request)
        if client.desk:
            _check("desk", desks, client.may_name, client, request)

    return check


def _check(
    kind: str, readers: Sequence[Read], granted: Callable[[str], bool], client: Client, request: Message
) -> None:
    for read in readers:
        for name in read(request):
            if name and not granted(name):
                raise refusals.not_granted(kind, name, str(client))
