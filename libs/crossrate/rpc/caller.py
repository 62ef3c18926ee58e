"""Who calls: the identity that the mesh proxy proved, and which methods it may call.

The proxy's inbound listener ends mutual TLS and writes the peer's SPIFFE id into `x-forwarded-client-cert`, replacing
whatever a client sent. A call without the header came over the Unix socket directly; only the owner of the run folder
can open it, so it is the local operator.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from crossrate.rpc.contract import MethodContract
from crossrate.runtime.topology import ROLES, Topology

LOCAL = "local"
"""The local operator; may call everything."""
EDGE = "edge"
"""The edge proxy, on behalf of a client outside of the mesh."""

CLIENT_HEADER = "x-crossrate-client"
"""Where the edge says whose certificate it saw: a SPIFFE id, and nothing for none. It removes what a client sent under
this name, and nobody believes the header but of the edge."""
FINGERPRINT_HEADER = "x-crossrate-fingerprint"
"""Where the edge says the SHA-256 of that certificate, in hexadecimal, to what a service answers over HTTP."""
ALL_ACCOUNTS = "*"

CACHED_MAX = 1024
"""Header values remembered; a certificate's rotation brings a new one for each caller."""

_PAIR = re.compile(r'([A-Za-z]+)=("(?:[^"\\]|\\.)*"|[^;,"]*)(;|,|$)')


class Callers:
    """Reads callers from the header, remembering what it has read."""

    def __init__(self, trust_domain: str) -> None:
        self._prefix = f"spiffe://{trust_domain}/"
        self._known: dict[str, str] = {}

    def name(self, header: str | None) -> str:
        """The caller's word for the value of `x-forwarded-client-cert`; LOCAL without one, "" if it proves nobody."""
        if header is None:
            return LOCAL
        name = self._known.get(header)
        if name is None:
            name = self._read(header)
            if len(self._known) >= CACHED_MAX:
                self._known.clear()
            self._known[header] = name
        return name

    def _read(self, header: str) -> str:
        # One element for each proxy on the way, the nearest last; each a list of key=value. A value in quotes may hold
        # the separators, so what is not a list from its first to its last character proves nobody.
        identities: list[str] = []
        at = 0
        while at < len(header):
            pair = _PAIR.match(header, at)
            if pair is None:
                return ""
            key, value, separator = pair.groups()
            if key.lower() == "uri":
                identities.append(value.strip('"'))
            at = pair.end()
            if separator == "," and at < len(header):
                identities.clear()
        if len(identities) != 1 or not identities[0].startswith(self._prefix):
            return ""
        word = identities[0].removeprefix(self._prefix)
        return word if word.isascii() and word.isalpha() and word.islower() and word != LOCAL else ""


@dataclass(frozen=True, slots=True)
class Client:
    """On whose behalf the edge, or the local operator, calls.

    `name` is "" for who showed no certificate. `accounts` are names, beginnings with "*" behind them, or "*".
    """

    name: str
    roles: frozenset[str]
    accounts: tuple[str, ...]

    def may_use(self, account: str) -> bool:
        """Whether it was granted an account."""
        return any(
            account.startswith(granted[:-1]) if granted.endswith("*") else account == granted
            for granted in self.accounts
        )

    def __str__(self) -> str:
        return f"client:{self.name}" if self.name else "anonymous"


OPERATOR = Client("operator", ROLES, (ALL_ACCOUNTS,))
"""The local operator."""


class Clients:
    """The clients of the topology, by what the edge says of them."""

    def __init__(self, topology: Topology) -> None:
        everybody = frozenset(topology.edge.anonymous_roles)
        self.anonymous = Client("", everybody, ())
        self._known = {
            topology.client_identity(name): Client(name, everybody | frozenset(client.roles), client.accounts)
            for name, client in topology.clients.items()
        }

    def of(self, header: str | None) -> Client | None:
        """The client for the value of CLIENT_HEADER, nobody in particular without it; None if there is no such."""
        if header is None:
            return self.anonymous
        return self._known.get(header)


def allowed_callers(method: MethodContract, topology: Topology) -> frozenset[str]:
    """Who may call a method: the local operator, the edge if some role may, and each service that both the method's
    policy and the topology let call it."""
    callers = {LOCAL}
    if method.roles:
        callers.add(EDGE)
    for name, service in topology.services.items():
        if name in method.services and method.workload in service.calls:
            callers.add(name)
    return frozenset(callers)
