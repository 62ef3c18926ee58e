import datetime

from buf.validate import validate_pb2 as _validate_pb2
from crossrate.api.policy.v1 import policy_pb2 as _policy_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.type import date_pb2 as _date_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Side(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SIDE_UNSPECIFIED: _ClassVar[Side]
    SIDE_BUY: _ClassVar[Side]
    SIDE_SELL: _ClassVar[Side]

class OrderType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ORDER_TYPE_UNSPECIFIED: _ClassVar[OrderType]
    ORDER_TYPE_MARKET: _ClassVar[OrderType]
    ORDER_TYPE_LIMIT: _ClassVar[OrderType]
    ORDER_TYPE_STOP: _ClassVar[OrderType]
    ORDER_TYPE_STOP_LIMIT: _ClassVar[OrderType]
    ORDER_TYPE_TRAILING_STOP: _ClassVar[OrderType]
    ORDER_TYPE_MARKET_IF_TOUCHED: _ClassVar[OrderType]
    ORDER_TYPE_PREVIOUSLY_QUOTED: _ClassVar[OrderType]

class TimeInForce(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TIME_IN_FORCE_UNSPECIFIED: _ClassVar[TimeInForce]
    TIME_IN_FORCE_GTC: _ClassVar[TimeInForce]
    TIME_IN_FORCE_DAY: _ClassVar[TimeInForce]
    TIME_IN_FORCE_GTD: _ClassVar[TimeInForce]
    TIME_IN_FORCE_IOC: _ClassVar[TimeInForce]
    TIME_IN_FORCE_FOK: _ClassVar[TimeInForce]

class TriggerSource(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TRIGGER_SOURCE_UNSPECIFIED: _ClassVar[TriggerSource]
    TRIGGER_SOURCE_DEALING_SIDE: _ClassVar[TriggerSource]
    TRIGGER_SOURCE_BID: _ClassVar[TriggerSource]
    TRIGGER_SOURCE_ASK: _ClassVar[TriggerSource]
    TRIGGER_SOURCE_MID: _ClassVar[TriggerSource]

class ContingencyType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CONTINGENCY_TYPE_UNSPECIFIED: _ClassVar[ContingencyType]
    CONTINGENCY_TYPE_OCO: _ClassVar[ContingencyType]
    CONTINGENCY_TYPE_OTO: _ClassVar[ContingencyType]

class OrderStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ORDER_STATUS_UNSPECIFIED: _ClassVar[OrderStatus]
    ORDER_STATUS_PENDING_NEW: _ClassVar[OrderStatus]
    ORDER_STATUS_NEW: _ClassVar[OrderStatus]
    ORDER_STATUS_PARTIALLY_FILLED: _ClassVar[OrderStatus]
    ORDER_STATUS_FILLED: _ClassVar[OrderStatus]
    ORDER_STATUS_PENDING_CANCEL: _ClassVar[OrderStatus]
    ORDER_STATUS_CANCELLED: _ClassVar[OrderStatus]
    ORDER_STATUS_PENDING_REPLACE: _ClassVar[OrderStatus]
    ORDER_STATUS_REJECTED: _ClassVar[OrderStatus]
    ORDER_STATUS_EXPIRED: _ClassVar[OrderStatus]
    ORDER_STATUS_SUSPENDED: _ClassVar[OrderStatus]
    ORDER_STATUS_PENDING_UNKNOWN: _ClassVar[OrderStatus]
SIDE_UNSPECIFIED: Side
SIDE_BUY: Side
SIDE_SELL: Side
ORDER_TYPE_UNSPECIFIED: OrderType
ORDER_TYPE_MARKET: OrderType
ORDER_TYPE_LIMIT: OrderType
ORDER_TYPE_STOP: OrderType
ORDER_TYPE_STOP_LIMIT: OrderType
ORDER_TYPE_TRAILING_STOP: OrderType
ORDER_TYPE_MARKET_IF_TOUCHED: OrderType
ORDER_TYPE_PREVIOUSLY_QUOTED: OrderType
TIME_IN_FORCE_UNSPECIFIED: TimeInForce
TIME_IN_FORCE_GTC: TimeInForce
TIME_IN_FORCE_DAY: TimeInForce
TIME_IN_FORCE_GTD: TimeInForce
TIME_IN_FORCE_IOC: TimeInForce
TIME_IN_FORCE_FOK: TimeInForce
TRIGGER_SOURCE_UNSPECIFIED: TriggerSource
TRIGGER_SOURCE_DEALING_SIDE: TriggerSource
TRIGGER_SOURCE_BID: TriggerSource
TRIGGER_SOURCE_ASK: TriggerSource
TRIGGER_SOURCE_MID: TriggerSource
CONTINGENCY_TYPE_UNSPECIFIED: ContingencyType
CONTINGENCY_TYPE_OCO: ContingencyType
CONTINGENCY_TYPE_OTO: ContingencyType
ORDER_STATUS_UNSPECIFIED: OrderStatus
ORDER_STATUS_PENDING_NEW: OrderStatus
ORDER_STATUS_NEW: OrderStatus
ORDER_STATUS_PARTIALLY_FILLED: OrderStatus
ORDER_STATUS_FILLED: OrderStatus
ORDER_STATUS_PENDING_CANCEL: OrderStatus
ORDER_STATUS_CANCELLED: OrderStatus
ORDER_STATUS_PENDING_REPLACE: OrderStatus
ORDER_STATUS_REJECTED: OrderStatus
ORDER_STATUS_EXPIRED: OrderStatus
ORDER_STATUS_SUSPENDED: OrderStatus
ORDER_STATUS_PENDING_UNKNOWN: OrderStatus

class Settlement(_message.Message):
    __slots__ = ("tenor", "date")
    TENOR_FIELD_NUMBER: _ClassVar[int]
    DATE_FIELD_NUMBER: _ClassVar[int]
    tenor: str
    date: _date_pb2.Date
    def __init__(self, tenor: _Optional[str] = ..., date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ...) -> None: ...

class FarLeg(_message.Message):
    __slots__ = ("settlement", "quantity")
    SETTLEMENT_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    settlement: Settlement
    quantity: str
    def __init__(self, settlement: _Optional[_Union[Settlement, _Mapping]] = ..., quantity: _Optional[str] = ...) -> None: ...

class OnFill(_message.Message):
    __slots__ = ("take_profit_price", "stop_loss_price", "trailing_distance", "trigger_source")
    TAKE_PROFIT_PRICE_FIELD_NUMBER: _ClassVar[int]
    STOP_LOSS_PRICE_FIELD_NUMBER: _ClassVar[int]
    TRAILING_DISTANCE_FIELD_NUMBER: _ClassVar[int]
    TRIGGER_SOURCE_FIELD_NUMBER: _ClassVar[int]
    take_profit_price: str
    stop_loss_price: str
    trailing_distance: str
    trigger_source: TriggerSource
    def __init__(self, take_profit_price: _Optional[str] = ..., stop_loss_price: _Optional[str] = ..., trailing_distance: _Optional[str] = ..., trigger_source: _Optional[_Union[TriggerSource, str]] = ...) -> None: ...

class NewOrder(_message.Message):
    __slots__ = ("client_order_id", "account", "instrument", "side", "quantity", "order_type", "limit_price", "stop_price", "trailing_distance", "time_in_force", "expire_time", "trigger_source", "post_only", "reduce_only", "display_quantity", "price_bound", "min_quantity", "settlement", "far_leg", "quote_id", "on_fill", "strategy", "venue", "position_id", "text")
    CLIENT_ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    INSTRUMENT_FIELD_NUMBER: _ClassVar[int]
    SIDE_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    ORDER_TYPE_FIELD_NUMBER: _ClassVar[int]
    LIMIT_PRICE_FIELD_NUMBER: _ClassVar[int]
    STOP_PRICE_FIELD_NUMBER: _ClassVar[int]
    TRAILING_DISTANCE_FIELD_NUMBER: _ClassVar[int]
    TIME_IN_FORCE_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    TRIGGER_SOURCE_FIELD_NUMBER: _ClassVar[int]
    POST_ONLY_FIELD_NUMBER: _ClassVar[int]
    REDUCE_ONLY_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_QUANTITY_FIELD_NUMBER: _ClassVar[int]
    PRICE_BOUND_FIELD_NUMBER: _ClassVar[int]
    MIN_QUANTITY_FIELD_NUMBER: _ClassVar[int]
    SETTLEMENT_FIELD_NUMBER: _ClassVar[int]
    FAR_LEG_FIELD_NUMBER: _ClassVar[int]
    QUOTE_ID_FIELD_NUMBER: _ClassVar[int]
    ON_FILL_FIELD_NUMBER: _ClassVar[int]
    STRATEGY_FIELD_NUMBER: _ClassVar[int]
    VENUE_FIELD_NUMBER: _ClassVar[int]
    POSITION_ID_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    client_order_id: str
    account: str
    instrument: str
    side: Side
    quantity: str
    order_type: OrderType
    limit_price: str
    stop_price: str
    trailing_distance: str
    time_in_force: TimeInForce
    expire_time: _timestamp_pb2.Timestamp
    trigger_source: TriggerSource
    post_only: bool
    reduce_only: bool
    display_quantity: str
    price_bound: str
    min_quantity: str
    settlement: Settlement
    far_leg: FarLeg
    quote_id: str
    on_fill: OnFill
    strategy: str
    venue: str
    position_id: str
    text: str
    def __init__(self, client_order_id: _Optional[str] = ..., account: _Optional[str] = ..., instrument: _Optional[str] = ..., side: _Optional[_Union[Side, str]] = ..., quantity: _Optional[str] = ..., order_type: _Optional[_Union[OrderType, str]] = ..., limit_price: _Optional[str] = ..., stop_price: _Optional[str] = ..., trailing_distance: _Optional[str] = ..., time_in_force: _Optional[_Union[TimeInForce, str]] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., trigger_source: _Optional[_Union[TriggerSource, str]] = ..., post_only: _Optional[bool] = ..., reduce_only: _Optional[bool] = ..., display_quantity: _Optional[str] = ..., price_bound: _Optional[str] = ..., min_quantity: _Optional[str] = ..., settlement: _Optional[_Union[Settlement, _Mapping]] = ..., far_leg: _Optional[_Union[FarLeg, _Mapping]] = ..., quote_id: _Optional[str] = ..., on_fill: _Optional[_Union[OnFill, _Mapping]] = ..., strategy: _Optional[str] = ..., venue: _Optional[str] = ..., position_id: _Optional[str] = ..., text: _Optional[str] = ...) -> None: ...

class Order(_message.Message):
    __slots__ = ("order_id", "terms", "status", "cum_quantity", "leaves_quantity", "avg_price", "settl_date", "far_settl_date", "trade_date", "trigger_price", "triggered", "venue", "version", "list_id", "contingency", "parent_order_id", "reason", "reason_text", "entered_by", "create_time", "update_time", "sequence", "proposed", "confirmed", "cum_counter_amount", "pending_sequence", "gate_version", "entered_quantity", "session", "position_id", "withdrawn_quantity", "adopted")
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    TERMS_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    CUM_QUANTITY_FIELD_NUMBER: _ClassVar[int]
    LEAVES_QUANTITY_FIELD_NUMBER: _ClassVar[int]
    AVG_PRICE_FIELD_NUMBER: _ClassVar[int]
    SETTL_DATE_FIELD_NUMBER: _ClassVar[int]
    FAR_SETTL_DATE_FIELD_NUMBER: _ClassVar[int]
    TRADE_DATE_FIELD_NUMBER: _ClassVar[int]
    TRIGGER_PRICE_FIELD_NUMBER: _ClassVar[int]
    TRIGGERED_FIELD_NUMBER: _ClassVar[int]
    VENUE_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    LIST_ID_FIELD_NUMBER: _ClassVar[int]
    CONTINGENCY_FIELD_NUMBER: _ClassVar[int]
    PARENT_ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    REASON_TEXT_FIELD_NUMBER: _ClassVar[int]
    ENTERED_BY_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    UPDATE_TIME_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    PROPOSED_FIELD_NUMBER: _ClassVar[int]
    CONFIRMED_FIELD_NUMBER: _ClassVar[int]
    CUM_COUNTER_AMOUNT_FIELD_NUMBER: _ClassVar[int]
    PENDING_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    GATE_VERSION_FIELD_NUMBER: _ClassVar[int]
    ENTERED_QUANTITY_FIELD_NUMBER: _ClassVar[int]
    SESSION_FIELD_NUMBER: _ClassVar[int]
    POSITION_ID_FIELD_NUMBER: _ClassVar[int]
    WITHDRAWN_QUANTITY_FIELD_NUMBER: _ClassVar[int]
    ADOPTED_FIELD_NUMBER: _ClassVar[int]
    order_id: str
    terms: NewOrder
    status: OrderStatus
    cum_quantity: str
    leaves_quantity: str
    avg_price: str
    settl_date: _date_pb2.Date
    far_settl_date: _date_pb2.Date
    trade_date: _date_pb2.Date
    trigger_price: str
    triggered: bool
    venue: str
    version: int
    list_id: str
    contingency: ContingencyType
    parent_order_id: str
    reason: str
    reason_text: str
    entered_by: str
    create_time: _timestamp_pb2.Timestamp
    update_time: _timestamp_pb2.Timestamp
    sequence: int
    proposed: NewOrder
    confirmed: bool
    cum_counter_amount: str
    pending_sequence: int
    gate_version: int
    entered_quantity: str
    session: str
    position_id: str
    withdrawn_quantity: str
    adopted: bool
    def __init__(self, order_id: _Optional[str] = ..., terms: _Optional[_Union[NewOrder, _Mapping]] = ..., status: _Optional[_Union[OrderStatus, str]] = ..., cum_quantity: _Optional[str] = ..., leaves_quantity: _Optional[str] = ..., avg_price: _Optional[str] = ..., settl_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., far_settl_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., trade_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., trigger_price: _Optional[str] = ..., triggered: _Optional[bool] = ..., venue: _Optional[str] = ..., version: _Optional[int] = ..., list_id: _Optional[str] = ..., contingency: _Optional[_Union[ContingencyType, str]] = ..., parent_order_id: _Optional[str] = ..., reason: _Optional[str] = ..., reason_text: _Optional[str] = ..., entered_by: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., update_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., sequence: _Optional[int] = ..., proposed: _Optional[_Union[NewOrder, _Mapping]] = ..., confirmed: _Optional[bool] = ..., cum_counter_amount: _Optional[str] = ..., pending_sequence: _Optional[int] = ..., gate_version: _Optional[int] = ..., entered_quantity: _Optional[str] = ..., session: _Optional[str] = ..., position_id: _Optional[str] = ..., withdrawn_quantity: _Optional[str] = ..., adopted: _Optional[bool] = ...) -> None: ...
