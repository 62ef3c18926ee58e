"""`reference` on a real PostgreSQL: changes once and for all, and every call of its contract through a real server."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crossrate.api.reference.v1 import reference_events_pb2
from crossrate.api.reference.v1 import reference_service_pb2 as pb
from crossrate.basics.pair import Pair
from crossrate.runtime.topology import Service, Stream, Topology
from crossrate.store.database import Database
from crossrate.store.errors import RequestIdReused
from crossrate.store.journal import Entry, Journal
from services.reference.catalogue import Catalogue
from services.reference.domain import SetStatus, State, Status, VersionConflict
from services.reference.follower import Follower
from services.reference.store import STREAM, PostgresStore
from tests.integration.conftest import Servers

pytestmark = pytest.mark.integration

MIGRATIONS = Path(__file__).resolve().parents[2] / "services" / "reference" / "migrations"
TOPOLOGY = Topology(
    services={
        "control": Service(publishes=("crossrate.control.v1.>",)),
        "reference": Service(publishes=("crossrate.reference.v1.>",), database=True),
    },
    streams={"reference": Stream(owner="reference", subjects=("crossrate.reference.v1.>",), max_mib=64)},
)
EURUSD, USDJPY = Pair("EUR", "USD"), Pair("USD", "JPY")
NOW = datetime(2026, 11, 20, 12, 30, 0, 250_000, tzinfo=UTC)


@pytest.fixture
async def mesh(folder: Path) -> AsyncIterator[Servers]:
    """PostgreSQL and NATS for the service's topology."""
    servers = Servers(folder, TOPOLOGY)
    try:
        servers.issue()
        await servers.start_nats()
        await servers.nats.provision(TOPOLOGY)
        await servers.start_postgres()
        await servers.postgres.provision(TOPOLOGY)
        yield servers
    finally:
        await asyncio.to_thread(servers.remove)


@pytest.fixture
async def database(mesh: Servers) -> AsyncIterator[Database]:
    """The service's schema with its tables."""
    opened = await Database.open(mesh.runtime("reference"), MIGRATIONS)
    yield opened
    await opened.close()


def wish(status: Status, request_id: str = "", expected_version: int = 0) -> SetStatus:
    """A command under an id of its own unless given."""
    return SetStatus(status, "a test", request_id or str(uuid.uuid4()), expected_version)


async def journal_of(database: Database) -> list[Entry]:
    """Everything in the journal."""
    return [entry async for entry in Journal(database).read(STREAM)]


async def test_a_change_is_kept_with_its_event_and_its_answer(database: Database) -> None:
    """One commit: the row, the fact with its subject, and the answer that the caller got."""
    store = PostgresStore(database, "reference-1")
    change = await store.set_status(EURUSD, wish(Status.HALTED), b"body", NOW)
    assert change.state == State(EURUSD, Status.HALTED, 2, NOW)
    assert pb.SetInstrumentStatusResponse.FromString(change.answer).instrument.version == 2
    states, position = await store.load()
    assert states == [State(EURUSD, Status.HALTED, 2, NOW)]
    (entry,) = await journal_of(database)
    assert position == entry.seq == 1
    assert entry.fact.subject == "crossrate.reference.v1.instrument_status_changed.EUR-USD"
    assert entry.fact.type == "crossrate.api.reference.v1.InstrumentStatusChanged"
    assert entry.fact.time_ns == 1_795_177_800_250_000_000
    event = reference_events_pb2.InstrumentStatusChanged.FromString(entry.fact.payload)
    assert (event.previous_status, event.instrument.status) == (Status.TRADING, Status.HALTED)
    assert event.comment == "a test"


async def test_a_repeated_request_gets_the_same_answer_also_after_a_restart(mesh: Servers, database: Database) -> None:
    """PostgreSQL is killed and comes back; the repetition changes nothing more, another body is refused."""
    store = PostgresStore(database, "reference-1")
    command = wish(Status.HALTED)
    first = await store.set_status(EURUSD, command, b"body", NOW)
    await store.set_status(EURUSD, wish(Status.TRADING), b"open again", NOW)
    await database.close()
    mesh.kill("postgres")
    await mesh.start_postgres()
    reopened = await Database.open(mesh.runtime("reference", "reference-2"), MIGRATIONS)
    try:
        store = PostgresStore(reopened, "reference-2")
        again = await store.set_status(EURUSD, command, b"body", NOW)
        assert again.answer == first.answer
        assert again.state is None
        with pytest.raises(RequestIdReused):
            await store.set_status(EURUSD, command, b"another body", NOW)
        assert len(await journal_of(reopened)) == 2
        states, _ = await store.load()
        assert [(s.status, s.version) for s in states] == [(Status.TRADING, 3)]
    finally:
        await reopened.close()


async def test_a_refused_change_leaves_nothing(database: Database) -> None:
    """After a version conflict neither event nor answer is kept, so that the id may be used for the next try."""
    store = PostgresStore(database, "reference-1")
    command = wish(Status.HALTED, expected_version=7)
    with pytest.raises(VersionConflict):
        await store.set_status(EURUSD, command, b"body", NOW)
    assert await journal_of(database) == []
    done = await store.set_status(EURUSD, wish(Status.HALTED, command.request_id, 1), b"corrected", NOW)
    assert done.state is not None


async def test_a_change_to_the_same_status_is_answered_and_is_no_event(database: Database) -> None:
    """The answer is kept for a repetition although nothing changed."""
    store = PostgresStore(database, "reference-1")
    command = wish(Status.TRADING)
    first = await store.set_status(EURUSD, command, b"body", NOW)
    assert await journal_of(database) == []
    await store.set_status(EURUSD, wish(Status.HALTED), b"halt", NOW)
    again = await store.set_status(EURUSD, command, b"body", NOW)
    assert again.answer == first.answer


async def test_two_instances_change_without_a_gap_and_learn_of_each_other(mesh: Servers, database: Database) -> None:
    """Written by both at once, the versions count every change once; each follower ends with the same states."""
    other = await Database.open(mesh.runtime("reference", "reference-2"), MIGRATIONS)
    try:
        stores = [PostgresStore(database, "reference-1"), PostgresStore(other, "reference-2")]
        catalogues = [Catalogue(), Catalogue()]
        followers = [Follower(c, s, 0, 1.0, None) for c, s in zip(catalogues, stores, strict=True)]
        statuses = (Status.HALTED, Status.REDUCE_ONLY)
        for turn in range(6):
            pairs = (EURUSD, USDJPY) if turn % 2 else (EURUSD, EURUSD)
            work = zip(stores, pairs, strict=True)
            await asyncio.gather(*(store.set_status(pair, wish(statuses[turn % 2]), b"x", NOW) for store, pair in work))
        entries = await journal_of(database)
        assert [entry.seq for entry in entries] == list(range(1, len(entries) + 1))
        for follower in followers:
            assert await follower.catch_up() > 0
            assert await follower.catch_up() == 0
        states = {state.pair: state for state in (await stores[0].load())[0]}
        for catalogue in catalogues:
            assert {pair: catalogue.states[pair] for pair in states} == states
        for pair, state in states.items():
            changes = [e for e in entries if e.fact.subject.endswith(f"{pair.base}-{pair.counter}")]
            assert state.version == 1 + len(changes)
    finally:
        await other.close()
