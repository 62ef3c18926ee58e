"""What a client may see and stop of scopes: who only trades, what its grants reach; who watches over risk, all."""

from __future__ import annotations

from crossrate.api.common.v1 import gate_pb2
from crossrate.rpc import refusals
from crossrate.rpc.call import current_or_none
from crossrate.rpc.grants import WATCHING, Client


def _bound() -> Client | None:
    """The client whose grants bind the call; None for services, the operator, and who watches over risk."""
    call = current_or_none()
    client = None if call is None else call.client
    return None if client is None or client.roles & WATCHING else client


def _reaches(client: Client, kind: str, name: str) -> bool:
    if kind == "account":
        return name == "*" or client.may_use(name)
    if kind == "desk":
        return name == "*" or client.may_name(name)
    return not client.desk


def sees(scope: str) -> bool:
    """Whether the call may be shown what concerns a scope ("account:alpha", "platform"); what holds for all, it may."""
    client = _bound()
    kind, _, name = scope.partition(":")
    return client is None or kind not in ("account", "desk") or _reaches(client, kind, name)


def sees_certificate(scope: gate_pb2.KillScope) -> bool:
    """Whether the call may be shown the certificate of a kill, which has orders of all that the scope reaches."""
    client = _bound()
    return client is None or (scope.kind in ("account", "desk") and _reaches(client, scope.kind, scope.name))


def check_stop(scope: gate_pb2.KillScope) -> None:
    """Refuses to stop what is not the client's: another's account or desk; from within a desk, also what is wider.

    Raises:
        Failure: CALLER_NOT_ALLOWED.
    """
    client = _bound()
    if client is not None and not _reaches(client, scope.kind, scope.name):
        raise refusals.not_granted(scope.kind or "scope", scope.name or scope.kind, str(client))
