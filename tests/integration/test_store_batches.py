"""Facts that are published together, and connections that are used one after another."""

from __future__ import annotations

import dataclasses

import pytest

from crossrate.events import Events
from crossrate.store import Database, Entry, Journal, Lease, Newest, OutboxRelay
from crossrate.store.relay import JOINED_BYTES_MAX
from tests.integration.conftest import eventually
from tests.integration.test_store import facts, opened, running

pytestmark = pytest.mark.integration


async def test_a_relay_that_joins_leaves_nothing_out_and_repeats_nothing(servers):
    """What follows each other goes out together, within the size of a message; also after a position that was lost."""
    events = await Events.open(servers.runtime("alpha"))
    async with opened(servers) as database:
        lease, journal = await Lease.acquire(database, "writer", "alpha-1"), Journal(database)
        large = [dataclasses.replace(each, payload=b"x" * 60_000) for each in facts(101, 5)]
        async with database.transaction() as connection:
            await journal.append(connection, lease, "main", facts(1, 100))
            await journal.append(connection, lease, "main", large)
            await journal.append(connection, lease, "other", facts(1, 3))
        async with running(relay := OutboxRelay(database, events, "alpha", join=True)):
            await eventually(lambda: relay.published == 108)
        async with database.transaction() as connection:
            await connection.execute("UPDATE relay_position SET last_seq = 0")
            await connection.execute("UPDATE relay SET last_sequence = 0")
            await journal.append(connection, lease, "main", facts(106, 10))
        async with running(relay := OutboxRelay(database, events, "alpha", join=True)):
            await eventually(lambda: relay.published == 10)
        assert relay.foreign == 0
        for name in ("main", "other"):
            entries = [each async for each in journal.read(name)]
            found = [event async for event in events.replay("alpha") if event.origin_stream == name]
            ranges = [(event.origin_first, event.origin_sequence) for event in found]
            assert [n for first, last in ranges for n in range(first, last + 1)] == [each.seq for each in entries]
            assert b"".join(event.payload for event in found) == b"".join(each.fact.payload for each in entries)
            assert len(found) < len(entries)
            assert all(len(event.payload) <= JOINED_BYTES_MAX for event in found)
    await events.close()


async def test_what_is_in_memory_and_what_is_not_is_published_once_and_in_order(servers):
    """Memory that begins late, has gaps or nothing of a stream leaves the rest to the journal."""
    events, newest = await Events.open(servers.runtime("alpha")), Newest()
    async with opened(servers) as database:
        lease, journal = await Lease.acquire(database, "writer", "alpha-1"), Journal(database)

        async def append(stream: str, first: int, count: int, told: range) -> None:
            made = facts(first, count)
            async with database.transaction() as connection:
                last = await journal.append(connection, lease, stream, made)
            begun = last - count + 1
            newest.committed([Entry(stream, begun + n, made[n]) for n in told])

        await append("early", 1, 50, range(50))
        async with running(relay := OutboxRelay(database, events, "alpha", join=True, newest=newest)):
            await eventually(lambda: relay.published == 50)
            for round_ in range(5):
                await append("whole", 1000 * round_, 40, range(40))
                await append("gaps", 1000 * round_ + 300, 40, range(round_ * 7, 40))
                await append("others", 1000 * round_ + 600, 40, range(0))
            await eventually(lambda: relay.published == 650)
        assert relay.foreign == 0
        for name in ("early", "whole", "gaps", "others"):
            entries = [each async for each in journal.read(name)]
            found = [event async for event in events.replay("alpha") if event.origin_stream == name]
            ranges = [(event.origin_first or event.origin_sequence, event.origin_sequence) for event in found]
            assert [n for first, last in ranges for n in range(first, last + 1)] == [each.seq for each in entries]
            assert b"".join(event.payload for event in found) == b"".join(each.fact.payload for each in entries)
    await events.close()


async def test_a_connection_goes_back_without_what_was_left_open(postgres_server):
    """The next one to use it begins outside of any transaction."""
    database = await Database.open(postgres_server.runtime("alpha"), connections_max=1)
    async with database.connection() as connection:
        await connection.execute("CREATE TABLE left_open (n int)")
        await connection.execute("BEGIN")
        await connection.execute("INSERT INTO left_open VALUES (1)")
    async with database.connection() as connection:
        assert not connection.is_in_transaction()
        assert await connection.fetchval("SELECT count(*) FROM left_open") == 0
    await database.close()
