"""W3C trace context in and out, and request ids."""

import time
import uuid

import pytest

from crossrate.rpc.call import Call, current, current_or_none, new_request_id
from crossrate.rpc.contract import find_method
from crossrate.rpc.tracing import parse_traceparent, place_in_trace

TRACE = "0af7651916cd43dd8448eb211c80319c"
SPAN = "b7ad6b7169203331"
GET_QUOTE = find_method("GetQuote")


@pytest.mark.parametrize(
    "header",
    [
        "",
        "00",
        f"00-{TRACE}-{SPAN}",
        f"00-{TRACE}-{SPAN}-01-more",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-01\n",
        f" 00-{TRACE}-{SPAN}-01",
    ],
)
def test_what_is_not_a_traceparent_begins_a_new_trace(header):
    """A header that breaks the grammar is ignored as a whole."""
    assert parse_traceparent(header) is None
    assert place_in_trace(header).trace_id not in ("0" * 32, TRACE)


@pytest.mark.parametrize(("flags", "sampled"), [("00", False), ("01", True), ("03", True), ("02", False)])
def test_a_trace_goes_on_under_a_span_of_its_own(flags, sampled):
    """The trace's id and its sampled flag are handed on; the span is new."""
    place = place_in_trace(f"00-{TRACE}-{SPAN}-{flags}")
    assert (place.trace_id, place.sampled) == (TRACE, sampled)
    assert place.span_id != SPAN
    assert place.header() == f"00-{TRACE}-{place.span_id}-{'01' if sampled else '00'}"


def test_a_later_version_may_say_more():
    """Versions that are not known yet are read as far as they are known."""
    parsed = parse_traceparent(f"01-{TRACE}-{SPAN}-01-what-comes-later")
    assert parsed is not None
    assert parsed.trace_id == TRACE


def test_request_ids_are_uuids_of_version_7_in_order_of_time():
    """A made request id is an RFC 9562 UUIDv7 whose milliseconds are now."""
    before = time.time()
    made = uuid.UUID(new_request_id())
    assert (made.version, made.variant) == (7, uuid.RFC_4122)
    assert before * 1e3 - 1000 < made.int >> 80 < time.time() * 1e3 + 1000


@pytest.mark.parametrize("header", [None, "", "x" * 129, "a\nb", "é"])
def test_a_request_id_that_cannot_be_printed_is_replaced(header):
    """What would spoil a log line or a header is not taken over; a new id stands for it, and stays."""
    call = Call(GET_QUOTE, header)
    assert uuid.UUID(call.request_id).version == 7
    assert call.request_id == call.request_id


def test_a_callers_request_id_is_kept():
    """The caller's id is the call's."""
    assert Call(GET_QUOTE, "order-17").request_id == "order-17"


def test_outside_of_a_call_there_is_none():
    """At start-up nothing is being handled, and asking for it says so."""
    assert current_or_none() is None
    with pytest.raises(LookupError):
        current()
