"""What can go wrong between a service and NATS, as types that a caller can act on."""

from __future__ import annotations


class EventsError(Exception):
    """Anything below."""


class EventsUnavailable(EventsError, ConnectionError):
    """NATS did not answer in time. What was sent may or may not have arrived; sending it again under its id is safe."""


class Refused(EventsError):
    """JetStream said no, and will again: the message has its words."""

    def __init__(self, subject: str, code: int | None, description: str | None) -> None:
        super().__init__(f"{subject}: {description} ({code})")
        self.code = code


class WrongLastSequence(Refused):
    """The stream does not end where the publisher thought."""
