"""Bodies of order requests as orders of the platform, and what is kept of them beside."""

from __future__ import annotations

import hashlib
import re
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from crossrate.api.trading.v1 import order_pb2 as pb
from services.broker.oanda import words
from services.broker.oanda.book import Json
from services.broker.oanda.faults import Refused, bad_value

COMMON = frozenset(["type", "clientExtensions", "timeInForce", "gtdTime", "triggerCondition"])
ENTRY = frozenset(
    [
        "instrument",
        "units",
        "positionFill",
        "takeProfitOnFill",
        "stopLossOnFill",
        "trailingStopLossOnFill",
        "tradeClientExtensions",
    ]
)
FIELDS: Mapping[str, frozenset[str]] = {
    "MARKET": COMMON - {"gtdTime", "triggerCondition"} | ENTRY | {"priceBound"},
    "LIMIT": COMMON | ENTRY | {"price"},
    "STOP": COMMON | ENTRY | {"price", "priceBound"},
    "MARKET_IF_TOUCHED": COMMON | ENTRY | {"price", "priceBound"},
    "TAKE_PROFIT": COMMON | {"tradeID", "clientTradeID", "price"},
    "STOP_LOSS": COMMON | {"tradeID", "clientTradeID", "price", "distance"},
    "TRAILING_STOP_LOSS": COMMON | {"tradeID", "clientTradeID", "distance"},
}
"""Which fields an order of a type has; others are refused rather than left out."""
TYPES = {
    "MARKET": pb.ORDER_TYPE_MARKET,
    "LIMIT": pb.ORDER_TYPE_LIMIT,
    "STOP": pb.ORDER_TYPE_STOP,
    "MARKET_IF_TOUCHED": pb.ORDER_TYPE_MARKET_IF_TOUCHED,
    "TAKE_PROFIT": pb.ORDER_TYPE_LIMIT,
    "STOP_LOSS": pb.ORDER_TYPE_STOP,
    "TRAILING_STOP_LOSS": pb.ORDER_TYPE_TRAILING_STOP,
}
DEPENDENT = ("TAKE_PROFIT", "STOP_LOSS", "TRAILING_STOP_LOSS")
POSITION_FILLS = ("DEFAULT", "REDUCE_FIRST", "REDUCE_ONLY", "OPEN_ONLY")
_DECIMAL = re.compile(r"^[0-9]{1,9}([.][0-9]{1,10})?$")
_UNITS = re.compile(r"^-?[0-9]{1,15}([.][0-9]{1,4})?$")
CLIENT_ID_MAX = 128
ROOT = "v20."


@dataclass(slots=True)
class Asked:
    """An order that a program asks for.

    Attributes:
        order: for trading; its account and client_order_id too.
        client_id: the client's id of it; None for none.
        content: what is kept beside, in the fields of the API.
    """

    order: pb.NewOrder
    client_id: str | None
    content: Json


def root_of(client_id: str | None) -> str:
    """The client_order_id of an order: one for each client's id for ever."""
    if client_id is None:
        return ROOT + uuid.uuid4().hex
    return ROOT + hashlib.sha256(client_id.encode()).hexdigest()[:40]


def mapping(value: Any, field: str) -> Json:
    """A JSON object.

    Raises:
        Fault: it is none.
    """
    if not isinstance(value, dict):
        raise bad_value(field, "a JSON object")
    return {key: each for key, each in value.items() if each is not None}


def extensions(value: Any, field: str = "clientExtensions") -> Json:
    """A client's own id, tag and comment.

    Raises:
        Fault: they are too long, or there is something else.
    """
    given = mapping(value, field)
    for key, each in given.items():
        if key not in ("id", "tag", "comment"):
            raise bad_value(f"{field}.{key}", "there is no such field; there are id, tag and comment")
        if not isinstance(each, str) or len(each) > CLIENT_ID_MAX or not each.isprintable():
            raise bad_value(f"{field}.{key}", f"at most {CLIENT_ID_MAX} printable characters")
    if given.get("id") == "":
        raise bad_value(f"{field}.id", "at least one character")
    return given


def decimal(value: Any, field: str) -> str:
    """A positive decimal as the platform takes it; a JSON number is taken as it is written.

    Raises:
        Fault: it is none.
    """
    text = str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else ""
    if not _DECIMAL.match(text):
        raise bad_value(field, "a decimal such as '1.0850', at most ten decimal places")
    return words.number(Decimal(text))


