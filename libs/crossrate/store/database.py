"""A service's connection to its own schema: a small pool in which nothing waits for ever."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Protocol

import asyncpg

from crossrate.runtime.place import Place
from crossrate.store.errors import OutcomeUnknown, StoreError, StoreUnavailable
from crossrate.store.migrations import migrate

FRAMEWORK_MIGRATIONS = Path(__file__).parent / "schema"

PLANNED_ONCE = {"plan_cache_mode": "force_generic_plan"}
"""A service has few statements, prepared, by key or over arrays of any length: planning one anew for each array costs
ten times what it does."""

BROKEN_CONNECTION = (
    OSError,
    asyncio.TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)
"""What asyncpg raises when the server is away, comes up, goes down, or does not answer in time.

A connection whose server was killed may also answer with InternalClientError ("another operation is in progress").
"""


class StoreRuntime(Protocol):
    """What the store needs of a service's runtime."""

    service: str
    instance: str
    place: Place


def is_broken_connection(error: BaseException, connection: asyncpg.Connection) -> bool:
    """Whether an error in a block says that its connection, not its statement or its other work, is at fault."""
    if isinstance(error, asyncpg.PostgresError | asyncpg.InternalClientError):
        return isinstance(error, BROKEN_CONNECTION)
    # asyncpg has one InterfaceError for a closed connection and for wrong use; only the first closes it. The same goes
    # for the exceptions of the system, which may come from anything else that the block does.
    return isinstance(error, BROKEN_CONNECTION) and not isinstance(error, StoreError) and _is_closed(connection)


def _is_closed(connection: asyncpg.Connection) -> bool:
    try:
        return connection.is_closed()
    except asyncpg.InterfaceError:  # the pool has noticed first and taken it back
        return True


async def _as_it_is(_connection: asyncpg.Connection) -> None:
    """What asyncpg does to a connection on its way back to the pool, besides rolling back what was left open.

    By itself it would send four statements that undo LISTEN, session locks, cursors and settings: as dear as most of
    the queries before them. What needs those has a connection of its own (`Database.dedicated`).
    """


def _terminate(connection: asyncpg.Connection) -> None:
    with contextlib.suppress(asyncpg.InterfaceError):
        connection.terminate()


def dsn(runtime: StoreRuntime) -> str:
    """The address of the service's schema, from its credentials.

    Raises:
        StoreError: the topology gives this service no database.
    """
    path = runtime.place.credentials(runtime.service)
    postgres = json.loads(path.read_text())["postgres"]
    if not postgres:
        raise StoreError(f"{runtime.service} has no database: set `database = true` in mesh/topology.toml")
    return postgres["dsn"]


