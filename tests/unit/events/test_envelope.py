"""An event carries what it is and where it came from in its headers."""

from __future__ import annotations

import datetime

from google.protobuf.timestamp_pb2 import Timestamp

from crossrate.events import Event, Message, message_id


def test_what_is_put_in_comes_out():
    """Type, origin, time, request and trace survive; what was not said is not sent."""
    sent = Message.of(
        "crossrate.alpha.v1.changed.EURUSD",
        Timestamp(seconds=5),
        message_id("alpha", "main", 7),
        origin=("main", 7),
        time_ns=1_700_000_000_123_456_789,
        request_id="r",
    )
    assert "traceparent" not in sent.headers
    now = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    got = Event("alpha", 9, sent.subject, sent.payload, now, {**sent.headers, "Nats-Msg-Id": sent.id})
    assert (got.id, got.type) == ("alpha:main:7", "google.protobuf.Timestamp")
    assert (got.origin_stream, got.origin_sequence, got.time_ns) == ("main", 7, 1_700_000_000_123_456_789)
    assert (got.request_id, got.traceparent) == ("r", "")
    assert got.parse(Timestamp) == Timestamp(seconds=5)


def test_an_event_from_no_journal_says_so():
    """Missing headers read as empty, not as errors."""
    now = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    event = Event("alpha", 1, "s", b"", now, {})
    assert (event.id, event.origin_stream, event.origin_sequence, event.time_ns) == ("", "", 0, 0)
