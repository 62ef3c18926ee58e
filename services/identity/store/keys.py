"""Signing keys: made by one instance, known to all."""

from __future__ import annotations

from datetime import timedelta

import asyncpg

from crossrate.api.identity.v1 import identity_events_pb2 as events_pb2
from services.identity.domain.signing_key import Schedule, due, following
from services.identity.signing import new_key_id, new_key_pem
from services.identity.store.rows import moment
from services.identity.store.writing import Change
from services.identity.vault import Vault

_ORDER = "SELECT * FROM signing_key ORDER BY sign_time DESC"


def _schedule(row: asyncpg.Record) -> Schedule:
    remove = row["remove_time"]
    return Schedule(
        row["key_id"],
        row["publish_time"].timestamp(),
        row["sign_time"].timestamp(),
        remove.timestamp() if remove else None,
    )


async def load_keys(connection: asyncpg.Connection, vault: Vault) -> list[tuple[Schedule, bytes]]:
    """Every key with its private part, PEM.

    Raises:
        VaultError: the vault is another than they were sealed with.
    """
    rows = await connection.fetch(_ORDER)
    return [(_schedule(row), vault.unseal(row["sealed"], f"signing key {row['key_id']}")) for row in rows]


async def rotate(
    change: Change, vault: Vault, *, lead_s: float, token_s: float, leeway_s: float, compromised: bool = False
) -> list[Schedule]:
    """Publishes a new key and returns all, newest first.

    Args:
        lead_s: how long it is published before it signs; the first key, and one that replaces a compromised one, signs
            at once.
        token_s, leeway_s: how long the key before stays published after that.
    """
    await change.connection.execute("SELECT pg_advisory_xact_lock(hashtext('identity signing key'))")
    before = [_schedule(row) for row in await change.connection.fetch(_ORDER)]
    now_s = change.now.timestamp()
    key_id = new_key_id()
    at_once = compromised or not any(key.published(now_s) for key in before)
    new = Schedule(key_id, now_s, now_s if at_once else now_s + lead_s)
    await change.connection.execute(
        "INSERT INTO signing_key (key_id, sealed, publish_time, sign_time) VALUES ($1, $2, $3, $4)",
        key_id,
        vault.seal(new_key_pem(), f"signing key {key_id}"),
        moment(new.publish_s),
        moment(new.sign_s),
    )
    change.tell(key_id, events_pb2.SigningKeyChanged(key_id=key_id, change="PUBLISHED"))
    if compromised:
        for old in before:
            await change.connection.execute("DELETE FROM signing_key WHERE key_id = $1", old.key_id)
            change.tell(old.key_id, events_pb2.SigningKeyChanged(key_id=old.key_id, change="DROPPED"))
    else:
        for old in following(new, before, token_s, leeway_s):
            assert old.remove_s is not None, "what follows gives an end"
            await change.connection.execute(
                "UPDATE signing_key SET remove_time = $2 WHERE key_id = $1", old.key_id, moment(old.remove_s)
            )
    return [_schedule(row) for row in await change.connection.fetch(_ORDER)]


async def rotate_if_due(
    change: Change, vault: Vault, *, rotate_s: float, lead_s: float, token_s: float, leeway_s: float
) -> None:
    """Publishes a new key if there is none or the newest is old, and forgets those that were dropped."""
    await change.connection.execute("SELECT pg_advisory_xact_lock(hashtext('identity signing key'))")
    now_s = change.now.timestamp()
    known = [_schedule(row) for row in await change.connection.fetch(_ORDER)]
    if due(known, now_s, rotate_s):
        await rotate(change, vault, lead_s=lead_s, token_s=token_s, leeway_s=leeway_s)
    for key in known:
        if key.remove_s is not None and key.remove_s < now_s - timedelta(hours=1).total_seconds():
            await change.connection.execute("DELETE FROM signing_key WHERE key_id = $1", key.key_id)
            change.tell(key.key_id, events_pb2.SigningKeyChanged(key_id=key.key_id, change="DROPPED"))
