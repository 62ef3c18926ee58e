"""Persons: entered, changed, enabled, reset; their tickets."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import asyncpg

from crossrate.api.identity.v1 import identity_events_pb2 as events_pb2
from services.identity.domain.access import Access
from services.identity.domain.person import Person, SelfService, State, WrongState
from services.identity.store.ending import revoke_subject
from services.identity.store.rows import PERSON, columns_of, person_of
from services.identity.store.writing import Change
from services.identity.vault import digest


class Missing(Exception):
    """There is no such thing; `kind` and `name` say which."""

    def __init__(self, kind: str, name: str) -> None:
        super().__init__(f"there is no {kind} {name!r}")
        self.kind, self.name = kind, name


class Taken(Exception):
    """The name is taken, now or ever."""

    def __init__(self, kind: str, name: str) -> None:
        super().__init__(f"the name {name!r} is taken")
        self.kind, self.name = kind, name


class Conflict(Exception):
    """It changed since it was read."""

    def __init__(self, expected: int, actual: int) -> None:
        super().__init__(f"the version is {actual}, not {expected}")
        self.expected, self.actual = expected, actual


async def find(connection: asyncpg.Connection, name: str, *, lock: str = "") -> Person | None:
    """A person; `lock` is "FOR UPDATE OF p" or "FOR SHARE OF p" within a transaction."""
    row = await connection.fetchrow(f"SELECT {PERSON} FROM person p WHERE p.name = $1 {lock}", name)
    return person_of(row) if row is not None else None


async def known(connection: asyncpg.Connection, name: str, *, lock: str = "") -> Person:
    """The same.

    Raises:
        Missing: there is none.
    """
    if (person := await find(connection, name, lock=lock)) is None:
        raise Missing("user", name)
    return person


async def page(connection: asyncpg.Connection, desk: str, after: str, size: int) -> list[Person]:
    """Persons in order of name, behind one, at most `size`."""
    rows = await connection.fetch(
        f"SELECT {PERSON} FROM person p WHERE p.name > $1 AND ($2 = '' OR p.desk = $2) ORDER BY p.name LIMIT $3",
        after,
        desk,
        size,
    )
    return [person_of(row) for row in rows]


async def take_name(change: Change, name: str, *, is_person: bool) -> None:
    """Takes a name for ever.

    Raises:
        Taken: somebody has or had it.
    """
    taken = await change.connection.fetchval(
        "INSERT INTO subject (name, is_person) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING true", name, is_person
    )
    if not taken:
        raise Taken("user or client", name)


async def need_desk(connection: asyncpg.Connection, desk: str) -> None:
    """Raises Missing without the desk."""
    if not await connection.fetchval("SELECT true FROM desk WHERE name = $1", desk):
        raise Missing("desk", desk)


async def create(change: Change, person: Person) -> Person:
    """Enters a person.

    Raises:
        Taken, Missing: the name is taken, or there is no such desk.
    """
    await need_desk(change.connection, person.desk)
    await take_name(change, person.name, is_person=True)
    await change.connection.execute(
        "INSERT INTO person (name, desk, state, display_name, email, roles, accounts, instruments, access_time, "
        "create_time, update_time, password_hash, one_time) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$9,$9,$10,$11)",
        person.name,
        person.desk,
        int(person.state),
        person.display_name,
        person.email,
        *columns_of(person.access),
        change.now,
        person.password_hash,
        person.one_time,
    )
    change.tell(person.name, events_pb2.UserChanged(subject=person.name, change="CREATED", desk=person.desk))
    if person.access:
        tell_grants(change, person.name, Access(), person.access, 0, "")
    return await known(change.connection, person.name)


async def update(change: Change, name: str, wanted: Person, expected_version: int) -> Person:
    """Changes display name, email and desk.

    Raises:
        Missing, Conflict.
    """
    person = await known(change.connection, name, lock="FOR UPDATE OF p")
    if expected_version not in (0, person.version):
        raise Conflict(expected_version, person.version)
    await need_desk(change.connection, wanted.desk)
    until = person.access_until
    if wanted.desk != person.desk or wanted.display_name != person.display_name:
        # Tokens say the desk and the name: those from before are as wrong as with other grants.
        until = max(person.access_until + 1, int(change.clock().timestamp()))
        tell_grants(change, name, person.access, person.access, until, "the desk or the name changed")
    await change.connection.execute(
        "UPDATE person SET display_name = $2, email = $3, desk = $4, version = version + 1, update_time = $5, "
        "access_until = $6 WHERE name = $1",
        name,
        wanted.display_name,
        wanted.email,
        wanted.desk,
        change.now,
        until,
    )
    change.tell(name, events_pb2.UserChanged(subject=name, change="UPDATED", desk=wanted.desk))
    return await known(change.connection, name)


def tell_grants(change: Change, subject: str, before: Access, after: Access, until: int, comment: str) -> None:
    """The fact of a change of grants."""
    from services.identity.messages import access_message

    fact = events_pb2.GrantsChanged(
        subject=subject,
        before=access_message(before),
        after=access_message(after),
        issued_until=until,
        comment=comment,
    )
    change.tell(subject, fact)


async def set_state(change: Change, name: str, disabled: bool, by: str, comment: str) -> Person:
    """Disables or enables a person.

    Raises:
        Missing; SelfService: `by` is the person and would be disabled.
    """
    if disabled and by == name:
        raise SelfService("nobody disables themselves: another admin does it")
    person = await known(change.connection, name, lock="FOR UPDATE OF p")
    state = State.DISABLED if disabled else (State.ACTIVE if person.password_hash else State.INVITED)
    if state is person.state:
        return person
    await change.connection.execute(
        "UPDATE person SET state = $2, version = version + 1, update_time = $3 WHERE name = $1",
        name,
        int(state),
        change.now,
    )
    word = "DISABLED" if disabled else "ENABLED"
    change.tell(name, events_pb2.UserChanged(subject=name, change=word, desk=person.desk, comment=comment))
    if disabled:
        await revoke_subject(change, name, "DISABLED", comment)
    return await known(change.connection, name)


async def reset(change: Change, name: str, by: str, *, password: bool, factors: bool, comment: str) -> Person:
    """Unlocks a person, and takes the password or the second factors away with all sessions.

    Raises:
        Missing; SelfService: `by` is the person; WrongState: the person is disabled.
    """
    if by == name:
        raise SelfService("nobody resets themselves: another admin does it")
    person = await known(change.connection, name, lock="FOR UPDATE OF p")
    if person.state is State.DISABLED:
        raise WrongState("DISABLED", f"{name} is disabled: enable the person first")
    person = replace(person, failures=0, locked_until=None)
    if password:
        person = replace(person, password_hash="", one_time=False, state=State.INVITED)
    if factors:
        person = replace(person, totp_sealed=None, recovery=())
        await change.connection.execute("DELETE FROM passkey WHERE name = $1", name)
    await change.connection.execute(
        "UPDATE person SET failures = 0, locked_until = NULL, password_hash = $2, one_time = $3, state = $4, "
        "totp_sealed = $5, recovery = $6, version = version + 1, update_time = $7 WHERE name = $1",
        name,
        person.password_hash,
        person.one_time,
        int(person.state),
        person.totp_sealed,
        list(person.recovery),
        change.now,
    )
    change.tell(name, events_pb2.UserChanged(subject=name, change="RESET", desk=person.desk, comment=comment))
    for factor, gone in (("PASSWORD", password), ("TOTP", factors), ("PASSKEY", factors)):
        if gone:
            change.tell(name, events_pb2.FactorChanged(subject=name, factor=factor, change="REMOVED"))
    if password or factors:
        await revoke_subject(change, name, "RESET", comment)
    return await known(change.connection, name)


async def give_ticket(change: Change, name: str, secret: str, life_s: float) -> datetime:
    """Makes a ticket the person's only one and returns until when it is good."""
    expire_time = change.now + timedelta(seconds=life_s)
    await change.connection.execute("DELETE FROM ticket WHERE name = $1", name)
    await change.connection.execute(
        "INSERT INTO ticket (sha256, name, expire_time) VALUES ($1, $2, $3)", digest(secret), name, expire_time
    )
    return expire_time


