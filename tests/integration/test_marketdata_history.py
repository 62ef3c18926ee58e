"""The recorder and its store over a real NATS: every quote once, whatever happens in between."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from crossrate.history import errors
from crossrate.history.store import TickStore
from crossrate.ticks.columns import Flag
from services.marketdata.quote_log import LogUnavailable, QuoteLog
from services.marketdata.term import Term
from tests.integration.conftest import Servers, eventually
from tests.integration.history_mesh import PAIRS, Feed, Recording, log_of, nats

pytestmark = pytest.mark.integration


@pytest.fixture
async def mesh(folder: Path) -> AsyncIterator[Servers]:
    async with nats(folder) as servers:
        yield servers


@pytest.fixture
async def log(mesh: Servers) -> AsyncIterator[QuoteLog]:
    async with log_of(mesh) as opened:
        yield opened


async def complete(recording: Recording, feed: Feed) -> None:
    """Asserts that all that was written is answered, once and in the order of time."""
    for pair in PAIRS:
        found = await recording.ticks(pair)
        assert found.sequence.tolist() == feed.sequences(pair)
        assert found.venue_time.tolist() == feed.times(pair)


async def test_what_is_stored_and_what_is_not_yet_are_answered_as_one(log: QuoteLog, tmp_path: Path) -> None:
    """Before, between and after writes every quote is there once, with all of its columns."""
    feed, recording = Feed(log), Recording(log, tmp_path / "ticks")
    for _ in range(4):
        await feed.write(entries=30)
        await complete(recording, feed)
        await recording.record()
        await complete(recording, feed)
    assert recording.recorder.commits == 4
    found, quotes = await recording.ticks("EUR/USD"), feed.written["EUR/USD"]
    assert found.bid.tolist() == [q.bid for q in quotes]
    assert found.ask_quantity.tolist() == [q.ask_quantity for q in quotes]
    assert found.receive_time.tolist() == [q.receive_time.ToNanoseconds() for q in quotes]
    assert found.flags.tolist() == [int(Flag.LOCKED) if q.bid == q.ask else 0 for q in quotes]


async def test_it_writes_when_it_is_time_or_when_there_is_much(log: QuoteLog, tmp_path: Path) -> None:
    """Within the interval quotes are held, unless they are many; a stop stores what there is."""
    feed = Feed(log)
    recording = Recording(log, tmp_path / "ticks", history_interval_s=10, history_rows_max=100)
    await recording.record(1)
    await feed.write(entries=10)
    await recording.record(1)
    assert recording.recorder.commits == 0
    assert recording.recorder.held is not None
    assert recording.recorder.held.rows == 50
    await feed.write(entries=10)
    await recording.record(1)
    assert recording.recorder.commits == 1
    await feed.write(entries=1)
    await recording.record(1)
    assert recording.recorder.commits == 1
    await recording.recorder.attempt(flush=True)
    assert sum(len(recording.stored(pair)) for pair in PAIRS) == 105


async def test_two_recorders_store_every_quote_once(log: QuoteLog, tmp_path: Path) -> None:
    """One is fenced by the other's commit, looks on, and goes on after it once the position stands still."""
    feed = Feed(log)
    first, second = (Recording(log, tmp_path / "ticks", history_interval_s=10) for _ in range(2))
    for each in (first, second):
        await each.record(0)
    await feed.write(entries=20)
    await second.record(5)
    await feed.write(entries=20)
    await first.record(11)
    await second.record(11)
    assert (first.recorder.commits, second.recorder.commits, second.recorder.overtaken) == (1, 0, 1)
    assert not second.recorder.recording
    for _ in range(3):
        await feed.write(entries=5)
        await first.record(11)
        await second.record(11)
    assert (first.recorder.commits, second.recorder.commits) == (4, 0)
    await feed.write(entries=5)
    await second.record(11)
    await second.record(21)
    assert second.recorder.recording
    await second.record(1)
    assert second.recorder.commits == 1
    await first.record(11)
    assert first.recorder.overtaken == 1
    await complete(first, feed)
    assert [first.stored(pair) for pair in PAIRS] == [feed.sequences(pair) for pair in PAIRS]


