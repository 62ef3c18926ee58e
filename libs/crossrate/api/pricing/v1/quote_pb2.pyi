import datetime

from crossrate.api.marketdata.v1 import quote_pb2 as _quote_pb2
from crossrate.api.policy.v1 import policy_pb2 as _policy_pb2
from crossrate.api.pricing.v1 import product_pb2 as _product_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.type import date_pb2 as _date_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class QuoteSide(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    QUOTE_SIDE_UNSPECIFIED: _ClassVar[QuoteSide]
    QUOTE_SIDE_TWO_WAY: _ClassVar[QuoteSide]
    QUOTE_SIDE_BUY: _ClassVar[QuoteSide]
    QUOTE_SIDE_SELL: _ClassVar[QuoteSide]

class QuoteState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    QUOTE_STATE_UNSPECIFIED: _ClassVar[QuoteState]
    QUOTE_STATE_ACTIVE: _ClassVar[QuoteState]
    QUOTE_STATE_EXPIRED: _ClassVar[QuoteState]
    QUOTE_STATE_CANCELLED: _ClassVar[QuoteState]
    QUOTE_STATE_EXECUTED: _ClassVar[QuoteState]
QUOTE_SIDE_UNSPECIFIED: QuoteSide
QUOTE_SIDE_TWO_WAY: QuoteSide
QUOTE_SIDE_BUY: QuoteSide
QUOTE_SIDE_SELL: QuoteSide
QUOTE_STATE_UNSPECIFIED: QuoteState
QUOTE_STATE_ACTIVE: QuoteState
QUOTE_STATE_EXPIRED: QuoteState
QUOTE_STATE_CANCELLED: QuoteState
QUOTE_STATE_EXECUTED: QuoteState

class QuotedSide(_message.Message):
    __slots__ = ("px", "spot_rate", "forward_points", "counter_amount")
    PX_FIELD_NUMBER: _ClassVar[int]
    SPOT_RATE_FIELD_NUMBER: _ClassVar[int]
    FORWARD_POINTS_FIELD_NUMBER: _ClassVar[int]
    COUNTER_AMOUNT_FIELD_NUMBER: _ClassVar[int]
    px: str
    spot_rate: str
    forward_points: str
    counter_amount: str
    def __init__(self, px: _Optional[str] = ..., spot_rate: _Optional[str] = ..., forward_points: _Optional[str] = ..., counter_amount: _Optional[str] = ...) -> None: ...

class QuotedLeg(_message.Message):
    __slots__ = ("name", "amount", "value_date", "expiry_date", "bid_px", "offer_px", "bid_counter_amount", "offer_counter_amount")
    NAME_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    VALUE_DATE_FIELD_NUMBER: _ClassVar[int]
    EXPIRY_DATE_FIELD_NUMBER: _ClassVar[int]
    BID_PX_FIELD_NUMBER: _ClassVar[int]
    OFFER_PX_FIELD_NUMBER: _ClassVar[int]
    BID_COUNTER_AMOUNT_FIELD_NUMBER: _ClassVar[int]
    OFFER_COUNTER_AMOUNT_FIELD_NUMBER: _ClassVar[int]
    name: str
    amount: str
    value_date: _date_pb2.Date
    expiry_date: _date_pb2.Date
    bid_px: str
    offer_px: str
    bid_counter_amount: str
    offer_counter_amount: str
    def __init__(self, name: _Optional[str] = ..., amount: _Optional[str] = ..., value_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., expiry_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., bid_px: _Optional[str] = ..., offer_px: _Optional[str] = ..., bid_counter_amount: _Optional[str] = ..., offer_counter_amount: _Optional[str] = ...) -> None: ...

class SpreadStep(_message.Message):
    __slots__ = ("part", "step", "width", "explanation")
    PART_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    WIDTH_FIELD_NUMBER: _ClassVar[int]
    EXPLANATION_FIELD_NUMBER: _ClassVar[int]
    part: str
    step: str
    width: str
    explanation: str
    def __init__(self, part: _Optional[str] = ..., step: _Optional[str] = ..., width: _Optional[str] = ..., explanation: _Optional[str] = ...) -> None: ...

class SpreadExplanation(_message.Message):
    __slots__ = ("rule", "tier_amount_max", "config_version", "tenor_days", "steps")
    RULE_FIELD_NUMBER: _ClassVar[int]
    TIER_AMOUNT_MAX_FIELD_NUMBER: _ClassVar[int]
    CONFIG_VERSION_FIELD_NUMBER: _ClassVar[int]
    TENOR_DAYS_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    rule: str
    tier_amount_max: str
    config_version: int
    tenor_days: int
    steps: _containers.RepeatedCompositeFieldContainer[SpreadStep]
    def __init__(self, rule: _Optional[str] = ..., tier_amount_max: _Optional[str] = ..., config_version: _Optional[int] = ..., tenor_days: _Optional[int] = ..., steps: _Optional[_Iterable[_Union[SpreadStep, _Mapping]]] = ...) -> None: ...

class ExecutableQuote(_message.Message):
    __slots__ = ("quote_id", "request_id", "state", "product", "side", "amount", "client_class", "bid", "offer", "mid_px", "legs", "trade_date", "spot_date", "premium_date", "create_time", "valid_until_time", "snapshot_id", "market_bid", "market_ask", "market_health", "reduce_only", "explanation", "executed_side", "end_time", "end_comment", "requested_by")
    QUOTE_ID_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    PRODUCT_FIELD_NUMBER: _ClassVar[int]
    SIDE_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    CLIENT_CLASS_FIELD_NUMBER: _ClassVar[int]
    BID_FIELD_NUMBER: _ClassVar[int]
    OFFER_FIELD_NUMBER: _ClassVar[int]
    MID_PX_FIELD_NUMBER: _ClassVar[int]
    LEGS_FIELD_NUMBER: _ClassVar[int]
    TRADE_DATE_FIELD_NUMBER: _ClassVar[int]
    SPOT_DATE_FIELD_NUMBER: _ClassVar[int]
    PREMIUM_DATE_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    VALID_UNTIL_TIME_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_ID_FIELD_NUMBER: _ClassVar[int]
    MARKET_BID_FIELD_NUMBER: _ClassVar[int]
    MARKET_ASK_FIELD_NUMBER: _ClassVar[int]
    MARKET_HEALTH_FIELD_NUMBER: _ClassVar[int]
    REDUCE_ONLY_FIELD_NUMBER: _ClassVar[int]
    EXPLANATION_FIELD_NUMBER: _ClassVar[int]
    EXECUTED_SIDE_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    END_COMMENT_FIELD_NUMBER: _ClassVar[int]
    REQUESTED_BY_FIELD_NUMBER: _ClassVar[int]
    quote_id: str
    request_id: str
    state: QuoteState
    product: _product_pb2.Product
    side: QuoteSide
    amount: str
    client_class: str
    bid: QuotedSide
    offer: QuotedSide
    mid_px: float
    legs: _containers.RepeatedCompositeFieldContainer[QuotedLeg]
    trade_date: _date_pb2.Date
    spot_date: _date_pb2.Date
    premium_date: _date_pb2.Date
    create_time: _timestamp_pb2.Timestamp
    valid_until_time: _timestamp_pb2.Timestamp
    snapshot_id: str
    market_bid: float
    market_ask: float
    market_health: _quote_pb2.QuoteHealth
    reduce_only: bool
    explanation: SpreadExplanation
    executed_side: QuoteSide
    end_time: _timestamp_pb2.Timestamp
    end_comment: str
    requested_by: str
    def __init__(self, quote_id: _Optional[str] = ..., request_id: _Optional[str] = ..., state: _Optional[_Union[QuoteState, str]] = ..., product: _Optional[_Union[_product_pb2.Product, _Mapping]] = ..., side: _Optional[_Union[QuoteSide, str]] = ..., amount: _Optional[str] = ..., client_class: _Optional[str] = ..., bid: _Optional[_Union[QuotedSide, _Mapping]] = ..., offer: _Optional[_Union[QuotedSide, _Mapping]] = ..., mid_px: _Optional[float] = ..., legs: _Optional[_Iterable[_Union[QuotedLeg, _Mapping]]] = ..., trade_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., spot_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., premium_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., valid_until_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., snapshot_id: _Optional[str] = ..., market_bid: _Optional[float] = ..., market_ask: _Optional[float] = ..., market_health: _Optional[_Union[_quote_pb2.QuoteHealth, str]] = ..., reduce_only: _Optional[bool] = ..., explanation: _Optional[_Union[SpreadExplanation, _Mapping]] = ..., executed_side: _Optional[_Union[QuoteSide, str]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_comment: _Optional[str] = ..., requested_by: _Optional[str] = ...) -> None: ...
