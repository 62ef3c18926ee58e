"""Events against a real NATS: published once, read in order, applied once or set aside, healed by restarts."""

from __future__ import annotations

import asyncio
import contextlib
import itertools

import pytest
import structlog

from crossrate.events import (
    Consumer,
    Events,
    EventsUnavailable,
    Message,
    StartPosition,
    Unprocessable,
    WrongLastSequence,
)
from crossrate.events.consumer import ask_redrive, dead_letters
from tests.integration.conftest import eventually

pytestmark = pytest.mark.integration


@contextlib.asynccontextmanager
async def opened(servers, *services):
    """Connections of some services, closed at the end."""
    made = [await Events.open(servers.runtime(service)) for service in services]
    try:
        yield made
    finally:
        for events in made:
            await events.close()


@contextlib.asynccontextmanager
async def running(consumer):
    """A consumer that runs during the block."""
    stopping = asyncio.Event()
    task = asyncio.create_task(consumer.run(stopping))
    try:
        yield consumer
    finally:
        stopping.set()
        await asyncio.wait_for(task, 60)


def fact(number: int) -> Message:
    """A message of alpha's."""
    return Message.of("crossrate.alpha.v1.changed.EURUSD", b"%d" % number, f"alpha:test:{number}", request_id="r")


async def test_the_same_message_twice_is_one_message(nats_server):
    """A repetition under the same id succeeds and says that the message was there."""
    async with opened(nats_server, "alpha") as (alpha,):
        first = await alpha.publish(fact(1))
        again = await alpha.publish(fact(1))
        assert (first.sequence, first.duplicate) == (1, False)
        assert (again.sequence, again.duplicate) == (1, True)
        assert (await alpha.stream_ends("alpha")).last == 1


async def test_a_stream_is_read_in_order_from_any_position(nats_server):
    """Replay gives every message behind a position with its headers, across pages."""
    async with opened(nats_server, "alpha", "beta", "gamma") as (alpha, beta, gamma):
        for number in range(1, 301):
            done, problem = await alpha.publish_in_order([fact(number)], number - 1)
            assert len(done) == 1
            assert problem is None
        events = [event async for event in beta.replay("alpha", 17)]
        assert [event.sequence for event in events] == list(range(18, 301))
        assert (events[0].payload, events[0].id, events[0].request_id) == (b"18", "alpha:test:18", "r")
        assert [e.payload async for e in beta.replay("alpha", 297, until_sequence=298)] == [b"298"]
        with pytest.raises(EventsUnavailable):
            await gamma.read("alpha", 0, timeout_s=0.5)


async def test_a_publisher_that_is_behind_is_refused(nats_server):
    """Publishing behind a number that is not the last one changes nothing."""
    async with opened(nats_server, "alpha") as (alpha,):
        await alpha.publish_in_order([fact(1), fact(2)], 0)
        done, problem = await alpha.publish_in_order([fact(3), fact(4)], 1)
        assert done == []
        assert isinstance(problem, WrongLastSequence)
        assert (await alpha.stream_ends("alpha")).last == 2


async def test_a_consumer_in_memory_applies_everything_in_order_through_restarts(nats_server):
    """NATS is killed twice while messages come; each is applied once, in order."""
    async with opened(nats_server, "alpha", "beta") as (alpha, beta):
        seen = []

        async def handler(event, _):
            seen.append(int(event.payload))

        async with running(Consumer(beta, "alpha", "beta", handler, StartPosition())):
            for number in range(1, 61):
                await alpha.publish(fact(number), timeout_s=30)
                if number in (20, 40):
                    nats_server.kill("nats")
                    await nats_server.start_nats()
            await eventually(lambda: len(seen) == 60)
        assert seen == list(range(1, 61))


async def test_a_consumer_can_begin_at_the_end(nats_server):
    """It applies what comes after its start, all of it, and nothing that was there before."""
    async with opened(nats_server, "alpha", "beta") as (alpha, beta):
        await alpha.publish_in_order([fact(number) for number in range(1, 11)], 0)
        seen = []

        async def handler(event, _):
            seen.append(int(event.payload))

        async with running(consumer := Consumer(beta, "alpha", "beta", handler, StartPosition("end"))):
            await eventually(lambda: consumer.sequence == 10)
            await alpha.publish_in_order([fact(number) for number in range(11, 21)], 10)
            await eventually(lambda: len(seen) == 10)
        assert seen == list(range(11, 21))