async def test_a_write_whose_answer_was_lost_is_not_repeated(
    log: QuoteLog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If nobody can say whether it was committed the position is looked at, and says that it was."""
    feed, recording = Feed(log), Recording(log, tmp_path / "ticks")
    append = TickStore.append_all

    def uncertain(*arguments: object, **named: object) -> None:
        append(*arguments, **named)
        raise errors.UncertainError("no answer")

    await feed.write(entries=10)
    with monkeypatch.context() as patch:
        patch.setattr(TickStore, "append_all", uncertain)
        await recording.record()
        assert recording.recorder.problem == "no answer"
    await feed.write(entries=10)
    await recording.record()
    assert (recording.recorder.problem, recording.recorder.commits) == ("", 1)
    await complete(recording, feed)


async def test_a_store_without_room_is_written_to_later(
    log: QuoteLog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is lost, and no more is held than is allowed to be."""
    feed, recording = Feed(log), Recording(log, tmp_path / "ticks", history_rows_max=100)

    def full(*_arguments: object, **_named: object) -> None:
        raise errors.StoreFullError("there is no room")

    with monkeypatch.context() as patch:
        patch.setattr(TickStore, "append_all", full)
        for _ in range(5):
            await feed.write(entries=300, quotes=1)
            await recording.record()
        assert recording.recorder.problem == "there is no room"
        assert recording.recorder.held is not None
        assert recording.recorder.held.rows <= 100 + 256
    for _ in range(10):
        await recording.record()
    assert recording.recorder.problem == ""
    await complete(recording, feed)


async def test_what_the_log_forgot_is_counted_and_marked(mesh: Servers, log: QuoteLog, tmp_path: Path) -> None:
    """The number of lost quotes is exact, and the quote behind each gap carries a flag."""
    feed, recording = Feed(log), Recording(log, tmp_path / "ticks")
    await feed.write(entries=20)
    await recording.record()
    stored = 100
    await feed.write(entries=50, quotes=500)
    kept = (await log.ends()).first
    lost = (kept - 21) * 500
    assert lost > 0
    again = Recording(log, tmp_path / "ticks")
    for each in (await again.ticks("EUR/USD"), None):
        if each is None:
            await again.record()
        found = await again.ticks("EUR/USD") if each is None else each
        numbers, flags = found.sequence.tolist(), found.flags.tolist()
        jumps = [place for place in range(1, len(numbers)) if numbers[place] != numbers[place - 1] + 1]
        assert len(jumps) == 1
        assert [place for place, flag in enumerate(flags) if flag & Flag.AFTER_GAP] == jumps
    assert again.recorder.held is not None
    assert again.recorder.held.feeds["simulated"].missing == lost
    assert sum(len(again.stored(pair)) for pair in PAIRS) == stored + 25_000 - lost


async def test_a_log_that_begins_anew_is_recorded_from_its_beginning(
    mesh: Servers, log: QuoteLog, tmp_path: Path
) -> None:
    """Its numbers are lower than the position of the log before; what came before stays, nothing comes twice."""
    feed, recording = Feed(log), Recording(log, tmp_path / "ticks")
    await feed.write(entries=30)
    await recording.record()
    mesh.kill("nats")
    shutil.rmtree(mesh.place.state / "nats" / "store")
    await mesh.start_nats()
    await mesh.nats.provision(mesh.topology)

    async def empty() -> bool:
        with contextlib.suppress(LogUnavailable):
            return (await log.ends()).last == 0
        return False

    await eventually(empty)
    feed.number, following = 0, feed.term._following
    feed.term = Term(feed.name, 2, following)
    for _ in range(2):
        await feed.write(entries=10)
        await complete(recording, feed)
        await recording.record()
        await complete(recording, feed)
    assert [recording.stored(pair) for pair in PAIRS] == [feed.sequences(pair) for pair in PAIRS]


async def test_nats_may_be_away(mesh: Servers, log: QuoteLog, tmp_path: Path) -> None:
    """The recorder says so, and goes on where it was."""
    feed, recording = Feed(log), Recording(log, tmp_path / "ticks")
    await feed.write(entries=10)
    mesh.kill("nats")
    await recording.record()
    assert recording.recorder.problem
    await mesh.start_nats()

    async def goes_on() -> bool:
        await recording.record()
        return not recording.recorder.problem

    await eventually(goes_on)
    await complete(recording, feed)
