"""The store against a real PostgreSQL, and its relay against a real NATS, both killed while it works."""

from __future__ import annotations

import asyncio
import contextlib
import random

import pytest

from crossrate.events import Consumer, Events, EventsUnavailable, Message
from crossrate.store import (
    Database,
    Fact,
    Inbox,
    Journal,
    Lease,
    LeaseHeld,
    MigrationError,
    OutboxRelay,
    OutcomeUnknown,
    RequestIdReused,
    RequestLog,
    SequenceConflict,
    StaleWriter,
    StoreError,
    StoreUnavailable,
)
from tests.integration.conftest import eventually

pytestmark = pytest.mark.integration


@contextlib.asynccontextmanager
async def opened(servers, service="alpha", migrations=None):
    """A service's database, closed at the end."""
    database = await Database.open(servers.runtime(service), migrations)
    try:
        yield database
    finally:
        await database.close()


@contextlib.asynccontextmanager
async def running(*workers):
    """Workers (relays, consumers) that run during the block."""
    stopping = asyncio.Event()
    tasks = [asyncio.create_task(worker.run(stopping)) for worker in workers]
    try:
        yield
    finally:
        stopping.set()
        await asyncio.wait_for(asyncio.gather(*tasks), 60)


def facts(first: int, count: int = 1) -> list[Fact]:
    """Some facts with a number each."""
    return [
        Fact("crossrate.alpha.v1.changed.EURUSD", "test.Changed", b"%d" % n, n) for n in range(first, first + count)
    ]


async def test_a_service_without_a_database_is_told_so(postgres_server):
    """The error names the line of the topology that is missing."""
    with pytest.raises(StoreError, match="database = true"):
        await Database.open(postgres_server.runtime("gamma"))


async def test_migrations_are_applied_once_and_may_not_change(postgres_server, tmp_path):
    """Two instances that start together apply each file once; a file that was changed is refused by name."""
    (tmp_path / "0001_first.sql").write_text("CREATE TABLE first (a int); INSERT INTO first VALUES (1);")
    databases = await asyncio.gather(*(Database.open(postgres_server.runtime("alpha"), tmp_path) for _ in range(2)))
    for database in databases:
        await database.close()
    (tmp_path / "0002_second.sql").write_text("CREATE TABLE second (a int); SELECT nonsense;")
    with pytest.raises(MigrationError, match=r"0002_second\.sql"):
        await Database.open(postgres_server.runtime("alpha"), tmp_path)
    (tmp_path / "0002_second.sql").write_text("CREATE TABLE second (a int);")
    async with opened(postgres_server, migrations=tmp_path) as database, database.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM first") == 1
        assert await connection.fetchval("SELECT count(*) FROM second") == 0
    (tmp_path / "0001_first.sql").write_text("CREATE TABLE other (a int);")
    with pytest.raises(MigrationError, match=r"0001_first\.sql .* was changed"):
        await Database.open(postgres_server.runtime("alpha"), tmp_path)


async def test_a_journal_has_no_gaps(postgres_server):
    """Batches, rolled-back batches and batches of another stream: each stream counts 1, 2, 3, … in commit order."""
    async with opened(postgres_server) as database:
        lease, journal = await Lease.acquire(database, "writer", "alpha-1"), Journal(database)

        async def append(stream, count, fail):
            with contextlib.suppress(ZeroDivisionError):
                async with database.transaction() as connection:
                    await journal.append(connection, lease, stream, facts(1, count))
                    if fail:
                        raise ZeroDivisionError

        await asyncio.gather(*(append(f"s{n % 2}", 1 + n % 5, n % 3 == 0) for n in range(40)))
        for stream in ("s0", "s1"):
            numbers = [entry.seq async for entry in journal.read(stream)]
            assert numbers == list(range(1, len(numbers) + 1))
            assert await journal.last_seq(stream) == len(numbers) > 0
        async with database.transaction() as connection:
            with pytest.raises(SequenceConflict):
                await journal.append(connection, lease, "s0", facts(1), expected_last_seq=1)


async def test_a_swallowed_error_is_not_a_commit(postgres_server):
    """A block that hides a statement's error is told that nothing was committed, instead of believing in success."""
    async with opened(postgres_server) as database:

        async def careless():
            async with database.transaction() as connection:
                # The carelessness under test.
                with contextlib.suppress(Exception):
                    await connection.execute("SELECT 1 / 0")

        with pytest.raises(StoreError, match="swallowed"):
            await careless()


async def test_the_journal_only_grows(postgres_server):
    """The database itself refuses to change or delete what happened."""
    async with opened(postgres_server) as database:
        lease, journal = await Lease.acquire(database, "writer", "alpha-1"), Journal(database)
        async with database.transaction() as connection:
            await journal.append(connection, lease, "s", facts(1))
        async with database.connection() as connection:
            for statement in ("DELETE FROM journal", "UPDATE journal SET payload = ''", "TRUNCATE journal"):
                with pytest.raises(Exception, match="only grows"):
                    await connection.execute(statement)


