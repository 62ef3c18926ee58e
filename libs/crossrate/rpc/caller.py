"""Who calls: the identity that the mesh proxy proved, and which methods it may call.

The proxy's inbound listener ends mutual TLS and writes the peer's SPIFFE id into `x-forwarded-client-cert`, replacing
whatever a client sent. A call without the header came over the Unix socket directly; only the owner of the run folder
can open it, so it is the local operator.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from crossrate.rpc import errors, refusals
from crossrate.rpc.contract import MethodContract
from crossrate.rpc.grants import NEVER, OPERATOR, Client
from crossrate.rpc.revocations import Revocations
from crossrate.rpc.tokens import FINGERPRINT_HEADER, TOKEN_HEADER, TokenProblem, Tokens
from crossrate.runtime.topology import Topology

__all__ = [
    "CLIENT_HEADER",
    "EDGE",
    "FINGERPRINT_HEADER",
    "LOCAL",
    "OPERATOR",
    "Callers",
    "Client",
    "Clients",
    "allowed_callers",
]

LOCAL = "local"
"""The local operator; may call everything."""
EDGE = "edge"
"""The edge proxy, on behalf of a client outside of the mesh."""

CLIENT_HEADER = "x-crossrate-client"
"""Where the edge says whose certificate it saw: a SPIFFE id, and nothing for none. It removes what a client sent under
this name, and nobody believes the header but of the edge."""

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


class Clients:
    """Who calls through the edge: clients of the topology by the certificate that the edge saw, others by their token.

    Args:
        revocations: what identity has taken back.
        issuer: `iss` of its tokens; "" for the topology's.
    """

    def __init__(self, topology: Topology, revocations: Revocations | None = None, issuer: str = "") -> None:
        everybody = frozenset(topology.edge.anonymous_roles)
        self.anonymous = Client("", everybody, ())
        self.step_up_max_age_s = topology.tokens.step_up_max_age_s if topology.tokens else 0
        self._tokens = Tokens(topology.tokens, issuer or topology.issuer())
        self._revocations = revocations
        self._known = {
            topology.client_identity(name): Client(
                name,
                everybody | frozenset(client.roles),
                client.accounts,
                factor_time=NEVER if client.step_up else 0.0,
            )
            for name, client in topology.clients.items()
        }

    def of(self, headers: Mapping[str, str], method: str, now: float) -> Client:
        """The client that the edge tells of. A token, where there is one, decides alone: a certificate beside it only
        proves that the token is its owner's.

        Args:
            headers: of the call; nobody but the edge is believed them.
            method: for the words of a refusal.
            now: seconds since 1970.

        Raises:
            Failure: TOKEN_REFUSED, SESSION_REVOKED, DEPENDENCY_UNAVAILABLE, or CALLER_NOT_ALLOWED for a certificate
                of no client.
        """
        payload = headers.get(TOKEN_HEADER)
        if payload is None:
            certificate = headers.get(CLIENT_HEADER)
            if certificate is None:
                return self.anonymous
            if (client := self._known.get(certificate)) is None:
                raise errors.caller_not_allowed(method, certificate)
            return client
        try:
            client = self._tokens.client(payload, headers.get(FINGERPRINT_HEADER), now)
        except TokenProblem as problem:
            raise refusals.token_refused(method, str(problem)) from None
        if self._revocations is None or not self._revocations.complete:
            raise errors.dependency_unavailable("identity's revocations")
        if self._revocations.hit(client):
            raise refusals.session_revoked(method)
        return client

    def check_factor(self, client: Client, method: str, now: float) -> None:
        """Refuses a client that has not proved a second factor lately.

        Raises:
            Failure: STEP_UP_REQUIRED.
        """
        if now - client.factor_time > self.step_up_max_age_s:
            raise refusals.step_up_required(method, self.step_up_max_age_s)


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
