"""Sessions, and the secrets by which tokens are got: codes, refresh tokens, ids of assertions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import asyncpg

from services.identity.domain.session import Session
from services.identity.store.rows import moment, session_of
from services.identity.vault import digest


@dataclass(frozen=True, slots=True)
class Code:
    """An authorization code as stored; `session_id` is what its use opened."""

    sha256: bytes
    client_id: str
    redirect_uri: str
    code_challenge: str
    nonce: str
    scope: str
    subject: str
    methods: tuple[str, ...]
    auth_time: datetime
    address: str
    expire_time: datetime
    used: bool
    session_id: str
    external: str | None = None
    """What a provider outside said of the subject, JSON; None for a person of ours."""


@dataclass(frozen=True, slots=True)
class Refresh:
    """A refresh token as stored."""

    sha256: bytes
    session_id: str
    expire_time: datetime
    used: bool


async def add_session(connection: asyncpg.Connection, session: Session, now: datetime, external: str | None) -> None:
    """Opens a session; `external` is what a provider outside said, JSON."""
    await connection.execute(
        "INSERT INTO session (session_id, subject, client_id, methods, acr, scope, address, rate_class, auth_time, "
        "create_time, last_use_time, expire_time, external) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$10,$11,$12)",
        session.session_id,
        session.subject,
        session.client_id,
        list(session.methods),
        session.acr,
        session.scope,
        session.address,
        session.rate_class,
        moment(session.auth_s),
        now,
        moment(session.expire_s),
        external,
    )


async def find_session(connection: asyncpg.Connection, session_id: str, *, lock: str = "") -> Session | None:
    """A session, open or not."""
    row = await connection.fetchrow(f"SELECT * FROM session WHERE session_id = $1 {lock}", session_id)
    return session_of(row) if row is not None else None


async def external_of(connection: asyncpg.Connection, session_id: str) -> str | None:
    """What a provider outside said when the session was opened."""
    return await connection.fetchval("SELECT external FROM session WHERE session_id = $1", session_id)


async def program_session(connection: asyncpg.Connection, client_id: str, now: datetime) -> Session | None:
    """The open session of a program that comes again."""
    row = await connection.fetchrow(
        "SELECT * FROM session WHERE client_id = $1 AND revoke_time IS NULL AND expire_time > $2 "
        "ORDER BY create_time DESC LIMIT 1",
        client_id,
        now,
    )
    return session_of(row) if row is not None else None


async def touch_session(connection: asyncpg.Connection, session_id: str, now: datetime) -> None:
    """It got a token."""
    await connection.execute("UPDATE session SET last_use_time = $2 WHERE session_id = $1", session_id, now)


async def session_page(
    connection: asyncpg.Connection, subject: str, after: tuple[datetime, str] | None, size: int, now: datetime
) -> list[tuple[Session, datetime, datetime]]:
    """Open sessions, newest first, behind one: each with its last use and its exact begin."""
    when, session_id = after or (now + timedelta(days=1), "")
    rows = await connection.fetch(
        "SELECT * FROM session WHERE revoke_time IS NULL AND expire_time > $1 AND ($2 = '' OR subject = $2) "
        "AND (create_time, session_id) < ($3, $4) ORDER BY create_time DESC, session_id DESC LIMIT $5",
        now,
        subject,
        when,
        session_id,
        size,
    )
    return [(session_of(row), row["last_use_time"], row["create_time"]) for row in rows]


async def add_refresh(connection: asyncpg.Connection, secret: str, session_id: str, expire_time: datetime) -> None:
    """Keeps a refresh token's hash."""
    await connection.execute(
        "INSERT INTO refresh_token (sha256, session_id, expire_time) VALUES ($1, $2, $3)",
        digest(secret),
        session_id,
        expire_time,
    )


async def find_refresh(connection: asyncpg.Connection, secret: str) -> Refresh | None:
    """A refresh token, used or not."""
    row = await connection.fetchrow("SELECT * FROM refresh_token WHERE sha256 = $1", digest(secret))
    if row is None:
        return None
    return Refresh(row["sha256"], row["session_id"], row["expire_time"], row["use_time"] is not None)


async def use_refresh(connection: asyncpg.Connection, sha256: bytes, now: datetime) -> bool:
    """Uses a refresh token; False if it was used before, perhaps a moment ago."""
    return bool(
        await connection.fetchval(
            "UPDATE refresh_token SET use_time = $2 WHERE sha256 = $1 AND use_time IS NULL RETURNING true", sha256, now
        )
    )


async def add_code(connection: asyncpg.Connection, secret: str, code: Code) -> None:
    """Keeps an authorization code's hash with what it stands for."""
    await connection.execute(
        "INSERT INTO authorization_code (sha256, client_id, redirect_uri, code_challenge, nonce, scope, subject, "
        "methods, auth_time, address, expire_time, external) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12)",
        digest(secret),
        code.client_id,
        code.redirect_uri,
        code.code_challenge,
        code.nonce,
        code.scope,
        code.subject,
        list(code.methods),
        code.auth_time,
        code.address,
        code.expire_time,
        code.external,
    )


async def find_code(connection: asyncpg.Connection, secret: str) -> Code | None:
    """An authorization code, used or not."""
    row = await connection.fetchrow("SELECT * FROM authorization_code WHERE sha256 = $1", digest(secret))
    if row is None:
        return None
    return Code(
        sha256=row["sha256"],
        client_id=row["client_id"],
        redirect_uri=row["redirect_uri"],
        code_challenge=row["code_challenge"],
        nonce=row["nonce"],
        scope=row["scope"],
        subject=row["subject"],
        methods=tuple(row["methods"]),
        auth_time=row["auth_time"],
        address=row["address"],
        expire_time=row["expire_time"],
        used=row["use_time"] is not None,
        session_id=row["session_id"] or "",
        external=row["external"],
    )


async def use_code(connection: asyncpg.Connection, sha256: bytes, session_id: str, now: datetime) -> bool:
    """Uses a code; False if it was used before."""
    return bool(
        await connection.fetchval(
            "UPDATE authorization_code SET use_time = $3, session_id = $2 WHERE sha256 = $1 AND use_time IS NULL "
            "RETURNING true",
            sha256,
            session_id,
            now,
        )
    )


async def claim_assertion(connection: asyncpg.Connection, client_id: str, jti: str, expire_time: datetime) -> bool:
    """Takes an assertion's id; False if it came before."""
    return bool(
        await connection.fetchval(
            "INSERT INTO assertion (client_id, jti, expire_time) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING "
            "RETURNING true",
            client_id,
            jti,
            expire_time,
        )
    )


async def forget(connection: asyncpg.Connection, now: datetime) -> None:
    """Deletes what is over. Used codes and tokens stay as long as their reuse would matter."""
    hour, quarter = now - timedelta(hours=1), now - timedelta(days=90)
    await connection.execute("DELETE FROM authorization_code WHERE expire_time < $1", hour)
    await connection.execute("DELETE FROM device_code WHERE expire_time < $1", hour)
    await connection.execute("DELETE FROM assertion WHERE expire_time < $1", hour)
    await connection.execute("DELETE FROM browser WHERE expire_time < $1", now)
    await connection.execute("DELETE FROM ticket WHERE expire_time < $1", now)
    await connection.execute("DELETE FROM session WHERE expire_time < $1", now - timedelta(days=1))
    await connection.execute("DELETE FROM api_key WHERE least(revoke_time, expire_time) < $1", quarter)