async def test_a_stale_writer_is_refused(postgres_server):
    """Who lost the lease cannot append, not even with a transaction that was open when it was taken."""
    async with opened(postgres_server) as database:
        journal, old = Journal(database), await Lease.acquire(database, "writer", "alpha-1", ttl_s=30)
        with pytest.raises(LeaseHeld, match="alpha-1"):
            await Lease.acquire(database, "writer", "alpha-2")
        async with database.transaction() as connection:
            await journal.append(connection, old, "s", facts(1))
            taking = asyncio.create_task(Lease.acquire(database, "writer", "alpha-2", take_over=True))
            await asyncio.sleep(0.1)
            assert not taking.done(), "a taker waits for the append that is under way"
        new = await taking
        assert new.epoch == old.epoch + 1
        with pytest.raises(StaleWriter):
            async with database.transaction() as connection:
                await journal.append(connection, old, "s", facts(2))
        with pytest.raises(StaleWriter):
            await old.renew()
        async with database.transaction() as connection:
            assert await journal.append(connection, new, "s", facts(2), expected_last_seq=1) == 2
        await new.release()
        assert (await Lease.acquire(database, "writer", "alpha-3")).epoch == new.epoch + 1


async def test_one_effect_for_one_request_id(postgres_server):
    """Twenty calls at once with one id do the work once and get one answer; another body under the id is refused."""
    async with opened(postgres_server) as database:
        requests, done = RequestLog(database), []

        async def work(connection):
            done.append(1)
            await connection.fetchval("SELECT pg_sleep(0.02)")
            return b"answer %d" % len(done)

        answers = await asyncio.gather(*(requests.once("id", b"body", work) for _ in range(20)))
        assert set(answers) == {b"answer 1"}
        assert done == [1]
        with pytest.raises(RequestIdReused):
            await requests.once("id", b"other body", work)

        async def failing(connection):
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await requests.once("id 2", b"body", failing)
        assert await requests.once("id 2", b"body", work) == b"answer 2"
        assert await requests.forget(older_than_s=3600) == 0
        assert await requests.forget(older_than_s=0) == 2


async def test_a_database_that_goes_away_is_reported_and_comes_back(postgres_server):
    """While PostgreSQL is down, work fails in time with the right type; afterwards the same pool works."""
    async with opened(postgres_server) as database:
        await database.check()
        postgres_server.kill("postgres")
        with pytest.raises(StoreUnavailable):
            async with asyncio.timeout(60):
                await database.check()
        await postgres_server.start_postgres()

        async def heals():
            with contextlib.suppress(StoreUnavailable):
                await database.check()
                return True
            return False

        await eventually(heals)


async def test_a_pool_that_is_exhausted_says_so(postgres_server):
    """Nobody waits for ever for a connection."""
    database = await Database.open(postgres_server.runtime("alpha"), connections_max=1, acquire_timeout_s=0.2)
    async with database.connection():
        with pytest.raises(StoreUnavailable):
            await database.check()
    await database.check()
    await database.close()


async def test_the_relay_loses_and_doubles_nothing_through_kills(servers):
    """NATS and PostgreSQL are killed by turns while facts are written, relayed and applied: all arrive once, in order.

    beta's effect is a row a fact, written with its position; a fact applied twice would break its primary key.
    """
    alpha_events = await Events.open(servers.runtime("alpha"))
    beta_events = await Events.open(servers.runtime("beta"))
    async with opened(servers) as alpha, opened(servers, "beta") as beta:
        async with beta.connection() as connection:
            await connection.execute("CREATE TABLE effect (n bigint PRIMARY KEY, at bigint NOT NULL)")

        async def handler(event, connection):
            assert event.origin_sequence == event.sequence
            await connection.execute("INSERT INTO effect VALUES ($1, $2)", int(event.payload), event.sequence)

        relays = [OutboxRelay(alpha, alpha_events, "alpha") for _ in range(2)]
        consumers = [Consumer(beta_events, "alpha", "beta", handler, Inbox(beta)) for _ in range(2)]
        written = asyncio.create_task(_write(alpha, 2400))
        async with running(*relays, *consumers):
            for _ in range(3):
                for name, start in (("nats", servers.start_nats), ("postgres", servers.start_postgres)):
                    await asyncio.sleep(random.uniform(0.1, 0.5))
                    servers.kill(name, orphans_wait=False)
                    await start()
            count = await asyncio.wait_for(written, 60)

            async def applied():
                with contextlib.suppress(StoreUnavailable):
                    async with beta.connection() as connection:
                        return await connection.fetchval("SELECT count(*) FROM effect") == count

            await eventually(applied)
            # What has arrived is written down as sent a moment later.
            await eventually(relay_is_done(relays[0]))
        entries = [entry async for entry in Journal(alpha).read("main")]
        events = [event async for event in beta_events.replay("alpha")]
        assert [entry.seq for entry in entries] == list(range(1, count + 1))
        assert [(e.origin_sequence, e.payload) for e in events] == [(e.seq, e.fact.payload) for e in entries]
        async with beta.connection() as connection:
            rows = await connection.fetch("SELECT n, at FROM effect ORDER BY at")
        assert [(row["n"], row["at"]) for row in rows] == [(n, n) for n in range(1, count + 1)]
        assert sum(consumer.dead for consumer in consumers) == 0
        assert sum(relay.foreign for relay in relays) == 0
    await alpha_events.close()
    await beta_events.close()


