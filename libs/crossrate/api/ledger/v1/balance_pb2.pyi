import datetime

from crossrate.api.ledger.v1 import account_pb2 as _account_pb2
from crossrate.api.ledger.v1 import book_pb2 as _book_pb2
from crossrate.api.policy.v1 import policy_pb2 as _policy_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class MarginState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    MARGIN_STATE_UNSPECIFIED: _ClassVar[MarginState]
    MARGIN_STATE_OK: _ClassVar[MarginState]
    MARGIN_STATE_CALL: _ClassVar[MarginState]
    MARGIN_STATE_CLOSE_OUT: _ClassVar[MarginState]
    MARGIN_STATE_UNKNOWN: _ClassVar[MarginState]
MARGIN_STATE_UNSPECIFIED: MarginState
MARGIN_STATE_OK: MarginState
MARGIN_STATE_CALL: MarginState
MARGIN_STATE_CLOSE_OUT: MarginState
MARGIN_STATE_UNKNOWN: MarginState

class Mark(_message.Message):
    __slots__ = ("instrument", "bid", "ask", "live", "receive_time")
    INSTRUMENT_FIELD_NUMBER: _ClassVar[int]
    BID_FIELD_NUMBER: _ClassVar[int]
    ASK_FIELD_NUMBER: _ClassVar[int]
    LIVE_FIELD_NUMBER: _ClassVar[int]
    RECEIVE_TIME_FIELD_NUMBER: _ClassVar[int]
    instrument: str
    bid: str
    ask: str
    live: bool
    receive_time: _timestamp_pb2.Timestamp
    def __init__(self, instrument: _Optional[str] = ..., bid: _Optional[str] = ..., ask: _Optional[str] = ..., live: _Optional[bool] = ..., receive_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Balances(_message.Message):
    __slots__ = ("account", "currency", "cash", "cash_value", "unrealised", "equity", "margin_used", "margin_free", "margin_level", "margin_state", "marks", "unvalued", "last_entry", "execution_sequence", "fault")
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    CASH_FIELD_NUMBER: _ClassVar[int]
    CASH_VALUE_FIELD_NUMBER: _ClassVar[int]
    UNREALISED_FIELD_NUMBER: _ClassVar[int]
    EQUITY_FIELD_NUMBER: _ClassVar[int]
    MARGIN_USED_FIELD_NUMBER: _ClassVar[int]
    MARGIN_FREE_FIELD_NUMBER: _ClassVar[int]
    MARGIN_LEVEL_FIELD_NUMBER: _ClassVar[int]
    MARGIN_STATE_FIELD_NUMBER: _ClassVar[int]
    MARKS_FIELD_NUMBER: _ClassVar[int]
    UNVALUED_FIELD_NUMBER: _ClassVar[int]
    LAST_ENTRY_FIELD_NUMBER: _ClassVar[int]
    EXECUTION_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    FAULT_FIELD_NUMBER: _ClassVar[int]
    account: str
    currency: str
    cash: _containers.RepeatedCompositeFieldContainer[_book_pb2.CashAmount]
    cash_value: str
    unrealised: str
    equity: str
    margin_used: str
    margin_free: str
    margin_level: str
    margin_state: MarginState
    marks: _containers.RepeatedCompositeFieldContainer[Mark]
    unvalued: _containers.RepeatedScalarFieldContainer[str]
    last_entry: int
    execution_sequence: int
    fault: str
    def __init__(self, account: _Optional[str] = ..., currency: _Optional[str] = ..., cash: _Optional[_Iterable[_Union[_book_pb2.CashAmount, _Mapping]]] = ..., cash_value: _Optional[str] = ..., unrealised: _Optional[str] = ..., equity: _Optional[str] = ..., margin_used: _Optional[str] = ..., margin_free: _Optional[str] = ..., margin_level: _Optional[str] = ..., margin_state: _Optional[_Union[MarginState, str]] = ..., marks: _Optional[_Iterable[_Union[Mark, _Mapping]]] = ..., unvalued: _Optional[_Iterable[str]] = ..., last_entry: _Optional[int] = ..., execution_sequence: _Optional[int] = ..., fault: _Optional[str] = ...) -> None: ...

class Position(_message.Message):
    __slots__ = ("instrument", "position_id", "quantity", "average_price", "counter_amount", "unrealised_counter", "unrealised", "mark", "flows", "lots")
    INSTRUMENT_FIELD_NUMBER: _ClassVar[int]
    POSITION_ID_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    AVERAGE_PRICE_FIELD_NUMBER: _ClassVar[int]
    COUNTER_AMOUNT_FIELD_NUMBER: _ClassVar[int]
    UNREALISED_COUNTER_FIELD_NUMBER: _ClassVar[int]
    UNREALISED_FIELD_NUMBER: _ClassVar[int]
    MARK_FIELD_NUMBER: _ClassVar[int]
    FLOWS_FIELD_NUMBER: _ClassVar[int]
    LOTS_FIELD_NUMBER: _ClassVar[int]
    instrument: str
    position_id: str
    quantity: str
    average_price: str
    counter_amount: str
    unrealised_counter: str
    unrealised: str
    mark: Mark
    flows: _containers.RepeatedCompositeFieldContainer[_book_pb2.PositionFlow]
    lots: _containers.RepeatedCompositeFieldContainer[_book_pb2.Lot]
    def __init__(self, instrument: _Optional[str] = ..., position_id: _Optional[str] = ..., quantity: _Optional[str] = ..., average_price: _Optional[str] = ..., counter_amount: _Optional[str] = ..., unrealised_counter: _Optional[str] = ..., unrealised: _Optional[str] = ..., mark: _Optional[_Union[Mark, _Mapping]] = ..., flows: _Optional[_Iterable[_Union[_book_pb2.PositionFlow, _Mapping]]] = ..., lots: _Optional[_Iterable[_Union[_book_pb2.Lot, _Mapping]]] = ...) -> None: ...

class ProfitAndLoss(_message.Message):
    __slots__ = ("currency", "realised", "unrealised", "commission", "financing", "adjustment", "net")
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    REALISED_FIELD_NUMBER: _ClassVar[int]
    UNREALISED_FIELD_NUMBER: _ClassVar[int]
    COMMISSION_FIELD_NUMBER: _ClassVar[int]
    FINANCING_FIELD_NUMBER: _ClassVar[int]
    ADJUSTMENT_FIELD_NUMBER: _ClassVar[int]
    NET_FIELD_NUMBER: _ClassVar[int]
    currency: str
    realised: str
    unrealised: str
    commission: str
    financing: str
    adjustment: str
    net: str
    def __init__(self, currency: _Optional[str] = ..., realised: _Optional[str] = ..., unrealised: _Optional[str] = ..., commission: _Optional[str] = ..., financing: _Optional[str] = ..., adjustment: _Optional[str] = ..., net: _Optional[str] = ...) -> None: ...

class Equity(_message.Message):
    __slots__ = ("account", "execution_sequence", "last_entry", "cash", "non_trade", "movements", "commissions", "fault", "margin_levels", "margin")
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    EXECUTION_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    LAST_ENTRY_FIELD_NUMBER: _ClassVar[int]
    CASH_FIELD_NUMBER: _ClassVar[int]
    NON_TRADE_FIELD_NUMBER: _ClassVar[int]
    MOVEMENTS_FIELD_NUMBER: _ClassVar[int]
    COMMISSIONS_FIELD_NUMBER: _ClassVar[int]
    FAULT_FIELD_NUMBER: _ClassVar[int]
    MARGIN_LEVELS_FIELD_NUMBER: _ClassVar[int]
    MARGIN_FIELD_NUMBER: _ClassVar[int]
    account: str
    execution_sequence: int
    last_entry: int
    cash: _containers.RepeatedCompositeFieldContainer[_book_pb2.CashAmount]
    non_trade: _containers.RepeatedCompositeFieldContainer[_book_pb2.CashAmount]
    movements: _containers.RepeatedCompositeFieldContainer[_book_pb2.PositionMovement]
    commissions: _containers.RepeatedCompositeFieldContainer[_book_pb2.CashAmount]
    fault: str
    margin_levels: _account_pb2.MarginLevels
    margin: MarginFigures
    def __init__(self, account: _Optional[str] = ..., execution_sequence: _Optional[int] = ..., last_entry: _Optional[int] = ..., cash: _Optional[_Iterable[_Union[_book_pb2.CashAmount, _Mapping]]] = ..., non_trade: _Optional[_Iterable[_Union[_book_pb2.CashAmount, _Mapping]]] = ..., movements: _Optional[_Iterable[_Union[_book_pb2.PositionMovement, _Mapping]]] = ..., commissions: _Optional[_Iterable[_Union[_book_pb2.CashAmount, _Mapping]]] = ..., fault: _Optional[str] = ..., margin_levels: _Optional[_Union[_account_pb2.MarginLevels, _Mapping]] = ..., margin: _Optional[_Union[MarginFigures, _Mapping]] = ...) -> None: ...

class MarginFigures(_message.Message):
    __slots__ = ("currency", "equity", "used", "free", "level", "state", "unvalued")
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    EQUITY_FIELD_NUMBER: _ClassVar[int]
    USED_FIELD_NUMBER: _ClassVar[int]
    FREE_FIELD_NUMBER: _ClassVar[int]
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    UNVALUED_FIELD_NUMBER: _ClassVar[int]
    currency: str
    equity: str
    used: str
    free: str
    level: str
    state: MarginState
    unvalued: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, currency: _Optional[str] = ..., equity: _Optional[str] = ..., used: _Optional[str] = ..., free: _Optional[str] = ..., level: _Optional[str] = ..., state: _Optional[_Union[MarginState, str]] = ..., unvalued: _Optional[_Iterable[str]] = ...) -> None: ...