async def ticket_holder(connection: asyncpg.Connection, secret: str, now: datetime) -> str:
    """Whose a ticket is; "" if it is none, was used or is too old."""
    return (
        await connection.fetchval("SELECT name FROM ticket WHERE sha256 = $1 AND expire_time > $2", digest(secret), now)
        or ""
    )


async def use_ticket(change: Change, secret: str, password_hash: str) -> str:
    """Sets the password of a ticket's person, who is active then, and returns the name; "" if it is not good."""
    name = await change.connection.fetchval(
        "DELETE FROM ticket WHERE sha256 = $1 AND expire_time > $2 RETURNING name", digest(secret), change.now
    )
    if not name:
        return ""
    person = await known(change.connection, name, lock="FOR UPDATE OF p")
    if person.state is State.DISABLED:
        return ""
    await set_password(change, person, password_hash)
    if person.state is State.INVITED:
        change.tell(name, events_pb2.UserChanged(subject=name, change="ACTIVATED", desk=person.desk))
    return name


async def set_password(change: Change, person: Person, password_hash: str) -> None:
    """Sets a person's own password; every session ends, because a thief may have opened one."""
    await change.connection.execute(
        "UPDATE person SET password_hash = $2, one_time = false, state = $3, failures = 0, locked_until = NULL, "
        "version = version + 1, update_time = $4 WHERE name = $1",
        person.name,
        password_hash,
        int(State.ACTIVE),
        change.now,
    )
    change.tell(person.name, events_pb2.FactorChanged(subject=person.name, factor="PASSWORD", change="SET"))
    await revoke_subject(change, person.name, "PASSWORD")
