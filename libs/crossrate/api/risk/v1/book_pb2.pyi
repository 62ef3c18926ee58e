from buf.validate import validate_pb2 as _validate_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class BookMarket(_message.Message):
    __slots__ = ("instrument", "spot", "conversion")
    INSTRUMENT_FIELD_NUMBER: _ClassVar[int]
    SPOT_FIELD_NUMBER: _ClassVar[int]
    CONVERSION_FIELD_NUMBER: _ClassVar[int]
    instrument: str
    spot: float
    conversion: float
    def __init__(self, instrument: _Optional[str] = ..., spot: _Optional[float] = ..., conversion: _Optional[float] = ...) -> None: ...

class Book(_message.Message):
    __slots__ = ("markets", "reporting_currency", "kind", "market", "strike", "time", "volatility", "domestic_rate", "foreign_rate", "notional")
    MARKETS_FIELD_NUMBER: _ClassVar[int]
    REPORTING_CURRENCY_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    MARKET_FIELD_NUMBER: _ClassVar[int]
    STRIKE_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    VOLATILITY_FIELD_NUMBER: _ClassVar[int]
    DOMESTIC_RATE_FIELD_NUMBER: _ClassVar[int]
    FOREIGN_RATE_FIELD_NUMBER: _ClassVar[int]
    NOTIONAL_FIELD_NUMBER: _ClassVar[int]
    markets: _containers.RepeatedCompositeFieldContainer[BookMarket]
    reporting_currency: str
    kind: _containers.RepeatedScalarFieldContainer[int]
    market: _containers.RepeatedScalarFieldContainer[int]
    strike: _containers.RepeatedScalarFieldContainer[float]
    time: _containers.RepeatedScalarFieldContainer[float]
    volatility: _containers.RepeatedScalarFieldContainer[float]
    domestic_rate: _containers.RepeatedScalarFieldContainer[float]
    foreign_rate: _containers.RepeatedScalarFieldContainer[float]
    notional: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, markets: _Optional[_Iterable[_Union[BookMarket, _Mapping]]] = ..., reporting_currency: _Optional[str] = ..., kind: _Optional[_Iterable[int]] = ..., market: _Optional[_Iterable[int]] = ..., strike: _Optional[_Iterable[float]] = ..., time: _Optional[_Iterable[float]] = ..., volatility: _Optional[_Iterable[float]] = ..., domestic_rate: _Optional[_Iterable[float]] = ..., foreign_rate: _Optional[_Iterable[float]] = ..., notional: _Optional[_Iterable[float]] = ...) -> None: ...
