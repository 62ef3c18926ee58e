"""`reference` on a real PostgreSQL: changes once and for all, and every call of its contract through a real server."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from google.type.date_pb2 import Date

from crossrate.api.reference.v1 import reference_events_pb2
from crossrate.api.reference.v1 import reference_service_pb2 as pb
from crossrate.api.reference.v1.reference_service_pb2_grpc import (
    ReferenceServiceStub,
    add_ReferenceServiceServicer_to_server,
)
from crossrate.basics.pair import Pair
from crossrate.events import Events
from crossrate.rpc.errors import ErrorReason, Failure, failure_of
from crossrate.rpc.server import Server
from crossrate.runtime.live_config import ConfigStore
from crossrate.runtime.process import Runtime, RuntimeSettings, open_runtime
from crossrate.runtime.topology import Service, Stream, Topology
from crossrate.store.database import Database
from crossrate.store.errors import RequestIdReused, StoreUnavailable
from crossrate.store.journal import Entry, Journal
from services.reference import main
from services.reference.catalogue import Catalogue
from services.reference.domain import SetStatus, State, Status, VersionConflict
from services.reference.follower import Follower
from services.reference.messages import date_message
from services.reference.service import ReferenceService
from services.reference.store import STREAM, PostgresStore
from tests.integration.conftest import Servers, eventually

pytestmark = pytest.mark.integration

MIGRATIONS = main.MIGRATIONS
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
    """PostgreSQL for the service's topology."""
    servers = Servers(folder, TOPOLOGY)
    try:
        servers.issue()
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
        followers = [Follower(c, s, 0, None) for c, s in zip(catalogues, stores, strict=True)]
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


@dataclass
class Served:
    """A running instance and a client of its socket."""

    stub: ReferenceServiceStub
    database: Database
    runtime: Runtime


@pytest.fixture
async def served(mesh: Servers, database: Database) -> AsyncIterator[Served]:
    """The service as its main wires it, with a clock that stands still, called as the local operator calls it."""
    settings = RuntimeSettings(service="reference", instance="reference-1", settle_s=0)
    runtime = open_runtime(settings, mesh.place)
    store = PostgresStore(database, runtime.instance)
    server = Server(runtime)
    service = ReferenceService(Catalogue((await store.load())[0]), store, lambda: NOW)
    server.add(add_ReferenceServiceServicer_to_server, service)
    server.health.depends_on("postgres", database.check)
    serving = asyncio.create_task(server.serve())
    async with grpc.aio.insecure_channel(f"unix:{server.socket}") as channel:
        await asyncio.wait_for(channel.channel_ready(), 60)
        await eventually(lambda: mesh.place.registration("reference-1").exists())
        yield Served(ReferenceServiceStub(channel), database, runtime)
    runtime.stopping.set()
    await asyncio.wait_for(serving, 60)