class Database:
    """A pool of connections to the service's schema. Open it with `Database.open`, close it with `close`."""

    def __init__(self, pool: asyncpg.Pool, address: str, *, acquire_timeout_s: float) -> None:
        self.pool = pool
        self._address = address
        self._acquire_timeout_s = acquire_timeout_s

    @classmethod
    async def open(
        cls,
        runtime: StoreRuntime,
        migrations: Path | None = None,
        *,
        connections_max: int = 4,
        acquire_timeout_s: float = 2.0,
        command_timeout_s: float = 10.0,
        open_timeout_s: float = 60.0,
    ) -> Database:
        """Connects and brings the schema up to date: first the store's own tables, then those of the service.

        Waits up to `open_timeout_s` for a server that is not there yet.

        Raises:
            StoreUnavailable: the server did not come in time.
            MigrationError: the schema cannot be brought up to date.
        """
        pool = asyncpg.create_pool(
            dsn(runtime),
            min_size=0,  # none has to stand open: an idle service costs the server no process
            max_size=connections_max,
            command_timeout=command_timeout_s,
            timeout=5.0,
            max_inactive_connection_lifetime=60.0,
            reset=_as_it_is,
            statement_cache_size=256,
            server_settings={"application_name": runtime.instance, **PLANNED_ONCE},
        )
        database = cls(await pool, dsn(runtime), acquire_timeout_s=acquire_timeout_s)
        deadline = time.monotonic() + open_timeout_s
        try:
            while True:
                try:
                    await database._migrate(runtime.service, migrations)
                    return database
                except StoreUnavailable:
                    if time.monotonic() > deadline:
                        raise
                    await asyncio.sleep(0.1)
        except BaseException:
            await database.close()
            raise

    async def _migrate(self, service: str, migrations: Path | None) -> None:
        async with self.connection() as connection:
            await migrate(connection, "crossrate.store", FRAMEWORK_MIGRATIONS)
            if migrations is not None:
                await migrate(connection, service, migrations)

    @contextlib.asynccontextmanager
    async def connection(self) -> AsyncIterator[asyncpg.Connection]:
        """A connection from the pool, outside of any transaction.

        Raises:
            StoreUnavailable: none was free in time, the server is away, or it went away meanwhile.
        """
        try:
            # asyncpg would wait for ever, also behind connections that are dead.
            connection = await self.pool.acquire(timeout=self._acquire_timeout_s)
        except BROKEN_CONNECTION as error:
            raise StoreUnavailable(f"no database connection: {error or type(error).__name__}") from error
        try:
            yield connection
        except Exception as error:
            if is_broken_connection(error, connection):
                _terminate(connection)
                raise StoreUnavailable(f"the database connection broke: {error or type(error).__name__}") from error
            raise
        finally:
            await self._release(connection)

    async def _release(self, connection: asyncpg.Connection) -> None:
        try:
            await self.pool.release(connection, timeout=2.0)
        except BROKEN_CONNECTION:
            _terminate(connection)

    @contextlib.asynccontextmanager
    async def transaction(self) -> AsyncIterator[asyncpg.Connection]:
        """A connection within a transaction: committed at the end of the block, rolled back by an exception.

        Raises:
            StoreUnavailable: the connection broke before the commit; nothing was done.
            OutcomeUnknown: it broke during the commit.
            StoreError: the block swallowed the error of a statement; nothing was committed.
        """
        async with self.connection() as connection:
            await connection.execute("BEGIN")
            try:
                yield connection
            except BaseException:
                if not _is_closed(connection):
                    with contextlib.suppress(*BROKEN_CONNECTION):
                        await connection.execute("ROLLBACK")
                raise
            try:
                outcome = await connection.execute("COMMIT")
            except asyncio.CancelledError:
                _terminate(connection)
                raise
            except BROKEN_CONNECTION as error:
                _terminate(connection)
                raise OutcomeUnknown("the connection broke during the commit; it may have been done") from error
            if outcome != "COMMIT":
                # PostgreSQL answers the COMMIT of a failed transaction with a rollback and no error.
                raise StoreError("a statement in this transaction failed and its error was swallowed: rolled back")

    async def dedicated(self, **settings: str) -> asyncpg.Connection:
        """A connection of one's own beside the pool, for LISTEN and session locks; the caller closes it.

        Args:
            settings: of the session, by PostgreSQL's names.

        Raises:
            StoreUnavailable: the server is away.
        """
        try:
            return await asyncpg.connect(
                self._address, timeout=5.0, command_timeout=10.0, server_settings={**PLANNED_ONCE, **settings}
            )
        except BROKEN_CONNECTION as error:
            raise StoreUnavailable(f"no database connection: {error or type(error).__name__}") from error

    async def check(self) -> None:
        """Raises StoreUnavailable unless the database answers a query now. For health."""
        async with self.connection() as connection:
            await connection.fetchval("SELECT 1", timeout=2.0)

    async def close(self) -> None:
        """Closes every connection, at the latest after five seconds."""
        try:
            async with asyncio.timeout(5.0):
                await self.pool.close()
        except (TimeoutError, *BROKEN_CONNECTION):
            self.pool.terminate()
