"""What logging in leaves behind: failures and locks, second factors, browsers on the pages of the login."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import asyncpg

from crossrate.api.identity.v1 import identity_events_pb2 as events_pb2
from services.identity.domain.person import failed, lock_s
from services.identity.store.ending import revoke_subject
from services.identity.store.people import known
from services.identity.store.writing import Change
from services.identity.vault import digest


@dataclass(frozen=True, slots=True)
class Browser:
    """A browser on the pages; `subject` has proved a password, `methods` say what else."""

    sha256: bytes
    csrf: str
    subject: str
    methods: tuple[str, ...]
    auth_time: datetime | None
    challenge: bytes | None
    secret: bytes | None
    pending: str
    device_code: str
    wrong_codes: int
    expire_time: datetime
    external: str | None
    """What a provider outside said of the subject, JSON; None for a person of ours."""
    asked: bytes | None
    """Sealed: the request to that provider whose answer is waited for."""


@dataclass(frozen=True, slots=True)
class Passkey:
    """A WebAuthn credential."""

    credential_id: bytes
    name: str
    public_key: bytes
    sign_count: int
    display_name: str
    create_time: datetime


async def note_failure(change: Change, name: str, reason: str) -> None:
    """Counts a wrong password or code, and locks when there were too many; for nobody's name it is only told."""
    person = None
    if name:
        person = await known(change.connection, name, lock="FOR UPDATE OF p")
        person = failed(person, change.now) if not person.locked(change.now) else person
        await change.connection.execute(
            "UPDATE person SET failures = $2, locked_until = $3 WHERE name = $1",
            name,
            person.failures,
            person.locked_until,
        )
    count = person.failures if person else 0
    change.tell(name or "unknown", events_pb2.LoginFailed(subject=name, reason=reason, failure_count=count))
    if person and person.locked(change.now):
        change.tell(name, events_pb2.LockedOut(subject=name, lock_s=lock_s(person, change.now)))


async def note_login(change: Change, name: str, methods: tuple[str, ...], acr: str, *, stepped: bool = False) -> None:
    """Everything was right: failures are forgotten. `stepped` if a second factor was proved again."""
    await change.connection.execute(
        "UPDATE person SET failures = 0, locked_until = NULL, last_login_time = $2 WHERE name = $1", name, change.now
    )
    if stepped:
        change.tell(name, events_pb2.SteppedUp(subject=name, methods=methods))
    else:
        change.tell(name, events_pb2.LoggedIn(subject=name, methods=methods, acr=acr))


async def use_totp(change: Change, name: str, step: int) -> bool:
    """Uses a one-time code's step; False if it, or a later one, was used before."""
    return bool(
        await change.connection.fetchval(
            "UPDATE person SET totp_step = $2 WHERE name = $1 AND totp_step < $2 RETURNING true", name, step
        )
    )


async def use_recovery(change: Change, name: str, sha256: bytes) -> bool:
    """Uses a recovery code; False if there is none such."""
    used = await change.connection.fetchval(
        "UPDATE person SET recovery = array_remove(recovery, $2) WHERE name = $1 AND $2 = ANY(recovery) RETURNING true",
        name,
        sha256,
    )
    if used:
        change.tell(name, events_pb2.FactorChanged(subject=name, factor="RECOVERY_CODES", change="USED"))
    return bool(used)


async def set_totp(change: Change, name: str, sealed: bytes | None, step: int, recovery: list[bytes]) -> None:
    """Sets up one-time codes with new recovery codes, or takes them away."""
    await change.connection.execute(
        "UPDATE person SET totp_sealed = $2, totp_step = $3, recovery = $4, version = version + 1 WHERE name = $1",
        name,
        sealed,
        step,
        recovery,
    )
    word = "SET" if sealed else "REMOVED"
    change.tell(name, events_pb2.FactorChanged(subject=name, factor="TOTP", change=word))


async def set_recovery(change: Change, name: str, recovery: list[bytes]) -> None:
    """Replaces the recovery codes."""
    await change.connection.execute("UPDATE person SET recovery = $2 WHERE name = $1", name, recovery)
    change.tell(name, events_pb2.FactorChanged(subject=name, factor="RECOVERY_CODES", change="SET"))


async def passkeys_of(connection: asyncpg.Connection, name: str) -> list[Passkey]:
    """A person's passkeys, oldest first."""
    rows = await connection.fetch("SELECT * FROM passkey WHERE name = $1 ORDER BY create_time", name)
    return [
        Passkey(
            row["credential_id"],
            row["name"],
            row["public_key"],
            row["sign_count"],
            row["display_name"],
            row["create_time"],
        )
        for row in rows
    ]


