from crossrate.api.ledger.v1 import account_pb2 as _account_pb2
from google.type import date_pb2 as _date_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CashAmount(_message.Message):
    __slots__ = ("currency", "value_date", "amount")
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    VALUE_DATE_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    currency: str
    value_date: _date_pb2.Date
    amount: str
    def __init__(self, currency: _Optional[str] = ..., value_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., amount: _Optional[str] = ...) -> None: ...

class Lot(_message.Message):
    __slots__ = ("quantity", "counter_amount")
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    COUNTER_AMOUNT_FIELD_NUMBER: _ClassVar[int]
    quantity: str
    counter_amount: str
    def __init__(self, quantity: _Optional[str] = ..., counter_amount: _Optional[str] = ...) -> None: ...

class PositionFlow(_message.Message):
    __slots__ = ("value_date", "base_amount", "counter_amount")
    VALUE_DATE_FIELD_NUMBER: _ClassVar[int]
    BASE_AMOUNT_FIELD_NUMBER: _ClassVar[int]
    COUNTER_AMOUNT_FIELD_NUMBER: _ClassVar[int]
    value_date: _date_pb2.Date
    base_amount: str
    counter_amount: str
    def __init__(self, value_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., base_amount: _Optional[str] = ..., counter_amount: _Optional[str] = ...) -> None: ...

class PositionBook(_message.Message):
    __slots__ = ("instrument", "position_id", "lots", "flows")
    INSTRUMENT_FIELD_NUMBER: _ClassVar[int]
    POSITION_ID_FIELD_NUMBER: _ClassVar[int]
    LOTS_FIELD_NUMBER: _ClassVar[int]
    FLOWS_FIELD_NUMBER: _ClassVar[int]
    instrument: str
    position_id: str
    lots: _containers.RepeatedCompositeFieldContainer[Lot]
    flows: _containers.RepeatedCompositeFieldContainer[PositionFlow]
    def __init__(self, instrument: _Optional[str] = ..., position_id: _Optional[str] = ..., lots: _Optional[_Iterable[_Union[Lot, _Mapping]]] = ..., flows: _Optional[_Iterable[_Union[PositionFlow, _Mapping]]] = ...) -> None: ...

class Earnings(_message.Message):
    __slots__ = ("currency", "realised", "commission", "financing", "adjustment", "transferred")
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    REALISED_FIELD_NUMBER: _ClassVar[int]
    COMMISSION_FIELD_NUMBER: _ClassVar[int]
    FINANCING_FIELD_NUMBER: _ClassVar[int]
    ADJUSTMENT_FIELD_NUMBER: _ClassVar[int]
    TRANSFERRED_FIELD_NUMBER: _ClassVar[int]
    currency: str
    realised: str
    commission: str
    financing: str
    adjustment: str
    transferred: str
    def __init__(self, currency: _Optional[str] = ..., realised: _Optional[str] = ..., commission: _Optional[str] = ..., financing: _Optional[str] = ..., adjustment: _Optional[str] = ..., transferred: _Optional[str] = ...) -> None: ...

class PositionMovement(_message.Message):
    __slots__ = ("instrument", "position_id", "quantity", "counter_amount")
    INSTRUMENT_FIELD_NUMBER: _ClassVar[int]
    POSITION_ID_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    COUNTER_AMOUNT_FIELD_NUMBER: _ClassVar[int]
    instrument: str
    position_id: str
    quantity: str
    counter_amount: str
    def __init__(self, instrument: _Optional[str] = ..., position_id: _Optional[str] = ..., quantity: _Optional[str] = ..., counter_amount: _Optional[str] = ...) -> None: ...

class Book(_message.Message):
    __slots__ = ("account", "position_mode", "cost_method", "cash", "positions", "earnings", "movements", "last_entry", "execution_sequence")
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    POSITION_MODE_FIELD_NUMBER: _ClassVar[int]
    COST_METHOD_FIELD_NUMBER: _ClassVar[int]
    CASH_FIELD_NUMBER: _ClassVar[int]
    POSITIONS_FIELD_NUMBER: _ClassVar[int]
    EARNINGS_FIELD_NUMBER: _ClassVar[int]
    MOVEMENTS_FIELD_NUMBER: _ClassVar[int]
    LAST_ENTRY_FIELD_NUMBER: _ClassVar[int]
    EXECUTION_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    account: str
    position_mode: _account_pb2.PositionMode
    cost_method: _account_pb2.CostMethod
    cash: _containers.RepeatedCompositeFieldContainer[CashAmount]
    positions: _containers.RepeatedCompositeFieldContainer[PositionBook]
    earnings: _containers.RepeatedCompositeFieldContainer[Earnings]
    movements: _containers.RepeatedCompositeFieldContainer[PositionMovement]
    last_entry: int
    execution_sequence: int
    def __init__(self, account: _Optional[str] = ..., position_mode: _Optional[_Union[_account_pb2.PositionMode, str]] = ..., cost_method: _Optional[_Union[_account_pb2.CostMethod, str]] = ..., cash: _Optional[_Iterable[_Union[CashAmount, _Mapping]]] = ..., positions: _Optional[_Iterable[_Union[PositionBook, _Mapping]]] = ..., earnings: _Optional[_Iterable[_Union[Earnings, _Mapping]]] = ..., movements: _Optional[_Iterable[_Union[PositionMovement, _Mapping]]] = ..., last_entry: _Optional[int] = ..., execution_sequence: _Optional[int] = ...) -> None: ...