async def failure(call: Awaitable[object]) -> Failure:
    """The failure that a call ends with."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    found = failure_of(caught.value)
    assert found is not None, caught.value
    return found


def day(text: str) -> Date:
    """A date of the contract."""
    return date_message(date.fromisoformat(text))


def iso(message: Date) -> str:
    """A date of the contract as text."""
    return f"{message.year:04}-{message.month:02}-{message.day:02}"


async def test_reads(served: Served) -> None:
    """Instruments, currencies, settlement days, sessions and value dates come as the pure parts compute them."""
    stub = served.stub
    instrument = (await stub.GetInstrument(pb.GetInstrumentRequest(base="USD", counter="JPY"))).instrument
    assert (instrument.name, instrument.pip, instrument.spot_lag_days) == ("USD/JPY", "0.01", 2)
    page = await stub.ListInstruments(pb.ListInstrumentsRequest(direct_only=True, page_size=50))
    rest = await stub.ListInstruments(
        pb.ListInstrumentsRequest(direct_only=True, page_size=50, page_token=page.next_page_token)
    )
    assert len(page.instruments) + len(rest.instruments) == 71
    assert not rest.next_page_token
    assert len((await stub.ListCurrencies(pb.ListCurrenciesRequest())).currencies) == 42
    days = await stub.ListSettlementDays(
        pb.ListSettlementDaysRequest(currency="EUR", start_date=day("2001-12-24"), end_date=day("2002-01-02"))
    )
    assert [iso(d) for d in days.settlement_days] == ["2001-12-24", "2001-12-27", "2001-12-28", "2002-01-02"]
    assert [h.name for h in days.holidays if iso(h.date) == "2001-12-31"] == ["Closed for the euro cash changeover"]
    session = (await stub.GetTradingSession(pb.GetTradingSessionRequest(base="EUR", counter="USD"))).session
    assert session.open
    assert iso(session.trade_date) == "2026-11-20"
    assert session.close_time.ToDatetime(UTC) == datetime(2026, 11, 20, 22, tzinfo=UTC)
    dates = await stub.ListValueDates(
        pb.ListValueDatesRequest(
            base="EUR", counter="USD", trade_date=day("2017-07-03"), tenors=["SP", "1M", "2017-08-10"]
        )
    )
    assert iso(dates.spot_date) == "2017-07-05"
    assert [(d.tenor, iso(d.far_date)) for d in dates.value_dates] == [
        ("SP", "2017-07-05"),
        ("1M", "2017-08-07"),
        ("2017-08-10", "2017-08-10"),
    ]
    now = await stub.ListValueDates(pb.ListValueDatesRequest(base="EUR", counter="USD"))
    assert iso(now.trade_date) == "2026-11-20"
    assert len(now.value_dates) == 21


async def test_what_reads_refuse(served: Served) -> None:
    """Each refusal has its reason, and names the field or the thing."""
    stub = served.stub
    unknown = await failure(stub.GetInstrument(pb.GetInstrumentRequest(base="USD", counter="EUR")))
    assert unknown.reason is ErrorReason.NOT_FOUND
    assert "EUR/USD" in unknown.message
    beyond = await failure(
        stub.ListSettlementDays(
            pb.ListSettlementDaysRequest(currency="CNY", start_date=day("2026-12-30"), end_date=day("2027-01-05"))
        )
    )
    assert beyond.reason is ErrorReason.OUTSIDE_CALENDAR
    assert beyond.metadata == {"first": "2005-01-01", "last": "2026-12-31"}
    forward = await failure(stub.ListValueDates(pb.ListValueDatesRequest(base="USD", counter="CNY", tenors=["6M"])))
    assert forward.reason is ErrorReason.OUTSIDE_CALENDAR
    for call in (
        stub.ListValueDates(pb.ListValueDatesRequest(base="EUR", counter="USD", trade_date=day("9999-12-31"))),
        stub.ListValueDates(pb.ListValueDatesRequest(base="EUR", counter="USD", tenors=["9999-12-31"])),
        stub.ListValueDates(pb.ListValueDatesRequest(base="EUR", counter="USD", tenors=["99Y"])),
        stub.GetTradingSession(
            pb.GetTradingSessionRequest(base="EUR", counter="USD", at_time=Timestamp(seconds=253402300799))
        ),
    ):
        assert (await failure(call)).reason is ErrorReason.OUTSIDE_CALENDAR
    no_date = Date(year=2026, month=2, day=30)
    for request, call, field in (
        (pb.ListInstrumentsRequest(page_token="nonsense"), stub.ListInstruments, "page_token"),
        (pb.ListValueDatesRequest(base="USD", counter="CAD", tenors=["SP", "TN"]), stub.ListValueDates, "tenors[1]"),
        (pb.ListValueDatesRequest(base="EUR", counter="USD", tenors=["2026-12-25"]), stub.ListValueDates, "tenors[0]"),
        (pb.ListValueDatesRequest(base="EUR", counter="USD", tenors=["2026-13-01"]), stub.ListValueDates, "tenors[0]"),
        (pb.ListValueDatesRequest(base="EUR", counter="USD", trade_date=no_date), stub.ListValueDates, "trade_date"),
        (
            pb.ListValueDatesRequest(base="EUR", counter="USD", trade_date=day("2026-11-21")),
            stub.ListValueDates,
            "trade_date",
        ),
        (
            pb.ListSettlementDaysRequest(currency="EUR", start_date=day("2000-01-01"), end_date=day("2010-12-31")),
            stub.ListSettlementDays,
            "end_date",
        ),
    ):
        refused = await failure(call(request))
        assert refused.reason is ErrorReason.INVALID_REQUEST, request
        assert refused.violations[0].field == field


async def test_a_halt_through_the_contract(served: Served) -> None:
    """A halt is seen by the next read, repeated without effect, refused with another body or a stale version."""
    stub = served.stub
    halt = pb.SetInstrumentStatusRequest(
        request_id=str(uuid.uuid4()),
        base="EUR",
        counter="USD",
        status=Status.HALTED,
        comment="news",
        expected_version=1,
    )
    tried = pb.SetInstrumentStatusRequest()
    tried.CopyFrom(halt)
    tried.validate_only = True
    assert (await stub.SetInstrumentStatus(tried)).instrument.version == 2
    unchanged = (await stub.GetInstrument(pb.GetInstrumentRequest(base="EUR", counter="USD"))).instrument
    assert (unchanged.version, unchanged.status) == (1, Status.TRADING)
    first = await stub.SetInstrumentStatus(halt)
    assert (await stub.SetInstrumentStatus(halt)) == first
    read = (await stub.GetInstrument(pb.GetInstrumentRequest(base="EUR", counter="USD"))).instrument
    assert read == first.instrument
    assert read.update_time.ToDatetime(UTC) == NOW
    assert len(await journal_of(served.database)) == 1

    halt.comment = "other news"
    assert (await failure(stub.SetInstrumentStatus(halt))).reason is ErrorReason.REQUEST_ID_REUSED
    halt.request_id = str(uuid.uuid4())
    conflict = await failure(stub.SetInstrumentStatus(halt))
    assert conflict.reason is ErrorReason.VERSION_CONFLICT
    assert conflict.metadata == {"expected": "1", "actual": "2"}
    ended = pb.SetInstrumentStatusRequest(
        request_id=str(uuid.uuid4()), base="EUR", counter="CYP", status=Status.TRADING, comment="nostalgia"
    )
    assert (await failure(stub.SetInstrumentStatus(ended))).reason is ErrorReason.WRONG_STATE


async def test_without_the_database_reads_go_on_and_writes_say_so(mesh: Servers, served: Served) -> None:
    """A read touches no database; a write fails as unavailable, with word to try again."""
    mesh.kill("postgres")
    await served.stub.GetInstrument(pb.GetInstrumentRequest(base="EUR", counter="USD"))
    halt = pb.SetInstrumentStatusRequest(
        request_id=str(uuid.uuid4()), base="EUR", counter="USD", status=Status.HALTED, comment="news"
    )
    refused = await failure(served.stub.SetInstrumentStatus(halt))
    assert refused.reason is ErrorReason.DEPENDENCY_UNAVAILABLE
    assert refused.retry_after_s
    await mesh.start_postgres()
    assert (await served.stub.SetInstrumentStatus(halt)).instrument.version == 2


@asynccontextmanager
async def assembled(mesh: Servers, instance: str) -> AsyncIterator[ReferenceServiceStub]:
    """One instance as its main assembles it, up to its drain at the end."""
    runtime = open_runtime(RuntimeSettings(service="reference", instance=instance, settle_s=0), mesh.place)
    running = asyncio.create_task(main.serve(runtime))
    try:
        await eventually(lambda: running.done() or mesh.place.registration(instance).exists())
        async with grpc.aio.insecure_channel(f"unix:{mesh.place.service_socket(instance)}") as channel:
            yield ReferenceServiceStub(channel)
    finally:
        runtime.stopping.set()
        await asyncio.wait_for(running, 60)


async def test_the_assembled_service_publishes_its_facts(mesh: Servers) -> None:
    """A change comes into JetStream under its subject; while one instance replaces another both know every change."""
    await mesh.start_nats()
    await mesh.nats.provision(TOPOLOGY)
    which = pb.GetInstrumentRequest(base="EUR", counter="USD")
    halt = pb.SetInstrumentStatusRequest(
        request_id=str(uuid.uuid4()), base="EUR", counter="USD", status=Status.HALTED, comment="news"
    )
    reopen = pb.SetInstrumentStatusRequest(
        request_id=str(uuid.uuid4()), base="EUR", counter="USD", status=Status.TRADING, comment="old news"
    )
    async with assembled(mesh, "reference-2") as second:
        async with assembled(mesh, "reference-1") as first:
            halted = await first.SetInstrumentStatus(halt)

            async def second_knows() -> bool:
                return (await second.GetInstrument(which)).instrument == halted.instrument

            await eventually(second_knows)
            await second.SetInstrumentStatus(reopen)
            assert await first.SetInstrumentStatus(halt) == halted
        assert await second.SetInstrumentStatus(halt) == halted
        events = await Events.open(mesh.runtime("reference"))
        try:

            async def both_published() -> bool:
                return (await events.stream_ends("reference")).last == 2

            await eventually(both_published)
            facts = [event async for event in events.replay("reference")]
        finally:
            await events.close()
    assert [fact.subject for fact in facts] == ["crossrate.reference.v1.instrument_status_changed.EUR-USD"] * 2
    assert [fact.id for fact in facts] == ["reference:instruments:1", "reference:instruments:2"]
    changes = [reference_events_pb2.InstrumentStatusChanged.FromString(fact.payload) for fact in facts]
    assert [(c.previous_status, c.instrument.status, c.instrument.version) for c in changes] == [
        (Status.TRADING, Status.HALTED, 2),
        (Status.HALTED, Status.TRADING, 3),
    ]
    assert [c.request_id for c in changes] == [halt.request_id, reopen.request_id]


async def test_the_page_size_is_live_configuration(mesh: Servers) -> None:
    """A new default applies without a restart; one that is out of bounds is refused and the last one stays."""
    await mesh.start_nats()
    await mesh.nats.provision(TOPOLOGY)
    control = await Events.open(mesh.runtime("control"))
    try:
        configs = ConfigStore(control)
        async with assembled(mesh, "reference-1") as stub:

            async def size() -> int:
                return len((await stub.ListInstruments(pb.ListInstrumentsRequest())).instruments)

            async def has(expected: int) -> bool:
                return await size() == expected

            assert await size() == 100
            for values, expected in (({"page_size_default": 7}, 7), ({"page_size_default": 0}, 7), ({}, 100)):
                await configs.set("reference", values, author="a test", now=NOW)
                await eventually(lambda expected=expected: has(expected))
    finally:
        await control.close()


async def test_an_instance_that_cannot_follow_becomes_unhealthy(mesh: Servers, database: Database) -> None:
    """Its catalogue may be ten seconds old and no older: it could miss a halt. When it follows again it is well."""
    time_s = 100.0
    follower = Follower(Catalogue(), PostgresStore(database, "reference-1"), 0, None, clock_s=lambda: time_s)
    await follower.catch_up()
    mesh.kill("postgres")
    time_s = 110.0
    with pytest.raises(StoreUnavailable):
        await follower.catch_up()
    await follower.check()
    time_s = 110.1
    with pytest.raises(StoreUnavailable, match="statuses are 10 s old"):
        await follower.check()
    await mesh.start_postgres()
    await follower.catch_up()
    await follower.check()