async def add_passkey(change: Change, passkey: Passkey) -> bool:
    """Keeps a passkey; False if somebody has it."""
    added = await change.connection.fetchval(
        "INSERT INTO passkey (credential_id, name, public_key, sign_count, display_name, create_time) "
        "VALUES ($1,$2,$3,$4,$5,$6) ON CONFLICT DO NOTHING RETURNING true",
        passkey.credential_id,
        passkey.name,
        passkey.public_key,
        passkey.sign_count,
        passkey.display_name,
        change.now,
    )
    if added:
        fact = events_pb2.FactorChanged(subject=passkey.name, factor="PASSKEY", change="SET")
        change.tell(passkey.name, fact)
    return bool(added)


async def use_passkey(change: Change, credential_id: bytes, before: int, count: int) -> bool:
    """Notes a passkey's counter; False if it was used meanwhile, so that one signature counts once."""
    return bool(
        await change.connection.fetchval(
            "UPDATE passkey SET sign_count = $3, last_use_time = $4 WHERE credential_id = $1 AND sign_count = $2 "
            "RETURNING true",
            credential_id,
            before,
            count,
            change.now,
        )
    )


async def remove_passkey(change: Change, name: str, credential_id: bytes) -> None:
    """Takes a passkey away."""
    gone = await change.connection.fetchval(
        "DELETE FROM passkey WHERE credential_id = $1 AND name = $2 RETURNING true", credential_id, name
    )
    if gone:
        change.tell(name, events_pb2.FactorChanged(subject=name, factor="PASSKEY", change="REMOVED"))


# Browsers


async def open_browser(
    connection: asyncpg.Connection,
    secret: str,
    csrf: str,
    expire_time: datetime,
    *,
    subject: str = "",
    methods: tuple[str, ...] = (),
    auth_time: datetime | None = None,
    pending: str = "",
    device_code: str = "",
    external: str | None = None,
) -> None:
    """Knows a browser by a cookie."""
    await connection.execute(
        "INSERT INTO browser (sha256, csrf, subject, methods, auth_time, pending, device_code, expire_time, external) "
        "VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9)",
        digest(secret),
        csrf,
        subject,
        list(methods),
        auth_time,
        pending,
        device_code,
        expire_time,
        external,
    )


async def find_browser(connection: asyncpg.Connection, secret: str, now: datetime) -> Browser | None:
    """The browser of a cookie."""
    row = await connection.fetchrow("SELECT * FROM browser WHERE sha256 = $1 AND expire_time > $2", digest(secret), now)
    if row is None:
        return None
    return Browser(**{**dict(row), "methods": tuple(row["methods"])})


async def close_browser(connection: asyncpg.Connection, sha256: bytes) -> None:
    """Forgets a browser."""
    await connection.execute("DELETE FROM browser WHERE sha256 = $1", sha256)


async def keep(connection: asyncpg.Connection, browser: Browser, **columns: object) -> None:
    """Changes some of challenge, secret, pending, device_code and wrong_codes."""
    names = list(columns)
    assignments = ", ".join(f"{name} = ${i}" for i, name in enumerate(names, start=2))
    await connection.execute(f"UPDATE browser SET {assignments} WHERE sha256 = $1", browser.sha256, *columns.values())


async def take_challenge(connection: asyncpg.Connection, browser: Browser) -> bytes | None:
    """The challenge that a passkey was to sign, once."""
    row = await connection.fetchrow(
        "UPDATE browser b SET challenge = NULL FROM browser old WHERE b.sha256 = $1 AND old.sha256 = $1 "
        "RETURNING old.challenge",
        browser.sha256,
    )
    return row["challenge"] if row is not None else None


async def take_asked(connection: asyncpg.Connection, browser: Browser) -> bytes | None:
    """The request to the provider outside that waits for its answer, once."""
    row = await connection.fetchrow(
        "UPDATE browser b SET asked = NULL FROM browser old WHERE b.sha256 = $1 AND old.sha256 = $1 "
        "RETURNING old.asked",
        browser.sha256,
    )
    return row["asked"] if row is not None else None


async def log_out_everywhere(change: Change, name: str) -> int:
    """Ends all sessions and browsers of a person, by the person."""
    return await revoke_subject(change, name, "LOGOUT")
