"""Ending sessions within a change: rows, tokens and the facts by which services refuse what is still about."""

from __future__ import annotations

from typing import Any

from crossrate.api.identity.v1 import identity_events_pb2 as events_pb2
from services.identity.store.writing import Change

_REVOKE = """
UPDATE session SET revoke_time = $1::timestamptz, revoke_reason = $2
WHERE revoke_time IS NULL AND expire_time > $1::timestamptz - interval '10 minutes' AND {which}
RETURNING session_id, subject"""


async def revoke(change: Change, which: str, value: Any, reason: str, comment: str = "") -> int:
    """Ends the sessions of a condition on $3 and returns how many. Access tokens outlive their session by minutes, so
    that sessions which have just run out are revoked too."""
    rows = await change.connection.fetch(_REVOKE.format(which=which), change.now, reason, value)
    for row in rows:
        fact = events_pb2.SessionRevoked(
            subject=row["subject"], session_id=row["session_id"], reason=reason, comment=comment
        )
        change.tell(row["session_id"], fact)
    return len(rows)


async def revoke_session(change: Change, session_id: str, reason: str, comment: str = "") -> int:
    """Ends one session."""
    return await revoke(change, "session_id = $3", session_id, reason, comment)


async def revoke_subject(change: Change, subject: str, reason: str, comment: str = "") -> int:
    """Ends every session of a person or a client, and logs its browsers out."""
    await change.connection.execute("DELETE FROM browser WHERE subject = $1", subject)
    # A code that waits to be exchanged would open a session again.
    await change.connection.execute("DELETE FROM authorization_code WHERE subject = $1 AND use_time IS NULL", subject)
    await change.connection.execute("DELETE FROM device_code WHERE subject = $1 AND use_time IS NULL", subject)
    return await revoke(change, "subject = $3", subject, reason, comment)
