"""What `crossrate clients`, `keys` and `sessions` do: identity, asked as `crossrate users` asks it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from crossrate.api.identity.v1 import access_pb2, client_pb2, client_service_pb2_grpc, session_service_pb2_grpc
from crossrate.api.identity.v1 import client_service_pb2 as clients
from crossrate.api.identity.v1 import session_service_pb2 as sessions
from crossrate.cli import reach, show
from crossrate.cli.desk import word
from crossrate.cli.people import PAGE, access_rows, ask, done, moment, new_id, roles_of
from crossrate.cli.requests import as_dict
from crossrate.cli.show import CommandError


def create_client(
    name: str,
    desk: str,
    may: access_pb2.Access,
    *,
    jwks: Path | None,
    certificate: str,
    redirect_uris: Iterable[str],
    rate_class: str,
    as_json: bool,
) -> None:
    """Registers a program."""
    given = [jwks is not None, bool(certificate), bool(tuple(redirect_uris))]
    if sum(given) != 1:
        raise CommandError("a client proves itself in one way", "give one of --jwks, --certificate and --redirect")
    client = client_pb2.Client(name=name, desk=desk, redirect_uris=redirect_uris, access=may)
    client.rate_class = _rate_class(rate_class)
    if jwks is not None:
        client.authentication, client.jwks = client_pb2.CLIENT_AUTHENTICATION_PRIVATE_KEY_JWT, jwks.read_text()
    elif certificate:
        client.authentication = client_pb2.CLIENT_AUTHENTICATION_TLS
        client.tls_san_uri = reach.topology().client_identity(certificate)
    else:
        client.authentication = client_pb2.CLIENT_AUTHENTICATION_NONE
    request = clients.CreateClientRequest(request_id=new_id(), client=client)
    answer = ask(client_service_pb2_grpc.ClientServiceStub, lambda stub: stub.CreateClient(request))
    done(answer.client, f"client {name} may come in", as_json=as_json)


def _rate_class(text: str) -> int:
    name = f"RATE_CLASS_{text.upper()}"
    if name not in dict(access_pb2.RateClass.items()):
        raise CommandError(f"there is no rate class {text!r}", "there are low, standard, high")
    return access_pb2.RateClass.Value(name)


def list_clients(*, as_json: bool) -> None:
    """Clients as a table."""

    async def every(stub: Any) -> list[client_pb2.Client]:
        found, token = [], ""
        while True:
            page = await stub.ListClients(clients.ListClientsRequest(page_size=PAGE, page_token=token))
            found.extend(page.clients)
            if not (token := page.next_page_token):
                return found

    found = ask(client_service_pb2_grpc.ClientServiceStub, every)
    if as_json:
        show.document([as_dict(client) for client in found])
        return
    rows = [
        (
            c.name,
            c.desk,
            word(c, "authentication").lower(),
            show.mark("disabled", False) if c.disabled else "in",
            roles_of(c.access),
            ", ".join(c.access.accounts),
        )
        for c in found
    ]
    show.table(("name", "desk", "proves itself by", "state", "roles", "accounts"), rows)


def show_client(name: str, *, as_json: bool) -> None:
    """One client."""
    request = clients.GetClientRequest(name=name)
    client = ask(client_service_pb2_grpc.ClientServiceStub, lambda stub: stub.GetClient(request)).client
    if as_json:
        show.document(as_dict(client))
        return
    rows = [
        ("name", client.name),
        ("desk", client.desk),
        ("proves itself by", word(client, "authentication").lower()),
        ("certificate", client.tls_san_uri),
        ("returns to", ", ".join(client.redirect_uris)),
        ("rate class", word(client, "rate_class").lower()),
        ("state", "disabled" if client.disabled else "in"),
        *access_rows(client.access),
    ]
    show.table(("", ""), [row for row in rows if row[1]])


def set_client(name: str, *, disabled: bool | None, jwks: Path | None, comment: str, as_json: bool) -> None:
    """Lets a client in or not, or replaces its keys."""
    stub = client_service_pb2_grpc.ClientServiceStub
    if jwks is not None:
        keys = clients.SetClientKeysRequest(request_id=new_id(), name=name, jwks=jwks.read_text())
        answer = ask(stub, lambda stub: stub.SetClientKeys(keys))
        done(answer.client, f"{name} has new keys", as_json=as_json)
        return
    request = clients.SetClientStateRequest(request_id=new_id(), name=name, disabled=bool(disabled), comment=comment)
    answer = ask(stub, lambda stub: stub.SetClientState(request))
    done(answer.client, f"{name} is {'out' if disabled else 'in'}", as_json=as_json)


def create_key(
    subject: str, display_name: str, may: access_pb2.Access | None, days: int, rate_class: str, *, as_json: bool
) -> None:
    """Makes an API key and prints its secret."""
    request = clients.CreateApiKeyRequest(
        request_id=new_id(), subject=subject, display_name=display_name, access=may, rate_class=_rate_class(rate_class)
    )
    if days:
        request.lifetime.seconds = days * 86_400
    answer = ask(client_service_pb2_grpc.ApiKeyServiceStub, lambda stub: stub.CreateApiKey(request))
    if as_json:
        show.document(as_dict(answer))
        return
    print(answer.secret)
    show.note(f"key {answer.api_key.key_id} of {answer.api_key.subject}: shown now and never again")


def list_keys(subject: str, *, as_json: bool) -> None:
    """API keys as a table."""
    request = clients.ListApiKeysRequest(subject=subject)
    found = ask(client_service_pb2_grpc.ApiKeyServiceStub, lambda stub: stub.ListApiKeys(request)).api_keys
    if as_json:
        show.document([as_dict(key) for key in found])
        return
    rows = [
        (
            k.key_id,
            k.display_name,
            show.mark("ended", False) if k.revoked else moment(k.expire_time),
            moment(k.last_use_time),
            roles_of(k.access) if k.HasField("access") else "all of its owner",
        )
        for k in found
    ]
    show.table(("key", "for", "until", "last used", "roles"), rows)


def revoke_key(key_id: str, comment: str, *, as_json: bool) -> None:
    """Ends an API key."""
    request = clients.RevokeApiKeyRequest(request_id=new_id(), key_id=key_id, comment=comment)
    answer = ask(client_service_pb2_grpc.ApiKeyServiceStub, lambda stub: stub.RevokeApiKey(request))
    done(answer.api_key, f"{key_id} is ended", as_json=as_json)


# Sessions


def list_sessions(subject: str, *, as_json: bool) -> None:
    """Open sessions."""
    request = sessions.ListSessionsRequest(subject=subject, page_size=PAGE)
    answer = ask(session_service_pb2_grpc.SessionServiceStub, lambda stub: stub.ListSessions(request))
    if as_json:
        show.document([as_dict(session) for session in answer.sessions])
        return
    rows = [
        (s.session_id, s.subject, s.client_id, ", ".join(s.methods), s.address, moment(s.last_use_time))
        for s in answer.sessions
    ]
    show.table(("session", "subject", "program", "proved by", "from", "last used"), rows)


def end_sessions(session_id: str, subject: str, comment: str, *, as_json: bool) -> None:
    """Ends a session, or all of a subject."""
    stub = session_service_pb2_grpc.SessionServiceStub
    if bool(session_id) == bool(subject):
        raise CommandError("one session, or all of somebody", "give SESSION, or --of NAME")
    if session_id:
        one = sessions.RevokeSessionRequest(request_id=new_id(), session_id=session_id, comment=comment)
        count = ask(stub, lambda stub: stub.RevokeSession(one)).count
    else:
        every = sessions.RevokeSessionsRequest(request_id=new_id(), subject=subject, comment=comment)
        count = ask(stub, lambda stub: stub.RevokeSessions(every)).count
    if as_json:
        show.document({"count": count})
    else:
        show.console().print(f"{count} ended", markup=False)
