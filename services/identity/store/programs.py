"""Clients and API keys."""

from __future__ import annotations

import asyncpg

from crossrate.api.identity.v1 import identity_events_pb2 as events_pb2
from services.identity.domain.access import Access
from services.identity.domain.client import ApiKey, Client
from services.identity.messages import access_message
from services.identity.store.ending import revoke, revoke_subject
from services.identity.store.people import Missing, need_desk, take_name, tell_grants
from services.identity.store.rows import api_key_of, client_of, columns_of
from services.identity.store.writing import Change

KEYS_LISTED_MAX = 1000


async def find_client(connection: asyncpg.Connection, name: str, *, lock: str = "") -> Client | None:
    """A client."""
    row = await connection.fetchrow(f"SELECT * FROM client WHERE name = $1 {lock}", name)
    return client_of(row) if row is not None else None


async def known_client(connection: asyncpg.Connection, name: str, *, lock: str = "") -> Client:
    """The same.

    Raises:
        Missing: there is none.
    """
    if (client := await find_client(connection, name, lock=lock)) is None:
        raise Missing("client", name)
    return client


async def client_page(connection: asyncpg.Connection, after: str, size: int) -> list[Client]:
    """Clients in order of name, behind one, at most `size`."""
    rows = await connection.fetch("SELECT * FROM client WHERE name > $1 ORDER BY name LIMIT $2", after, size)
    return [client_of(row) for row in rows]


async def create_client(change: Change, client: Client) -> Client:
    """Registers a client.

    Raises:
        Taken, Missing: the name is taken, or there is no such desk.
    """
    await need_desk(change.connection, client.desk)
    await take_name(change, client.name, is_person=False)
    await change.connection.execute(
        "INSERT INTO client (name, desk, authentication, display_name, redirect_uris, jwks, tls_san_uri, bound_tokens, "
        "rate_class, roles, accounts, instruments, access_time, create_time) "
        "VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$13)",
        client.name,
        client.desk,
        int(client.authentication),
        client.display_name,
        list(client.redirect_uris),
        client.jwks,
        client.tls_san_uri,
        client.bound_tokens,
        client.rate_class,
        *columns_of(client.access),
        change.now,
    )
    change.tell(client.name, events_pb2.ClientChanged(subject=client.name, change="CREATED", desk=client.desk))
    if client.access:
        tell_grants(change, client.name, Access(), client.access, 0, "")
    return await known_client(change.connection, client.name)


async def set_client_keys(change: Change, name: str, jwks: str) -> Client:
    """Replaces a client's public keys.

    Raises:
        Missing.
    """
    client = await known_client(change.connection, name, lock="FOR UPDATE")
    await change.connection.execute("UPDATE client SET jwks = $2, version = version + 1 WHERE name = $1", name, jwks)
    change.tell(name, events_pb2.ClientChanged(subject=name, change="KEYS", desk=client.desk))
    return await known_client(change.connection, name)


async def set_client_state(change: Change, name: str, disabled: bool, comment: str) -> Client:
    """Lets a client in or not.

    Raises:
        Missing.
    """
    client = await known_client(change.connection, name, lock="FOR UPDATE")
    if client.disabled == disabled:
        return client
    await change.connection.execute(
        "UPDATE client SET disabled = $2, version = version + 1 WHERE name = $1", name, disabled
    )
    word = "DISABLED" if disabled else "ENABLED"
    change.tell(name, events_pb2.ClientChanged(subject=name, change=word, desk=client.desk, comment=comment))
    if disabled:
        await revoke(change, "(subject = $3 OR client_id = $3)", name, "DISABLED", comment)
        await revoke_subject(change, name, "DISABLED", comment)
    return await known_client(change.connection, name)


async def create_api_key(change: Change, key: ApiKey) -> ApiKey:
    """Keeps an API key's hash.

    Raises:
        Missing: its owner is nobody.
    """
    if not await change.connection.fetchval("SELECT true FROM subject WHERE name = $1", key.subject):
        raise Missing("user or client", key.subject)
    limit = key.limit or Access()
    await change.connection.execute(
        "INSERT INTO api_key (key_id, subject, secret_sha256, display_name, limited, roles, accounts, instruments, "
        "rate_class, create_time, expire_time) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11)",
        key.key_id,
        key.subject,
        key.secret_sha256,
        key.display_name,
        key.limit is not None,
        *columns_of(limit),
        key.rate_class,
        change.now,
        key.expire_time,
    )
    _tell_key(change, key, "CREATED")
    return await known_api_key(change.connection, key.key_id)


def _tell_key(change: Change, key: ApiKey, word: str) -> None:
    access = access_message(key.limit) if key.limit else None
    fact = events_pb2.ApiKeyChanged(subject=key.subject, key_id=key.key_id, change=word, access=access)
    change.tell(key.subject, fact)


async def find_api_key(connection: asyncpg.Connection, key_id: str, *, lock: str = "") -> ApiKey | None:
    """An API key."""
    row = await connection.fetchrow(f"SELECT * FROM api_key WHERE key_id = $1 {lock}", key_id)
    return api_key_of(row) if row is not None else None


async def known_api_key(connection: asyncpg.Connection, key_id: str, *, lock: str = "") -> ApiKey:
    """The same.

    Raises:
        Missing: there is none.
    """
    if (key := await find_api_key(connection, key_id, lock=lock)) is None:
        raise Missing("API key", key_id)
    return key


async def api_keys_of(connection: asyncpg.Connection, subject: str) -> list[ApiKey]:
    """The API keys of a subject, newest first."""
    rows = await connection.fetch(
        "SELECT * FROM api_key WHERE subject = $1 ORDER BY create_time DESC, key_id LIMIT $2", subject, KEYS_LISTED_MAX
    )
    return [api_key_of(row) for row in rows]


async def revoke_api_key(change: Change, key_id: str, comment: str) -> ApiKey:
    """Ends an API key and its sessions.

    Raises:
        Missing.
    """
    key = await known_api_key(change.connection, key_id, lock="FOR UPDATE")
    if not key.revoked:
        await change.connection.execute("UPDATE api_key SET revoke_time = $2 WHERE key_id = $1", key_id, change.now)
        _tell_key(change, key, "REVOKED")
        await revoke(change, "client_id = $3", key_id, "KEY_REVOKED", comment)
    return await known_api_key(change.connection, key_id)