async def _write(database: Database, count: int) -> int:
    """Journals `count` facts numbered from 1, in batches, each exactly once whatever breaks."""
    journal, number = Journal(database), 0
    lease = await Lease.acquire(database, "writer", "alpha-1")
    while number < count:
        size = min(random.randint(1, 8), count - number)
        try:
            async with database.transaction() as connection:
                await journal.append(connection, lease, "main", facts(number + 1, size), expected_last_seq=number)
            number += size
        except OutcomeUnknown:
            while True:
                with contextlib.suppress(StoreUnavailable):
                    number = await journal.last_seq("main")
                    break
                await asyncio.sleep(0.05)
        except StoreUnavailable:
            await asyncio.sleep(0.05)
        except SequenceConflict:
            number = await journal.last_seq("main")
    return count


async def test_a_relay_that_forgot_its_position_publishes_nothing_twice(servers):
    """What it published without recording it (a crash, a restored row) is found in the stream, however long ago."""
    events = await Events.open(servers.runtime("alpha"))
    async with opened(servers) as database:
        lease, journal = await Lease.acquire(database, "writer", "alpha-1"), Journal(database)
        async with database.transaction() as connection:
            await journal.append(connection, lease, "main", facts(1, 100))
        async with running(relay := OutboxRelay(database, events, "alpha")):
            await eventually(lambda: relay.published == 100)
        async with database.transaction() as connection:
            await connection.execute("UPDATE relay_position SET last_seq = 40")
            await connection.execute("UPDATE relay SET last_sequence = 40")
            await journal.append(connection, lease, "main", facts(101, 10))
        async with running(relay := OutboxRelay(database, events, "alpha")):
            await eventually(lambda: relay.published == 10)
        numbers = [event.origin_sequence async for event in events.replay("alpha")]
        assert numbers == list(range(1, 111))
    await events.close()


async def test_a_foreign_message_is_reported_and_displaces_nothing(servers):
    """Something published past the relay with the service's own key: the relay says so and every fact still arrives."""
    events = await Events.open(servers.runtime("alpha"))
    async with opened(servers) as database:
        lease, journal = await Lease.acquire(database, "writer", "alpha-1"), Journal(database)
        async with running(relay := OutboxRelay(database, events, "alpha")):
            for first in (1, 21, 41):
                await events.publish(Message("crossrate.alpha.v1.stray", b"", f"stray {first}"))
                async with database.transaction() as connection:
                    await journal.append(connection, lease, "main", facts(first, 20))
            await eventually(relay_is_done(relay))
        assert relay.foreign == 3
        numbers = [event.origin_sequence async for event in events.replay("alpha") if event.origin_stream]
        assert numbers == list(range(1, 61))
    await events.close()


def relay_is_done(relay: OutboxRelay):
    """A condition: nothing is left to publish."""

    async def done():
        return await relay.lag() == 0

    return done


async def test_a_lost_stream_is_filled_again_from_the_journal(servers):
    """After the loss of NATS's files the stream has the same messages under the same numbers."""
    events = await Events.open(servers.runtime("alpha"))
    async with opened(servers) as database:
        lease, journal = await Lease.acquire(database, "writer", "alpha-1"), Journal(database)
        async with database.transaction() as connection:
            await journal.append(connection, lease, "main", facts(1, 50))
        async with running(relay := OutboxRelay(database, events, "alpha")):
            await eventually(lambda: relay.published == 50)
        servers.kill("nats")
        (servers.place.state / "nats" / "store").rename(servers.place.state / "nats" / "lost")
        await servers.start_nats()
        await servers.nats.provision(servers.topology)
        async with running(relay := OutboxRelay(database, events, "alpha")):
            await eventually(lambda: relay.published == 50)
        numbers = [(event.sequence, event.origin_sequence) async for event in events.replay("alpha")]
        assert numbers == [(n, n) for n in range(1, 51)]
    await events.close()


async def test_a_journal_that_is_behind_its_stream_stops_the_relay(servers):
    """If the stream has facts that the journal lacks, nothing more is published and the error says why."""
    events = await Events.open(servers.runtime("alpha"))
    async with opened(servers) as database:
        await events.publish(Message.of("crossrate.alpha.v1.changed", b"", "alpha:main:1", origin=("main", 1)))
        async with running(relay := OutboxRelay(database, events, "alpha")):
            await eventually(lambda: "put back from a backup" in relay.error)
        with pytest.raises(EventsUnavailable):
            await events.read("KV_config", 0, timeout_s=0.3)
    await events.close()
