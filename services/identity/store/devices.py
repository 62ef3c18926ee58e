"""Programs that wait for a person to let them in on another device."""

from __future__ import annotations

from datetime import datetime

import asyncpg

from services.identity.domain.device import SLOWER_S, Device
from services.identity.domain.session import Wanted
from services.identity.store.rows import device_of
from services.identity.vault import digest


async def add_device(
    connection: asyncpg.Connection,
    secret: str,
    user_code: str,
    *,
    client_id: str,
    scope: str,
    address: str,
    expire_time: datetime,
    interval_s: int,
    wanted: Wanted,
) -> bool:
    """Keeps a device code; False if its user code is just another's."""
    return bool(
        await connection.fetchval(
            "INSERT INTO device_code (sha256, user_code, client_id, scope, address, expire_time, interval_s, second, "
            "max_age_s) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9) ON CONFLICT (user_code) DO NOTHING RETURNING true",
            digest(secret),
            user_code,
            client_id,
            scope,
            address,
            expire_time,
            interval_s,
            wanted.second,
            wanted.max_age_s,
        )
    )


async def find_device(connection: asyncpg.Connection, secret: str) -> Device | None:
    """By the secret that the program holds."""
    row = await connection.fetchrow("SELECT * FROM device_code WHERE sha256 = $1", digest(secret))
    return device_of(row) if row is not None else None


async def waiting(connection: asyncpg.Connection, user_code: str, now: datetime) -> tuple[Device, str] | None:
    """By the code that a person types, if it is still open; and the address that the program came from."""
    row = await connection.fetchrow(
        "SELECT * FROM device_code WHERE user_code = $1 AND decided IS NULL AND expire_time > $2", user_code, now
    )
    return (device_of(row), row["address"]) if row is not None else None


async def decide(
    connection: asyncpg.Connection,
    user_code: str,
    yes: bool,
    subject: str,
    methods: tuple[str, ...],
    auth_time: datetime,
    now: datetime,
    external: str | None = None,
) -> bool:
    """Says yes or no once; False if somebody has, or it is too late. `external` as of a session."""
    return bool(
        await connection.fetchval(
            "UPDATE device_code SET decided = $2, subject = $3, methods = $4, auth_time = $5, external = $7 "
            "WHERE user_code = $1 AND decided IS NULL AND expire_time > $6 RETURNING true",
            user_code,
            yes,
            subject,
            list(methods),
            auth_time,
            now,
            external,
        )
    )


async def polled(connection: asyncpg.Connection, secret: str, now: datetime, *, too_fast: bool) -> None:
    """It asked; who asks too often has to wait longer from now on."""
    await connection.execute(
        "UPDATE device_code SET last_poll_time = $2, interval_s = interval_s + $3 WHERE sha256 = $1",
        digest(secret),
        now,
        SLOWER_S if too_fast else 0,
    )


async def use_device(connection: asyncpg.Connection, secret: str, now: datetime) -> bool:
    """Exchanges it; False if it was before."""
    return bool(
        await connection.fetchval(
            "UPDATE device_code SET use_time = $2 WHERE sha256 = $1 AND use_time IS NULL AND decided RETURNING true",
            digest(secret),
            now,
        )
    )
