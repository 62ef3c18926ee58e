"""Limits as values and back."""

from __future__ import annotations

from collections.abc import Iterable

from crossrate.api.risk.v1 import limit_pb2
from crossrate.basics.currency import CURRENCIES
from services.risk.domain.pretrade.amounts import quantity_of, text_of
from services.risk.domain.pretrade.limits import Check, Limit, checked


def limit_of(message: limit_pb2.Limit, field: str) -> Limit:
    """A limit.

    Raises:
        Refused: it makes no sense; names the field below `field`.
    """
    limit = Limit(
        scope=message.scope,
        kind=Check(message.kind),
        value=quantity_of(message.value),
        unit=message.unit,
        instrument=message.instrument,
        window_ns=message.window.ToNanoseconds() if message.HasField("window") else 0,
        floor=quantity_of(message.floor),
        use=message.use,
    )
    return checked(limit, field, has_value=bool(message.value), currencies=CURRENCIES)


def limit_message(limit: Limit) -> limit_pb2.Limit:
    """A limit as a message."""
    bare = limit.kind in (Check.INSTRUMENT, Check.SELF_TRADE)
    message = limit_pb2.Limit(
        scope=limit.scope,
        kind=int(limit.kind),
        instrument=limit.instrument,
        value="" if bare else text_of(limit.value),
        unit=limit.unit,
        floor=text_of(limit.floor) if limit.floor else "",
    )
    if limit.window_ns:
        message.window.FromNanoseconds(limit.window_ns)
    if limit.use:
        message.use = limit.use
    return message


def limits_of(messages: Iterable[limit_pb2.Limit]) -> list[Limit]:
    """Limits that were kept, so they are right."""
    return [limit_of(message, f"limits[{place}]") for place, message in enumerate(messages)]