async def test_what_cannot_be_applied_is_set_aside_and_can_be_delivered_again(nats_server):
    """A poisonous event does not stop those behind it; its letter has reason and content; a redrive applies it once."""
    async with opened(nats_server, "alpha", "beta", "control") as (alpha, beta, control):
        seen, healed, attempts = [], [], []

        async def handler(event, _):
            if event.payload == b"2":
                attempts.append(event.sequence)
                if not healed:
                    raise ValueError("two is odd")
            if event.payload == b"3" and not healed:
                raise Unprocessable("never")
            seen.append(event.payload)

        consumer = Consumer(beta, "alpha", "view", handler, StartPosition(), attempts_max=3, backoff_s_min=0.01)
        async with running(consumer):
            await alpha.publish_in_order([fact(number) for number in range(1, 5)], 0)
            await eventually(lambda: seen == [b"1", b"4"])
            assert len(attempts) == 3
            letters = await dead_letters(control, "beta")
            assert [letter.headers["Crossrate-Dead-Reason"] for letter in letters] == [
                "ValueError: two is odd",
                "Unprocessable: never",
            ]
            assert letters[0].payload == b"2"
            assert letters[0].headers["Crossrate-Dead-Subject"] == "crossrate.alpha.v1.changed.EURUSD"
            assert (await ask_redrive(control, letters[0])).startswith("failed: ValueError")
            healed.append(True)
            assert await ask_redrive(control, letters[0]) == "applied"
            assert await ask_redrive(control, letters[0]) == "nothing to do"
            assert seen == [b"1", b"4", b"2"]
            assert [letter.payload for letter in await dead_letters(control)] == [b"3"]
            with pytest.raises(EventsUnavailable):
                await beta.read("dead_letters", 0, timeout_s=0.5)


async def test_while_nats_is_away_publishing_says_so_and_core_messages_are_dropped(nats_server):
    """Nothing waits for ever, and the connection heals by itself."""
    async with opened(nats_server, "alpha") as (alpha,):
        await alpha.check()
        nats_server.kill("nats")
        with pytest.raises(EventsUnavailable):
            await alpha.publish(fact(1), timeout_s=0.5)
        with pytest.raises(EventsUnavailable):
            await alpha.check()
        await alpha.publish_core("crossrate.alpha.v1.tick", b"x")
        await nats_server.start_nats()

        async def heals():
            with contextlib.suppress(EventsUnavailable):
                await alpha.check()
                return True
            return False

        await eventually(heals)
        assert (await alpha.publish(fact(1))).sequence == 1


async def test_that_nats_is_away_is_logged_once_however_often_it_is_tried(nats_server):
    """Attempts that fail alike are one line; the one that succeeds says how many there were."""
    async with opened(nats_server, "alpha") as (alpha,):
        with structlog.testing.capture_logs() as logged:
            nats_server.kill("nats")
            await eventually(lambda: alpha.failed_attempts >= 8)
            await nats_server.start_nats()
            await eventually(lambda: any(each["event"] == "events_reconnected" for each in logged))
    why = [each["error"] for each in logged if each["event"] == "events_error"]
    assert why
    assert all(one != other for one, other in itertools.pairwise(why))
    (back,) = (each for each in logged if each["event"] == "events_reconnected")
    assert back["failed_attempts"] >= 8


async def test_core_messages_reach_who_listens(nats_server):
    """A subscription gets what is sent while it stands."""
    async with opened(nats_server, "alpha", "beta") as (alpha, beta):
        got = asyncio.Queue()
        await beta.subscribe_core("crossrate.alpha.v1.>", got.put)
        # The client writes its ping past what it still has to send: the subscription stands behind a second one.
        await beta.check()
        await beta.check()
        await alpha.publish_core("crossrate.alpha.v1.tick", b"x")
        assert (await asyncio.wait_for(got.get(), 60)).data == b"x"
