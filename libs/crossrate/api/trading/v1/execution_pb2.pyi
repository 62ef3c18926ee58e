import datetime

from buf.validate import validate_pb2 as _validate_pb2
from crossrate.api.common.v1 import check_pb2 as _check_pb2
from crossrate.api.policy.v1 import policy_pb2 as _policy_pb2
from crossrate.api.trading.v1 import order_pb2 as _order_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.type import date_pb2 as _date_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ExecType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    EXEC_TYPE_UNSPECIFIED: _ClassVar[ExecType]
    EXEC_TYPE_PENDING_NEW: _ClassVar[ExecType]
    EXEC_TYPE_NEW: _ClassVar[ExecType]
    EXEC_TYPE_TRADE: _ClassVar[ExecType]
    EXEC_TYPE_PENDING_CANCEL: _ClassVar[ExecType]
    EXEC_TYPE_CANCELLED: _ClassVar[ExecType]
    EXEC_TYPE_PENDING_REPLACE: _ClassVar[ExecType]
    EXEC_TYPE_REPLACED: _ClassVar[ExecType]
    EXEC_TYPE_REJECTED: _ClassVar[ExecType]
    EXEC_TYPE_CANCEL_REJECTED: _ClassVar[ExecType]
    EXEC_TYPE_REPLACE_REJECTED: _ClassVar[ExecType]
    EXEC_TYPE_EXPIRED: _ClassVar[ExecType]
    EXEC_TYPE_SUSPENDED: _ClassVar[ExecType]
    EXEC_TYPE_RESTATED: _ClassVar[ExecType]
    EXEC_TYPE_TRIGGERED: _ClassVar[ExecType]
    EXEC_TYPE_UNKNOWN: _ClassVar[ExecType]
    EXEC_TYPE_TRADE_CANCEL: _ClassVar[ExecType]
    EXEC_TYPE_TRADE_CORRECT: _ClassVar[ExecType]

class ExecutionReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    EXECUTION_REASON_UNSPECIFIED: _ClassVar[ExecutionReason]
    EXECUTION_REASON_CLIENT: _ClassVar[ExecutionReason]
    EXECUTION_REASON_RISK: _ClassVar[ExecutionReason]
    EXECUTION_REASON_KILL_SWITCH: _ClassVar[ExecutionReason]
    EXECUTION_REASON_DISCONNECT: _ClassVar[ExecutionReason]
    EXECUTION_REASON_CONTINGENCY: _ClassVar[ExecutionReason]
    EXECUTION_REASON_POST_ONLY: _ClassVar[ExecutionReason]
    EXECUTION_REASON_REDUCE_ONLY: _ClassVar[ExecutionReason]
    EXECUTION_REASON_NO_LIQUIDITY: _ClassVar[ExecutionReason]
    EXECUTION_REASON_EXPIRED: _ClassVar[ExecutionReason]
    EXECUTION_REASON_VENUE: _ClassVar[ExecutionReason]
    EXECUTION_REASON_NO_VENUE: _ClassVar[ExecutionReason]
    EXECUTION_REASON_QUOTE_GONE: _ClassVar[ExecutionReason]
    EXECUTION_REASON_TOO_LATE: _ClassVar[ExecutionReason]
    EXECUTION_REASON_SELF_TRADE: _ClassVar[ExecutionReason]
    EXECUTION_REASON_CORRECTION: _ClassVar[ExecutionReason]
    EXECUTION_REASON_PENDING: _ClassVar[ExecutionReason]

