"""What a request to the token endpoint needs to know, loaded before it is decided."""

from __future__ import annotations

import base64
import binascii
import json
import re
from datetime import datetime
from typing import Any
from urllib.parse import unquote

import asyncpg

from crossrate.rpc.http_listener import Seen
from services.identity import jose
from services.identity.domain.access import Access
from services.identity.domain.client import ASSERTION_ALGORITHMS
from services.identity.domain.person import State
from services.identity.domain.session import Bearer
from services.identity.oauth.deciding import EXCHANGE, Known
from services.identity.oauth.models import CodeModel, KeyModel, ProgramModel, RefreshModel
from services.identity.store import people, programs, tokens
from services.identity.store.devices import find_device
from services.identity.store.rows import bearer_of_client, bearer_of_person

KEY_PREFIX = "k-"
_CLIENT_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")


def client_id_of(form: dict[str, str], authorization: str) -> str:
    """Who a request says that it comes from, by whichever way it proves it; "" if it does not say."""
    name = _named(form, authorization)
    # Anything else would only be looked for in vain, and PostgreSQL does not take every sign.
    return name if _CLIENT_ID.fullmatch(name) else ""


def _named(form: dict[str, str], authorization: str) -> str:
    if assertion := form.get("client_assertion"):
        try:
            return jose.word(jose.looked_at(assertion, ASSERTION_ALGORITHMS, None)[1], "sub", 64)
        except jose.Refused:
            return form.get("client_id", "")
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() == "basic":
        try:
            return unquote(base64.b64decode(encoded, validate=True).decode().partition(":")[0])
        except (binascii.Error, ValueError):
            return ""
    return form.get("client_id", "")


async def subject_bearer(connection: asyncpg.Connection, subject: str, *, lock: str = "") -> Bearer | None:
    """Whom a subject's tokens speak for; None for nobody, or somebody who may not come in.

    Args:
        lock: "FOR SHARE" within a transaction, to hold what is said until its end.
    """
    person = await people.find(connection, subject, lock=f"{lock} OF p" if lock else "")
    if person is not None:
        return bearer_of_person(person) if person.state is State.ACTIVE else None
    client = await programs.find_client(connection, subject, lock=lock)
    return bearer_of_client(client) if client is not None and not client.disabled else None


def external_bearer(text: str) -> Bearer:
    """Whom a session speaks for that somebody opened who is no person here."""
    said: dict[str, Any] = json.loads(text)
    access = Access.of(said["roles"], said["accounts"], said["instruments"])
    return Bearer(said["subject"], said["shown"], said["desk"], access)


async def session_bearer(
    connection: asyncpg.Connection, session_id: str, subject: str, *, lock: str = ""
) -> Bearer | None:
    """Whom a session's tokens speak for."""
    text = await tokens.external_of(connection, session_id)
    return external_bearer(text) if text else await subject_bearer(connection, subject, lock=lock)


async def load(
    connection: asyncpg.Connection, form: dict[str, str], authorization: str, seen: Seen, issuer: str, now: datetime
) -> Known:
    """Everything that the request names and that is there."""
    known = Known(now, issuer, seen)
    client_id = client_id_of(form, authorization)
    if client_id.startswith(KEY_PREFIX):
        key = await programs.find_api_key(connection, client_id)
        if key is not None and key.good(now):
            known.client = KeyModel(key)
    elif client_id:
        client = await programs.find_client(connection, client_id)
        known.client = ProgramModel(client) if client is not None else None
    grant = form.get("grant_type")
    if known.client is None or grant == EXCHANGE:
        return known
    if grant == "authorization_code":
        code = await tokens.find_code(connection, form.get("code", ""))
        if code is not None:
            known.code = CodeModel(code)
            known.bearer = await _who(connection, code.subject, code.external)
    elif grant == "refresh_token":
        refresh = await tokens.find_refresh(connection, form.get("refresh_token", ""))
        session = await tokens.find_session(connection, refresh.session_id) if refresh is not None else None
        if refresh is not None and session is not None:
            known.refresh = RefreshModel(refresh, session)
            known.bearer = await session_bearer(connection, session.session_id, session.subject)
    elif grant == "client_credentials":
        known.session = await tokens.program_session(connection, client_id, now)
        known.bearer = await _program_bearer(connection, known.client)
    elif grant == "urn:ietf:params:oauth:grant-type:device_code":
        known.device = await find_device(connection, form.get("device_code", ""))
        if known.device is not None and known.device.decided:
            known.bearer = await _who(connection, known.device.subject, known.device.external)
    return known


async def _who(connection: asyncpg.Connection, subject: str, external: str | None) -> Bearer | None:
    return external_bearer(external) if external is not None else await subject_bearer(connection, subject)


async def _program_bearer(connection: asyncpg.Connection, client: ProgramModel | KeyModel) -> Bearer | None:
    if isinstance(client, ProgramModel):
        return bearer_of_client(client.client) if not client.client.disabled else None
    return limited(await subject_bearer(connection, client.key.subject), client.key.limit)


def limited(bearer: Bearer | None, limit: Access | None) -> Bearer | None:
    """A bearer cut to what a key may do at most."""
    if bearer is None or limit is None:
        return bearer
    access = bearer.access.within(limit)
    return Bearer(bearer.subject, bearer.shown, bearer.desk, access, bearer.access_until, bearer.version)
