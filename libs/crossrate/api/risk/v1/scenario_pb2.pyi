from buf.validate import validate_pb2 as _validate_pb2
from google.type import date_pb2 as _date_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class HistoricalWindow(_message.Message):
    __slots__ = ("days", "end_date", "source")
    DAYS_FIELD_NUMBER: _ClassVar[int]
    END_DATE_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    days: int
    end_date: _date_pb2.Date
    source: str
    def __init__(self, days: _Optional[int] = ..., end_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., source: _Optional[str] = ...) -> None: ...

class GivenScenarios(_message.Message):
    __slots__ = ("count", "spot_return", "volatility_shift", "domestic_shift", "foreign_shift", "conversion_return")
    COUNT_FIELD_NUMBER: _ClassVar[int]
    SPOT_RETURN_FIELD_NUMBER: _ClassVar[int]
    VOLATILITY_SHIFT_FIELD_NUMBER: _ClassVar[int]
    DOMESTIC_SHIFT_FIELD_NUMBER: _ClassVar[int]
    FOREIGN_SHIFT_FIELD_NUMBER: _ClassVar[int]
    CONVERSION_RETURN_FIELD_NUMBER: _ClassVar[int]
    count: int
    spot_return: _containers.RepeatedScalarFieldContainer[float]
    volatility_shift: _containers.RepeatedScalarFieldContainer[float]
    domestic_shift: _containers.RepeatedScalarFieldContainer[float]
    foreign_shift: _containers.RepeatedScalarFieldContainer[float]
    conversion_return: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, count: _Optional[int] = ..., spot_return: _Optional[_Iterable[float]] = ..., volatility_shift: _Optional[_Iterable[float]] = ..., domestic_shift: _Optional[_Iterable[float]] = ..., foreign_shift: _Optional[_Iterable[float]] = ..., conversion_return: _Optional[_Iterable[float]] = ...) -> None: ...

class CurrencyMove(_message.Message):
    __slots__ = ("currency", "move")
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    MOVE_FIELD_NUMBER: _ClassVar[int]
    currency: str
    move: float
    def __init__(self, currency: _Optional[str] = ..., move: _Optional[float] = ...) -> None: ...

class Shock(_message.Message):
    __slots__ = ("name", "moves", "volatility_shift")
    NAME_FIELD_NUMBER: _ClassVar[int]
    MOVES_FIELD_NUMBER: _ClassVar[int]
    VOLATILITY_SHIFT_FIELD_NUMBER: _ClassVar[int]
    name: str
    moves: _containers.RepeatedCompositeFieldContainer[CurrencyMove]
    volatility_shift: float
    def __init__(self, name: _Optional[str] = ..., moves: _Optional[_Iterable[_Union[CurrencyMove, _Mapping]]] = ..., volatility_shift: _Optional[float] = ...) -> None: ...
