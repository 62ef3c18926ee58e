"""Facts that are published together, and connections that are used one after another."""

from __future__ import annotations

import dataclasses

import pytest

from crossrate.events import Events
from crossrate.store import Database, Journal, Lease, OutboxRelay
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
