"""The first start: a desk, the command line as a client, an admin with a one-time password in a file of mode 0600."""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path
from typing import Any

from services.identity.domain.access import Access
from services.identity.domain.client import Authentication, Client
from services.identity.domain.person import Person, State
from services.identity.passwords import Passwords
from services.identity.store import grants, people, programs
from services.identity.store.writing import Change, Origin, Writer

DESK = "main"
ADMIN = "admin"
COMMAND_LINE = "crossrate-cli"
REDIRECT_URIS = ("http://127.0.0.1/callback", "http://[::1]/callback")


def first_login_file(state: Path) -> Path:
    """Where the first admin's one-time password is."""
    return state / "identity" / "first-login.json"


async def begin(writer: Writer, passwords: Passwords, issuer: str, state: Path, log: Any) -> None:
    """Enters what a new mesh begins with; nothing if anybody was ever entered.

    The file is written before the commit: a crash in between leaves a password that opens nothing, never an admin whose
    password nobody has.
    """
    async with writer.database.connection() as connection:
        if await connection.fetchval("SELECT true FROM subject LIMIT 1"):
            return
    password = "-".join(secrets.token_hex(3) for _ in range(4))
    hashed = await passwords.hash(password)
    made: list[bool] = []

    async def work(change: Change) -> None:
        await change.connection.execute("SELECT pg_advisory_xact_lock(hashtext('identity first start'))")
        made[:] = [not await change.connection.fetchval("SELECT true FROM subject LIMIT 1")]
        if not made[0]:
            return
        _write(first_login_file(state), {"name": ADMIN, "password": password, "url": f"{issuer}/login/"})
        await grants.create_desk(change, DESK, "")
        admin = Person(
            name=ADMIN,
            desk=DESK,
            state=State.ACTIVE,
            access=Access.of(["admin"]),
            create_time=change.now,
            update_time=change.now,
            password_hash=hashed,
            one_time=True,
        )
        await people.create(change, admin)
        command_line = Client(
            name=COMMAND_LINE,
            desk=DESK,
            authentication=Authentication.NONE,
            create_time=change.now,
            display_name="crossrate on the command line",
            redirect_uris=REDIRECT_URIS,
        )
        await programs.create_client(change, command_line)

    await writer.change(Origin(principal="identity"), work)
    if made[0]:
        log.info("the first admin may log in", name=ADMIN, file=str(first_login_file(state)))


def _write(path: Path, content: dict[str, str]) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(json.dumps(content, indent=2) + "\n")
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
