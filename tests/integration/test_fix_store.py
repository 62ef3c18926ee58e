"""Stores of FIX sessions, one suite over all of them: in memory, in a file, in PostgreSQL."""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from crossrate.fix.file_store import IDLE_LINES_MAX, FileBroken, FileStore
from crossrate.fix.numbers import Changes, Sent
from crossrate.fix.store import MemoryStore, StaleNumbers, Store
from crossrate.store import Database
from crossrate.store.fix_store import FixStore
from tests.integration.conftest import Servers, _servers

pytestmark = pytest.mark.integration

Opened = Callable[[str], contextlib.AbstractAsyncContextManager[Store]]


def sent(number: int) -> Sent:
    """A message with bytes that are no text in it."""
    return Sent(number, b"AE", b"97=Y\x01", b"58=\xff\x00 %d\x01" % number, 1_767_366_245_000_000_000 + number)


def changes(before: tuple[int, int], after: tuple[int, int], *numbers: int, reset: bool = False) -> Changes:
    """Changes that move the numbers, and send some messages."""
    return Changes(*before, *after, 7, reset, tuple(sent(number) for number in numbers))


async def save(store: Store, what: Changes) -> None:
    """One step."""
    async with store.transaction() as transaction:
        await store.save(transaction, what)


def _opened(database: Database, name: str) -> contextlib.AbstractAsyncContextManager[Store]:
    return contextlib.nullcontext(FixStore(database, name))


async def _postgres(servers: Servers) -> AsyncIterator[Opened]:
    database = await Database.open(servers.runtime("alpha"))
    try:
        await FixStore.prepare(database)
        yield functools.partial(_opened, database)
    finally:
        await database.close()


@pytest.fixture(params=["memory", "file", "postgres"])
async def opened(request: pytest.FixtureRequest, folder: Path) -> AsyncIterator[Opened]:
    """Opens a session's store by its name; a second opening sees what the first has stored."""
    memory: dict[str, MemoryStore] = {}

    @contextlib.asynccontextmanager
    async def open_memory(name: str) -> AsyncIterator[Store]:
        yield memory.setdefault(name, MemoryStore())

    @contextlib.asynccontextmanager
    async def open_file(name: str) -> AsyncIterator[Store]:
        store = FileStore(folder / f"{name}.fix")
        try:
            yield store
        finally:
            store.close()

    if request.param != "postgres":
        yield {"memory": open_memory, "file": open_file}[request.param]
        return
    async for servers in _servers(folder, "postgres"):
        async for opening in _postgres(servers):
            yield opening


async def test_a_store_keeps_what_it_is_given(opened: Opened) -> None:
    """All that the protocol says holds for each kind of store."""
    await kept(opened)
    await forgotten(opened)
    await refused(opened)


async def kept(opened: Opened) -> None:
    """Numbers, and every message with its bytes and time, by range and in order; sessions are apart."""
    async with opened("a") as store:
        numbers = await store.load()
        assert (numbers.out, numbers.due, numbers.fresh) == (1, 1, False)
        await save(store, changes((1, 1), (4, 2), 2, 3))
        await save(store, changes((4, 2), (6, 9), 5))
    async with opened("a") as store:
        numbers = await store.load()
        assert (numbers.out, numbers.due, numbers.begun_ns) == (6, 9, 7)
        assert list(await store.sent(1, 100, 100)) == [sent(2), sent(3), sent(5)]
        assert list(await store.sent(3, 4, 100)) == [sent(3)]
        assert list(await store.sent(1, 100, 2)) == [sent(2), sent(3)]
    async with opened("b") as store:
        assert (await store.load()).out == 1
        assert not await store.sent(1, 100, 100)


async def forgotten(opened: Opened) -> None:
    """Numbers begin at 1, and a number that is used again is another message."""
    async with opened("c") as store:
        await store.load()
        await save(store, changes((1, 1), (9, 9), 2, 8))
        await save(store, changes((9, 9), (3, 1), 2, reset=True))
        assert list(await store.sent(1, 100, 100)) == [sent(2)]
    async with opened("c") as store:
        assert (await store.load()).out == 3
        assert list(await store.sent(1, 100, 100)) == [sent(2)]


