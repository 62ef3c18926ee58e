"""Facts as they travel: published with a message id, read by position, applied once, set aside with a reason."""

from crossrate.events.consumer import Consumer, Handler, Position, StartPosition, Unprocessable
from crossrate.events.envelope import Event, Message, message_id
from crossrate.events.errors import EventsError, EventsUnavailable, Refused, WrongLastSequence
from crossrate.events.events import Events
from crossrate.events.keyvalue import KeyValue, KeyValueEntry, WrongRevision
from crossrate.events.latest import subscribe_latest

__all__ = [
    "Consumer",
    "Event",
    "Events",
    "EventsError",
    "EventsUnavailable",
    "Handler",
    "KeyValue",
    "KeyValueEntry",
    "Message",
    "Position",
    "Refused",
    "StartPosition",
    "Unprocessable",
    "WrongLastSequence",
    "WrongRevision",
    "message_id",
    "subscribe_latest",
]
