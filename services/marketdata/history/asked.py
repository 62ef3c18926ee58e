"""What requests say, checked where the contract cannot."""

from __future__ import annotations

from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from crossrate.rpc import errors
from crossrate.ticks.periods import Period, zone_of
from services.marketdata.history import queries, tokens
from services.marketdata.history.messages import ns, sides_of
from services.marketdata.history.queries import BarRule

YEARS = (-2_208_988_800, 7_258_118_400)
"""From 1900 to before 2200, seconds since 1970: times outside of it are no times of quotes."""


def rule_of(request: Any, until: int) -> BarRule:
    """Which bars a request asks for."""
    if request.session_zone:
        try:
            zone_of(request.session_zone)
        except ValueError as error:
            raise errors.invalid(errors.Violation("session_zone", str(error), "session_zone.known")) from error
    try:
        session = queries.session_of(request.session_zone, request.session_opens_minute)
    except ValueError as error:
        raise errors.invalid(errors.Violation("session_opens_minute", str(error), "session")) from error
    return BarRule(Period(request.period), session, sides_of(request.sides), until)


def decoded(field: str, text: str, question: bytes) -> bytes | None:
    """The place that a token or cursor of a request names; None without."""
    if not text:
        return None
    try:
        return tokens.decode(text, question)
    except ValueError as error:
        raise errors.invalid(errors.Violation(field, str(error), f"{field}.unknown")) from error


def moment(field: str, time: Timestamp) -> int:
    """A time in ns since 1970 UTC, refused if no quote can have it."""
    if not YEARS[0] <= time.seconds < YEARS[1]:
        raise errors.invalid(errors.Violation(field, "it is not within 1900 and 2200", "history.time"))
    return ns(time)