async def refused(opened: Opened) -> None:
    """Whoever saves from numbers that are not stored is refused, and nothing of it is kept."""
    async with opened("d") as store:
        await store.load()
        await save(store, changes((1, 1), (3, 1), 2))
        with pytest.raises(StaleNumbers):
            await save(store, changes((1, 1), (5, 1), 4))
        assert (await store.load()).out == 3
        assert list(await store.sent(1, 100, 100)) == [sent(2)]


async def test_effects_and_numbers_commit_together(postgres_server: Any) -> None:
    """In PostgreSQL the application's rows and the session's stand or fall together; of two writers one is refused.

    Old messages can be deleted, and the numbers stay.
    """
    database = await Database.open(postgres_server.runtime("alpha"))
    try:
        await FixStore.prepare(database)
        await FixStore.prepare(database)
        store = FixStore(database, "a")
        await store.load()
        async with database.connection() as connection:
            await connection.execute("CREATE TABLE effect (number bigint PRIMARY KEY)")

        other = FixStore(database, "b")
        await other.load()
        await save(other, changes((1, 1), (9, 1), 2, 5, 8))
        assert await other.forget(6) == 2
        assert list(await other.sent(1, 9, 9)) == [sent(8)]
        assert (await other.load()).out == 9

        async def once(number: int, fail: bool = False) -> None:
            async with store.transaction() as connection:
                await connection.execute("INSERT INTO effect VALUES ($1)", number)
                await store.save(connection, changes((1, 1), (1, 2)))
                if fail:
                    raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await once(1, fail=True)
        assert (await store.load()).due == 1
        done = await asyncio.gather(*(once(number) for number in range(4)), return_exceptions=True)
        assert sorted(type(each).__name__ for each in done) == ["NoneType", *["StaleNumbers"] * 3]
        async with database.connection() as connection:
            assert await connection.fetchval("SELECT count(*) FROM effect") == 1
    finally:
        await database.close()


async def test_a_line_that_was_cut_off_was_not_committed(folder: Path) -> None:
    """However much of the last line is there, the file is what it was before it; wrong lines before others are told."""
    path = folder / "a.fix"
    store = FileStore(path)
    await save(store, changes((1, 1), (3, 1), 2))
    whole = path.read_bytes()
    await save(store, changes((3, 1), (5, 1), 4))
    store.close()
    both = path.read_bytes()
    for size in (len(whole), len(whole) + 1, len(whole) + 20, len(both) - 1):
        path.write_bytes(both[:size])
        store = FileStore(path)
        assert (await store.load()).out == 3
        await save(store, changes((3, 1), (4, 1), 3))
        store.close()
        store = FileStore(path)
        assert list(await store.sent(1, 9, 9)) == [sent(2), sent(3)]
        store.close()
    path.write_bytes(both.replace(b'"out":3', b'"out":7', 1))
    with pytest.raises(FileBroken, match="at byte 0 cannot be read"):
        FileStore(path)


async def test_one_process_holds_a_file(folder: Path) -> None:
    """A second opening is refused until the first is closed."""
    store = FileStore(folder / "a.fix")
    with pytest.raises(FileBroken, match="held by another process"):
        FileStore(folder / "a.fix")
    store.close()
    FileStore(folder / "a.fix").close()


async def test_a_file_does_not_grow_with_heartbeats(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines without a message are left out when the file is opened and has many of them; messages stay."""
    monkeypatch.setattr("os.fdatasync", lambda _: None)
    store = FileStore(folder / "a.fix")
    await save(store, changes((1, 1), (3, 1), 2))
    for number in range(3, IDLE_LINES_MAX + 5):
        await save(store, changes((number, 1), (number + 1, 1)))
    store.close()
    size = (folder / "a.fix").stat().st_size
    for _ in range(2):
        store = FileStore(folder / "a.fix")
        assert (await store.load()).out == IDLE_LINES_MAX + 5
        assert list(await store.sent(1, 9, 9)) == [sent(2)]
        store.close()
    assert (folder / "a.fix").stat().st_size < size / 1_000
