"""A tap never holds a call up and never fills memory."""

import pytest

from crossrate.api.marketdata.v1 import marketdata_service_pb2 as marketdata
from crossrate.api.trading.v1 import order_history_pb2 as trading
from crossrate.rpc.call import Call
from crossrate.rpc.contract import find_method
from crossrate.rpc.metrics import RpcCounts
from crossrate.rpc.redaction import Redaction
from crossrate.rpc.tap import (
    BODY_CHARS_MAX,
    HELD_MESSAGES_MAX,
    QUEUED_BYTES_MAX,
    QUEUED_MAX,
    REQUEST,
    RESPONSE,
    STATUS,
    Tap,
    Wanted,
)


@pytest.fixture
def counts() -> RpcCounts:
    return RpcCounts()


@pytest.fixture
def tap(counts) -> Tap:
    return Tap("marketdata-1", Redaction(b"key"), counts)


CALL = Call(find_method("GetQuote"), "r-1")


async def test_a_slow_reader_loses_messages_and_is_told_how_many(tap, counts):
    """What does not fit is counted, and the next message that does fit carries the count."""
    reader = tap.open(Wanted())
    for _ in range(QUEUED_MAX + 7):
        tap.message(CALL, REQUEST, b"")
    first = await reader.take()
    tap.message(CALL, REQUEST, b"")
    for _ in range(QUEUED_MAX - 1):
        await reader.take()
    last = await reader.take()
    assert (first.dropped, last.dropped, counts.tap_dropped) == (0, 7, 7)


async def test_large_messages_are_bounded_by_their_bytes(tap, counts):
    """A reader's queue holds no more than its bytes, however few messages they are."""
    tap.open(Wanted())
    for _ in range(3):
        tap.message(CALL, REQUEST, b"x" * (QUEUED_BYTES_MAX // 2))
    assert counts.tap_dropped == 1


async def test_a_reader_sees_its_own_method_only(tap):
    """A reader of one method gets nothing of another, and a closed reader keeps no call busy."""
    reader = tap.open(Wanted("/another/method"))
    tap.message(CALL, REQUEST, b"")
    everything = tap.open(Wanted())
    tap.message(CALL, REQUEST, marketdata.GetQuoteRequest(base="EUR").SerializeToString())
    shown = tap.show(await everything.take())
    assert (shown.body, shown.request_id, shown.instance) == ('{"base":"EUR"}', "r-1", "marketdata-1")
    tap.close(reader)
    tap.close(everything)
    assert tap.readers == ()


@pytest.mark.parametrize("name", ["Tap", "TapHeaders"])
async def test_a_tap_of_everything_does_not_show_what_taps_show(tap, name):
    """A message that a tap shows is shown by no tap: it would be shown again and again, each time within another. Who
    asks for a tap, and how it ends, is seen."""
    reader, call = tap.open(Wanted()), Call(find_method(f"ControlService/{name}"), "r-2")
    tap.message(call, REQUEST, b"")
    tap.message(call, RESPONSE, b"")
    tap.status(call, 0, "")
    tap.message(CALL, RESPONSE, b"")
    seen = [await reader.take() for _ in range(3)]
    ways = [(each.request_id, each.direction) for each in seen]
    assert ways == [("r-2", REQUEST), ("r-2", STATUS), ("r-1", RESPONSE)]


async def test_what_cannot_be_decoded_or_is_long_is_still_shown_in_part(tap):
    """Bytes that are no message are described, a long body is cut."""
    reader = tap.open(Wanted())
    tap.message(CALL, REQUEST, b"\xff\xff")
    tap.message(CALL, REQUEST, marketdata.GetQuoteRequest(base="E" * (2 * BODY_CHARS_MAX)).SerializeToString())
    assert tap.show(await reader.take()).body == "not a crossrate.api.marketdata.v1.GetQuoteRequest: 2 bytes"
    assert len(tap.show(await reader.take()).body) == BODY_CHARS_MAX + 1


def request(account: str = "spot-1") -> bytes:
    return trading.ListOrdersRequest(account=account).SerializeToString()


async def shown(reader) -> list[tuple[str, int]]:
    """What waits for a reader: request id and direction."""
    found = []
    while reader._waiting:
        passed = await reader.take()
        found.append((passed.request_id, passed.direction))
    return found


def goes(tap, request_id, content=b"", code=0, caller="edge", method="ListOrders") -> None:
    """A call passes with its request, answer and status."""
    call = Call(find_method(method), request_id)
    call.caller = caller
    tap.message(call, REQUEST, content)
    if not code:
        tap.message(call, RESPONSE, b"")
    tap.status(call, code, "")


async def test_a_reader_chooses_calls_by_account(tap):
    """Of calls that name another account, or none, nothing is seen, neither request nor answer nor end."""
    reader = tap.open(Wanted(account="spot-1"))
    goes(tap, "other", request("spot-2"))
    goes(tap, "mine", request())
    goes(tap, "none", marketdata.GetQuoteRequest(base="EUR").SerializeToString(), method="GetQuote")
    goes(tap, "broken", b"\xff\xff")
    assert await shown(reader) == [("mine", 1), ("mine", 2), ("mine", 3)]
    assert not reader._held


async def test_a_reader_chooses_calls_by_how_they_end(tap):
    """Messages of a call wait for its code, and are shown in their order if it is wanted."""
    reader = tap.open(Wanted(codes=frozenset({"NOT_FOUND"}), callers=frozenset({"edge"})))
    goes(tap, "good", request())
    goes(tap, "bad", request(), code=5)
    goes(tap, "of a service", request(), code=5, caller="risk")
    assert await shown(reader) == [("bad", 1), ("bad", 3)]


async def test_what_waits_for_the_end_of_a_call_is_bounded(tap, counts):
    """A stream that does not end fills no memory, and what was left out of it is counted."""
    reader = tap.open(Wanted(codes=frozenset({"OK"})))
    call = Call(find_method("StreamQuotes"), "r-9")
    for _ in range(HELD_MESSAGES_MAX + 3):
        tap.message(call, RESPONSE, b"x")
    tap.status(call, 0, "")
    assert len(await shown(reader)) == HELD_MESSAGES_MAX + 1
    assert counts.tap_dropped == 3


async def test_a_sample_is_the_same_at_every_instance(tap, counts):
    """Whether a call is in a sample follows from its request id, so that all hops of it are shown or none."""
    other = Tap("trading-1", Redaction(b"other"), counts)
    first, second = (t.open(Wanted(sample_percent=10)) for t in (tap, other))
    for n in range(400):
        goes(tap, f"r-{n}")
        goes(other, f"r-{n}")
    seen = await shown(first)
    assert seen == await shown(second)
    assert 0 < len(seen) < 3 * 100


async def test_without_bodies_there_are_sizes(tap):
    """A reader of headers gets size, code and who called, and nothing of what was said."""
    reader = tap.open(Wanted(headers_only=True))
    goes(tap, "r-1", request(), code=5)
    first, last = tap.show(await reader.take()), tap.show(await reader.take())
    assert (first.body, last.body, first.size_bytes, last.code) == ("", "", len(request()), "NOT_FOUND")
    assert first.principal == "edge"
