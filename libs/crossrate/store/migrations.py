"""Migrations: plain SQL files that only ever go forward.

A folder holds `0001_words.sql`, `0002_words.sql`, … without a gap. Each is applied once, in one transaction with the
row that says so, and may never change afterwards: its checksum is kept. A database that is ahead of the files is not an
error, so that yesterday's program still starts on today's schema; every migration has to leave yesterday's program able
to work.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from crossrate.store.errors import MigrationError

_NAME = re.compile(r"^(\d{4})_[a-z0-9_]+\.sql$")
_LOCK = 0x63726F73  # "cros": the first half of the advisory lock's key; the second is the schema

_TABLE = """
CREATE TABLE IF NOT EXISTS migration (
    scope text NOT NULL,
    version integer NOT NULL,
    name text NOT NULL,
    sha256 text NOT NULL,
    apply_time timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (scope, version)
)"""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file."""

    version: int
    name: str
    sql: str

    @property
    def sha256(self) -> str:
        """The checksum that is kept of it."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


def read_migrations(folder: Path) -> list[Migration]:
    """The migrations of a folder, in order.

    Raises:
        MigrationError: the folder is missing, a name is not `0001_words.sql`, or a number is missing or twice there.
    """
    if not folder.is_dir():
        raise MigrationError(f"there is no folder {folder}")
    found = []
    for path in sorted(folder.glob("*.sql")):
        match = _NAME.match(path.name)
        if match is None:
            raise MigrationError(f"{path.name}: a migration is called 0001_words.sql, in lower case")
        found.append(Migration(int(match[1]), path.name, path.read_text()))
    for expected, migration in enumerate(found, start=1):
        if migration.version != expected:
            raise MigrationError(f"{folder}: found {migration.name} where number {expected:04d} should be")
    return found


async def migrate(connection: asyncpg.Connection, scope: str, folder: Path) -> list[str]:
    """Applies what is missing to the connection's schema and returns the names of what it applied.

    Instances that start together wait for one another.

    Raises:
        MigrationError: an applied file was changed, or a file fails; nothing of a failed file remains.
    """
    migrations = read_migrations(folder)
    try:
        await connection.execute("SELECT pg_advisory_lock($1, hashtext(current_schema()))", _LOCK, timeout=60)
        try:
            return await _missing(connection, scope, migrations)
        finally:
            # Does nothing on a connection that broke: the lock went with it.
            with contextlib.suppress(asyncpg.InterfaceError, OSError):
                await connection.execute("SELECT pg_advisory_unlock($1, hashtext(current_schema()))", _LOCK)
    except asyncio.CancelledError:
        # The server may have given the lock, or not taken it back: it must not stay with a connection of a pool.
        with contextlib.suppress(asyncpg.InterfaceError):
            connection.terminate()
        raise


async def _missing(connection: asyncpg.Connection, scope: str, migrations: list[Migration]) -> list[str]:
    await connection.execute(_TABLE)
    rows = await connection.fetch("SELECT version, sha256 FROM migration WHERE scope = $1", scope)
    applied = {row["version"]: row["sha256"] for row in rows}
    done = []
    for migration in migrations:
        known = applied.get(migration.version)
        if known is None:
            await _apply(connection, scope, migration)
            done.append(migration.name)
        elif known != migration.sha256:
            raise MigrationError(
                f"{migration.name} ({scope}) was changed after it had been applied: put it back as it was and "
                "write what you want to change as a new migration"
            )
    return done


async def _apply(connection: asyncpg.Connection, scope: str, migration: Migration) -> None:
    try:
        async with connection.transaction():
            await connection.execute(migration.sql, timeout=600)
            await connection.execute(
                "INSERT INTO migration (scope, version, name, sha256) VALUES ($1, $2, $3, $4)",
                scope,
                migration.version,
                migration.name,
                migration.sha256,
            )
    except asyncpg.PostgresConnectionError:
        raise
    except asyncpg.PostgresError as error:
        raise MigrationError(f"{migration.name} ({scope}) failed: {error}") from error
