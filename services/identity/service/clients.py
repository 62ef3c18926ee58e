"""ClientService and ApiKeyService: programs and their keys."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from datetime import timedelta

from crossrate.api.identity.v1 import client_pb2
from crossrate.api.identity.v1 import client_service_pb2 as pb
from crossrate.api.identity.v1.client_service_pb2_grpc import ApiKeyServiceServicer, ClientServiceServicer
from crossrate.rpc import errors
from crossrate.rpc.values import seconds
from services.identity.domain.client import ApiKey, problems_of_keys, problems_of_redirect
from services.identity.messages import (
    access_of,
    api_key_message,
    client_message,
    client_of,
    rate_class_of,
)
from services.identity.oauth.loading import KEY_PREFIX
from services.identity.reading import SECRET_PREFIX
from services.identity.service.calls import (
    PAGE_DEFAULT,
    caller,
    caller_roles,
    key_of,
    need_free,
    once,
    token_after,
    told,
)
from services.identity.store import programs
from services.identity.store.writing import Change, Writer
from services.identity.vault import digest, new_secret

KEY_LIFE_S = 90 * 86_400
_ID_SIGNS = "abcdefghijklmnopqrstuvwxyz0123456789"
READERS = frozenset({"admin", "auditor", "operator"})


def _problems(client: client_pb2.Client) -> Iterator[tuple[str, str]]:
    kind = client.authentication
    persons = kind == client_pb2.CLIENT_AUTHENTICATION_NONE
    if client.redirect_uris and not persons:
        yield "client.redirect_uris", "belong to authentication NONE: other clients act for themselves"
    for i, uri in enumerate(client.redirect_uris):
        if problem := problems_of_redirect(uri):
            yield f"client.redirect_uris[{i}]", problem
    if (kind == client_pb2.CLIENT_AUTHENTICATION_PRIVATE_KEY_JWT) != bool(client.jwks):
        yield "client.jwks", "belongs to authentication PRIVATE_KEY_JWT, which needs it"
    elif client.jwks and (problem := problems_of_keys(client.jwks)):
        yield "client.jwks", problem
    if (kind == client_pb2.CLIENT_AUTHENTICATION_TLS) != bool(client.tls_san_uri):
        yield "client.tls_san_uri", "belongs to authentication TLS, which needs it"
    if client.HasField("access") and persons and (client.access.roles or client.access.accounts):
        yield "client.access", "is empty for a program through which persons log in: it does what they may"


class ClientService(ClientServiceServicer):
    """Answers every call of the contract."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    async def CreateClient(self, request: pb.CreateClientRequest, context) -> pb.CreateClientResponse:
        """See the contract."""
        need_free("client.name", request.client.name)
        if problems := list(_problems(request.client)):
            raise errors.invalid(*problems)

        async def work(change: Change) -> pb.CreateClientResponse:
            made = await programs.create_client(change, client_of(request.client, change.now))
            return pb.CreateClientResponse(client=client_message(made))

        return await once(self._writer, request, work, pb.CreateClientResponse)

    async def GetClient(self, request: pb.GetClientRequest, context) -> pb.GetClientResponse:
        """See the contract."""
        with told():
            async with self._writer.database.connection() as connection:
                client = await programs.known_client(connection, request.name)
        return pb.GetClientResponse(client=client_message(client))

    async def ListClients(self, request: pb.ListClientsRequest, context) -> pb.ListClientsResponse:
        """See the contract."""
        size = request.page_size or PAGE_DEFAULT
        after = key_of(request.page_token, "clients")
        with told():
            async with self._writer.database.connection() as connection:
                found = await programs.client_page(connection, after, size + 1)
        following = token_after(found[size - 1].name, "clients") if len(found) > size else ""
        return pb.ListClientsResponse(clients=map(client_message, found[:size]), next_page_token=following)

    async def SetClientKeys(self, request: pb.SetClientKeysRequest, context) -> pb.SetClientKeysResponse:
        """See the contract."""
        if problem := problems_of_keys(request.jwks):
            raise errors.invalid(("jwks", problem))

        async def work(change: Change) -> pb.SetClientKeysResponse:
            client = await programs.set_client_keys(change, request.name, request.jwks)
            return pb.SetClientKeysResponse(client=client_message(client))

        return await once(self._writer, request, work, pb.SetClientKeysResponse)

    async def SetClientState(self, request: pb.SetClientStateRequest, context) -> pb.SetClientStateResponse:
        """See the contract."""

        async def work(change: Change) -> pb.SetClientStateResponse:
            client = await programs.set_client_state(change, request.name, request.disabled, request.comment)
            return pb.SetClientStateResponse(client=client_message(client))

        return await once(self._writer, request, work, pb.SetClientStateResponse)


def _own(subject: str, others_by: frozenset[str]) -> str:
    """The subject that is meant: the caller, or another if the caller has one of some roles.

    Raises:
        Failure: CALLER_NOT_ALLOWED.
    """
    me = caller()
    if subject in ("", me) or caller_roles() & others_by:
        return subject or me
    words = f"API keys of {subject} are not yours"
    raise errors.Failure(errors.ErrorReason.CALLER_NOT_ALLOWED, words, metadata={"caller": me})


class ApiKeyService(ApiKeyServiceServicer):
    """Answers every call of the contract."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    async def CreateApiKey(self, request: pb.CreateApiKeyRequest, context) -> pb.CreateApiKeyResponse:
        """See the contract."""
        subject = _own(request.subject, frozenset({"admin"}))

        async def work(change: Change) -> pb.CreateApiKeyResponse:
            key_id = KEY_PREFIX + "".join(secrets.choice(_ID_SIGNS) for _ in range(16))
            secret = new_secret(f"{SECRET_PREFIX}{key_id}.")
            life_s = seconds(request.lifetime) if request.HasField("lifetime") else KEY_LIFE_S
            key = ApiKey(
                key_id=key_id,
                subject=subject,
                secret_sha256=digest(secret),
                display_name=request.display_name,
                limit=access_of(request.access) if request.HasField("access") else None,
                rate_class=rate_class_of(request.rate_class),
                create_time=change.now,
                expire_time=change.now + timedelta(seconds=life_s),
            )
            made = await programs.create_api_key(change, key)
            return pb.CreateApiKeyResponse(api_key=api_key_message(made), secret=secret)

        return await once(self._writer, request, work, pb.CreateApiKeyResponse)

    async def ListApiKeys(self, request: pb.ListApiKeysRequest, context) -> pb.ListApiKeysResponse:
        """See the contract."""
        subject = _own(request.subject, READERS)
        with told():
            async with self._writer.database.connection() as connection:
                found = await programs.api_keys_of(connection, subject)
        return pb.ListApiKeysResponse(api_keys=map(api_key_message, found))

    async def RevokeApiKey(self, request: pb.RevokeApiKeyRequest, context) -> pb.RevokeApiKeyResponse:
        """See the contract."""

        async def work(change: Change) -> pb.RevokeApiKeyResponse:
            key = await programs.known_api_key(change.connection, request.key_id)
            _own(key.subject, frozenset({"admin"}))
            ended = await programs.revoke_api_key(change, request.key_id, request.comment)
            return pb.RevokeApiKeyResponse(api_key=api_key_message(ended))

        return await once(self._writer, request, work, pb.RevokeApiKeyResponse)