def units(value: Any, field: str = "units") -> Decimal:
    """Units with their sign.

    Raises:
        Fault: they are no decimal with at most four places, or zero.
    """
    text = str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else ""
    if not _UNITS.match(text):
        raise bad_value(field, "a decimal such as '-100000', at most four decimal places")
    found = Decimal(text)
    if not found:
        raise Refused("UNITS_INVALID", f"{field}: an order of no units")
    return found


def order_of(account: str, body: Any, trade: Json | None = None) -> Asked:
    """The order of a request's `order`.

    Args:
        trade: the open trade of an order that hangs on one.

    Raises:
        Fault: the body is not what the API takes.
        Refused: it is, but the order cannot be.
    """
    given = mapping(body, "order")
    kind = given.get("type")
    if kind not in FIELDS:
        raise bad_value("order.type", f"one of {', '.join(FIELDS)}")
    for key in given:
        if key not in FIELDS[kind]:
            raise bad_value(f"order.{key}", f"an order of type {kind} has no such field here")
    made = pb.NewOrder(account=account, order_type=TYPES[kind])
    content: Json = {"type": kind}
    if "clientExtensions" in given:
        content["clientExtensions"] = extensions(given["clientExtensions"])
    client_id = content.get("clientExtensions", {}).get("id")
    made.client_order_id = root_of(client_id)
    if kind in DEPENDENT:
        assert trade is not None
        _hanging(made, content, trade)
    else:
        _entering(made, content, given)
    _priced(made, given, kind)
    _timed(made, given, kind)
    _triggered(made, content, given, kind)
    return Asked(made, client_id, content)


def _entering(made: pb.NewOrder, content: Json, given: Json) -> None:
    instrument = words.instrument_of(str(given.get("instrument", "")))
    if instrument is None:
        raise bad_value("order.instrument", "an instrument such as 'EUR_USD'")
    made.instrument = instrument
    amount = units(given.get("units"), "order.units")
    made.side = pb.SIDE_BUY if amount > 0 else pb.SIDE_SELL
    made.quantity = words.number(abs(amount))
    fill = given.get("positionFill", "DEFAULT")
    if fill not in POSITION_FILLS:
        raise bad_value("order.positionFill", f"one of {', '.join(POSITION_FILLS)}")
    if fill == "OPEN_ONLY":
        raise Refused("POSITION_FILL_INVALID", "positionFill OPEN_ONLY: the account nets both sides; use DEFAULT")
    made.reduce_only = fill == "REDUCE_ONLY"
    content["positionFill"] = fill
    if "tradeClientExtensions" in given:
        content["tradeClientExtensions"] = extensions(given["tradeClientExtensions"], "tradeClientExtensions")
    for key, (allowed, target) in _ON_FILL.items():
        if key in given:
            content[key] = _protection(key, mapping(given[key], key), allowed)
            setattr(made.on_fill, target, content[key][allowed])
    if made.on_fill.stop_loss_price and made.on_fill.trailing_distance:
        raise Refused(
            "TRAILING_STOP_LOSS_ON_FILL_INVALID", "stopLossOnFill and trailingStopLossOnFill: give one of them"
        )


_ON_FILL = {
    "takeProfitOnFill": ("price", "take_profit_price"),
    "stopLossOnFill": ("price", "stop_loss_price"),
    "trailingStopLossOnFill": ("distance", "trailing_distance"),
}


def _protection(key: str, given: Json, allowed: str) -> Json:
    for field in given:
        if field not in (allowed, "timeInForce"):
            raise bad_value(f"{key}.{field}", f"give {allowed} and, if at all, timeInForce GTC")
    if given.get("timeInForce", "GTC") != "GTC":
        raise bad_value(f"{key}.timeInForce", "what protects a trade is GTC")
    if allowed not in given:
        raise bad_value(f"{key}.{allowed}", "is missing")
    return {allowed: decimal(given[allowed], f"{key}.{allowed}"), "timeInForce": "GTC"}


def _hanging(made: pb.NewOrder, content: Json, trade: Json) -> None:
    amount = Decimal(trade["currentUnits"])
    made.instrument = trade["instrument"].replace("_", "/")
    made.side = pb.SIDE_SELL if amount > 0 else pb.SIDE_BUY
    made.quantity, made.reduce_only = words.number(abs(amount)), True
    content["tradeID"] = trade["id"]