class Liquidity(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    LIQUIDITY_UNSPECIFIED: _ClassVar[Liquidity]
    LIQUIDITY_MAKER: _ClassVar[Liquidity]
    LIQUIDITY_TAKER: _ClassVar[Liquidity]
EXEC_TYPE_UNSPECIFIED: ExecType
EXEC_TYPE_PENDING_NEW: ExecType
EXEC_TYPE_NEW: ExecType
EXEC_TYPE_TRADE: ExecType
EXEC_TYPE_PENDING_CANCEL: ExecType
EXEC_TYPE_CANCELLED: ExecType
EXEC_TYPE_PENDING_REPLACE: ExecType
EXEC_TYPE_REPLACED: ExecType
EXEC_TYPE_REJECTED: ExecType
EXEC_TYPE_CANCEL_REJECTED: ExecType
EXEC_TYPE_REPLACE_REJECTED: ExecType
EXEC_TYPE_EXPIRED: ExecType
EXEC_TYPE_SUSPENDED: ExecType
EXEC_TYPE_RESTATED: ExecType
EXEC_TYPE_TRIGGERED: ExecType
EXEC_TYPE_UNKNOWN: ExecType
EXEC_TYPE_TRADE_CANCEL: ExecType
EXEC_TYPE_TRADE_CORRECT: ExecType
EXECUTION_REASON_UNSPECIFIED: ExecutionReason
EXECUTION_REASON_CLIENT: ExecutionReason
EXECUTION_REASON_RISK: ExecutionReason
EXECUTION_REASON_KILL_SWITCH: ExecutionReason
EXECUTION_REASON_DISCONNECT: ExecutionReason
EXECUTION_REASON_CONTINGENCY: ExecutionReason
EXECUTION_REASON_POST_ONLY: ExecutionReason
EXECUTION_REASON_REDUCE_ONLY: ExecutionReason
EXECUTION_REASON_NO_LIQUIDITY: ExecutionReason
EXECUTION_REASON_EXPIRED: ExecutionReason
EXECUTION_REASON_VENUE: ExecutionReason
EXECUTION_REASON_NO_VENUE: ExecutionReason
EXECUTION_REASON_QUOTE_GONE: ExecutionReason
EXECUTION_REASON_TOO_LATE: ExecutionReason
EXECUTION_REASON_SELF_TRADE: ExecutionReason
EXECUTION_REASON_CORRECTION: ExecutionReason
EXECUTION_REASON_PENDING: ExecutionReason
LIQUIDITY_UNSPECIFIED: Liquidity
LIQUIDITY_MAKER: Liquidity
LIQUIDITY_TAKER: Liquidity

class Fill(_message.Message):
    __slots__ = ("venue_exec_id", "venue", "quantity", "price", "settl_date", "far_quantity", "far_price", "far_settl_date", "trade_date", "liquidity", "commission", "commission_currency", "venue_time", "position_id", "market_bid", "market_ask")
    VENUE_EXEC_ID_FIELD_NUMBER: _ClassVar[int]
    VENUE_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    PRICE_FIELD_NUMBER: _ClassVar[int]
    SETTL_DATE_FIELD_NUMBER: _ClassVar[int]
    FAR_QUANTITY_FIELD_NUMBER: _ClassVar[int]
    FAR_PRICE_FIELD_NUMBER: _ClassVar[int]
    FAR_SETTL_DATE_FIELD_NUMBER: _ClassVar[int]
    TRADE_DATE_FIELD_NUMBER: _ClassVar[int]
    LIQUIDITY_FIELD_NUMBER: _ClassVar[int]
    COMMISSION_FIELD_NUMBER: _ClassVar[int]
    COMMISSION_CURRENCY_FIELD_NUMBER: _ClassVar[int]
    VENUE_TIME_FIELD_NUMBER: _ClassVar[int]
    POSITION_ID_FIELD_NUMBER: _ClassVar[int]
    MARKET_BID_FIELD_NUMBER: _ClassVar[int]
    MARKET_ASK_FIELD_NUMBER: _ClassVar[int]
    venue_exec_id: str
    venue: str
    quantity: str
    price: str
    settl_date: _date_pb2.Date
    far_quantity: str
    far_price: str
    far_settl_date: _date_pb2.Date
    trade_date: _date_pb2.Date
    liquidity: Liquidity
    commission: str
    commission_currency: str
    venue_time: _timestamp_pb2.Timestamp
    position_id: str
    market_bid: str
    market_ask: str
    def __init__(self, venue_exec_id: _Optional[str] = ..., venue: _Optional[str] = ..., quantity: _Optional[str] = ..., price: _Optional[str] = ..., settl_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., far_quantity: _Optional[str] = ..., far_price: _Optional[str] = ..., far_settl_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., trade_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., liquidity: _Optional[_Union[Liquidity, str]] = ..., commission: _Optional[str] = ..., commission_currency: _Optional[str] = ..., venue_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., position_id: _Optional[str] = ..., market_bid: _Optional[str] = ..., market_ask: _Optional[str] = ...) -> None: ...

class ExecutionReport(_message.Message):
    __slots__ = ("sequence", "exec_id", "exec_type", "order", "fill", "exec_ref_id", "reason", "text", "cause", "checks", "quote_seen", "time")
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    EXEC_ID_FIELD_NUMBER: _ClassVar[int]
    EXEC_TYPE_FIELD_NUMBER: _ClassVar[int]
    ORDER_FIELD_NUMBER: _ClassVar[int]
    FILL_FIELD_NUMBER: _ClassVar[int]
    EXEC_REF_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    CHECKS_FIELD_NUMBER: _ClassVar[int]
    QUOTE_SEEN_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    sequence: int
    exec_id: str
    exec_type: ExecType
    order: _order_pb2.Order
    fill: Fill
    exec_ref_id: str
    reason: ExecutionReason
    text: str
    cause: str
    checks: _containers.RepeatedCompositeFieldContainer[_check_pb2.Check]
    quote_seen: QuoteSeen
    time: _timestamp_pb2.Timestamp
    def __init__(self, sequence: _Optional[int] = ..., exec_id: _Optional[str] = ..., exec_type: _Optional[_Union[ExecType, str]] = ..., order: _Optional[_Union[_order_pb2.Order, _Mapping]] = ..., fill: _Optional[_Union[Fill, _Mapping]] = ..., exec_ref_id: _Optional[str] = ..., reason: _Optional[_Union[ExecutionReason, str]] = ..., text: _Optional[str] = ..., cause: _Optional[str] = ..., checks: _Optional[_Iterable[_Union[_check_pb2.Check, _Mapping]]] = ..., quote_seen: _Optional[_Union[QuoteSeen, _Mapping]] = ..., time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class QuoteSeen(_message.Message):
    __slots__ = ("bid", "ask", "source", "sequence", "receive_time")
    BID_FIELD_NUMBER: _ClassVar[int]
    ASK_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    RECEIVE_TIME_FIELD_NUMBER: _ClassVar[int]
    bid: str
    ask: str
    source: str
    sequence: int
    receive_time: _timestamp_pb2.Timestamp
    def __init__(self, bid: _Optional[str] = ..., ask: _Optional[str] = ..., source: _Optional[str] = ..., sequence: _Optional[int] = ..., receive_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
