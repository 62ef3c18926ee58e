"""A tap never holds a call up and never fills memory."""

import pytest

from crossrate.api.marketdata.v1 import marketdata_service_pb2 as marketdata
from crossrate.rpc.call import Call
from crossrate.rpc.contract import find_method
from crossrate.rpc.metrics import RpcCounts
from crossrate.rpc.redaction import Redaction
from crossrate.rpc.tap import BODY_CHARS_MAX, QUEUED_BYTES_MAX, QUEUED_MAX, REQUEST, Tap


@pytest.fixture
def counts() -> RpcCounts:
    return RpcCounts()


@pytest.fixture
def tap(counts) -> Tap:
    return Tap("marketdata-1", Redaction(b"key"), counts)


CALL = Call(find_method("GetQuote"), "r-1")


async def test_a_slow_reader_loses_messages_and_is_told_how_many(tap, counts):
    """What does not fit is counted, and the next message that does fit carries the count."""
    reader = tap.open(None)
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
    tap.open(None)
    for _ in range(3):
        tap.message(CALL, REQUEST, b"x" * (QUEUED_BYTES_MAX // 2))
    assert counts.tap_dropped == 1


async def test_a_reader_sees_its_own_method_only(tap):
    """A reader of one method gets nothing of another, and a closed reader keeps no call busy."""
    reader = tap.open("/another/method")
    tap.message(CALL, REQUEST, b"")
    everything = tap.open(None)
    tap.message(CALL, REQUEST, marketdata.GetQuoteRequest(base="EUR").SerializeToString())
    shown = tap.show(await everything.take())
    assert (shown.body, shown.request_id, shown.instance) == ('{"base":"EUR"}', "r-1", "marketdata-1")
    tap.close(reader)
    tap.close(everything)
    assert tap.readers == ()


async def test_what_cannot_be_decoded_or_is_long_is_still_shown_in_part(tap):
    """Bytes that are no message are described, a long body is cut."""
    reader = tap.open(None)
    tap.message(CALL, REQUEST, b"\xff\xff")
    tap.message(CALL, REQUEST, marketdata.GetQuoteRequest(base="E" * (2 * BODY_CHARS_MAX)).SerializeToString())
    assert tap.show(await reader.take()).body == "not a crossrate.api.marketdata.v1.GetQuoteRequest: 2 bytes"
    assert len(tap.show(await reader.take()).body) == BODY_CHARS_MAX + 1