def _priced(made: pb.NewOrder, given: Json, kind: str) -> None:
    if kind == "TRAILING_STOP_LOSS":
        made.trailing_distance = decimal(given.get("distance"), "order.distance")
        return
    if "distance" in given:
        raise bad_value("order.distance", "give the price of a stop loss")
    if kind in ("LIMIT", "TAKE_PROFIT"):
        made.limit_price = decimal(given.get("price"), "order.price")
    elif kind != "MARKET":
        made.stop_price = decimal(given.get("price"), "order.price")
    if "priceBound" in given:
        made.price_bound = decimal(given["priceBound"], "order.priceBound")


def _timed(made: pb.NewOrder, given: Json, kind: str) -> None:
    force = given.get("timeInForce", "FOK" if kind == "MARKET" else "GTC")
    if kind == "MARKET":
        allowed: tuple[str, ...] = ("FOK", "IOC")
    elif kind == "LIMIT":
        allowed = ("GTC", "GTD", "GFD", "FOK", "IOC")
    else:
        allowed = ("GTC", "GTD", "GFD")
    if force not in allowed:
        raise bad_value("order.timeInForce", f"of an order of type {kind} one of {', '.join(allowed)}")
    made.time_in_force = words.FORCES[force]
    if force == "GTD":
        at_ns = words.time_ns_of(str(given.get("gtdTime", "")))
        if at_ns is None:
            raise bad_value("order.gtdTime", "a time such as '2026-01-31T17:00:00Z' or seconds since 1970")
        if at_ns <= time.time_ns():
            raise Refused("TIME_IN_FORCE_GTD_TIMESTAMP_IN_PAST", "gtdTime: it is over")
        made.expire_time.FromNanoseconds(at_ns)
    elif "gtdTime" in given:
        raise bad_value("order.gtdTime", "an order that is not GTD has none")


_SOURCES = {"BID": pb.TRIGGER_SOURCE_BID, "ASK": pb.TRIGGER_SOURCE_ASK, "MID": pb.TRIGGER_SOURCE_MID}


def _triggered(made: pb.NewOrder, content: Json, given: Json, kind: str) -> None:
    condition = given.get("triggerCondition", "DEFAULT")
    if condition not in ("DEFAULT", "INVERSE", *_SOURCES):
        raise bad_value("order.triggerCondition", "one of DEFAULT, INVERSE, BID, ASK, MID")
    if condition == "DEFAULT":
        return
    if kind in ("LIMIT", "TAKE_PROFIT"):
        raise Refused("TRIGGER_CONDITION_INVALID", "triggerCondition: limit orders deal at the side that they deal at")
    if condition == "INVERSE":
        made.trigger_source = pb.TRIGGER_SOURCE_BID if made.side == pb.SIDE_BUY else pb.TRIGGER_SOURCE_ASK
    else:
        made.trigger_source = _SOURCES[condition]
    content["triggerCondition"] = condition


def closing(account: str, instrument: str, amount: Decimal, content: Json) -> Asked:
    """A market order that takes a position towards zero. It is not `reduce_only`: what protects the position has its
    whole size already, and would leave such an order nothing.

    Args:
        amount: units of the order, with their sign.
    """
    made = pb.NewOrder(
        client_order_id=root_of(None),
        account=account,
        instrument=instrument,
        side=pb.SIDE_BUY if amount > 0 else pb.SIDE_SELL,
        quantity=words.number(abs(amount)),
        order_type=pb.ORDER_TYPE_MARKET,
        time_in_force=pb.TIME_IN_FORCE_FOK,
    )
    return Asked(made, None, {"type": "MARKET", "positionFill": "REDUCE_ONLY", **content})


def part(value: Any, field: str, most: Decimal) -> Decimal | None:
    """How much of something is to be closed: "ALL", "NONE" (None), or so many units.

    Raises:
        Fault: it is none of them.
        Refused: it is more than there is.
    """
    if value in (None, "ALL"):
        return most
    if value == "NONE":
        return None
    try:
        wanted = units(value, field)
    except InvalidOperation:
        raise bad_value(field, "ALL, NONE, or a decimal") from None
    if wanted < 0:
        raise bad_value(field, "units to close are positive")
    if wanted > most:
        raise Refused("CLOSE_TRADE_UNITS_EXCEED_TRADE_SIZE", f"{field}: {wanted} of {most}")
    return wanted
