from buf.validate import validate_pb2 as _validate_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CurveInterpolation(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CURVE_INTERPOLATION_UNSPECIFIED: _ClassVar[CurveInterpolation]
    CURVE_INTERPOLATION_LOG_LINEAR: _ClassVar[CurveInterpolation]
    CURVE_INTERPOLATION_MONOTONE_CUBIC: _ClassVar[CurveInterpolation]

class DayCount(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DAY_COUNT_UNSPECIFIED: _ClassVar[DayCount]
    DAY_COUNT_ACT_360: _ClassVar[DayCount]
    DAY_COUNT_ACT_365_FIXED: _ClassVar[DayCount]

class RateInstrument(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RATE_INSTRUMENT_UNSPECIFIED: _ClassVar[RateInstrument]
    RATE_INSTRUMENT_DEPOSIT: _ClassVar[RateInstrument]
    RATE_INSTRUMENT_OVERNIGHT_INDEX_SWAP: _ClassVar[RateInstrument]
CURVE_INTERPOLATION_UNSPECIFIED: CurveInterpolation
CURVE_INTERPOLATION_LOG_LINEAR: CurveInterpolation
CURVE_INTERPOLATION_MONOTONE_CUBIC: CurveInterpolation
DAY_COUNT_UNSPECIFIED: DayCount
DAY_COUNT_ACT_360: DayCount
DAY_COUNT_ACT_365_FIXED: DayCount
RATE_INSTRUMENT_UNSPECIFIED: RateInstrument
RATE_INSTRUMENT_DEPOSIT: RateInstrument
RATE_INSTRUMENT_OVERNIGHT_INDEX_SWAP: RateInstrument

class RateQuote(_message.Message):
    __slots__ = ("instrument", "tenor", "rate")
    INSTRUMENT_FIELD_NUMBER: _ClassVar[int]
    TENOR_FIELD_NUMBER: _ClassVar[int]
    RATE_FIELD_NUMBER: _ClassVar[int]
    instrument: RateInstrument
    tenor: str
    rate: float
    def __init__(self, instrument: _Optional[_Union[RateInstrument, str]] = ..., tenor: _Optional[str] = ..., rate: _Optional[float] = ...) -> None: ...

class RateQuotes(_message.Message):
    __slots__ = ("quotes", "day_count")
    QUOTES_FIELD_NUMBER: _ClassVar[int]
    DAY_COUNT_FIELD_NUMBER: _ClassVar[int]
    quotes: _containers.RepeatedCompositeFieldContainer[RateQuote]
    day_count: DayCount
    def __init__(self, quotes: _Optional[_Iterable[_Union[RateQuote, _Mapping]]] = ..., day_count: _Optional[_Union[DayCount, str]] = ...) -> None: ...

class SwapPointsQuote(_message.Message):
    __slots__ = ("tenor", "bid", "ask")
    TENOR_FIELD_NUMBER: _ClassVar[int]
    BID_FIELD_NUMBER: _ClassVar[int]
    ASK_FIELD_NUMBER: _ClassVar[int]
    tenor: str
    bid: float
    ask: float
    def __init__(self, tenor: _Optional[str] = ..., bid: _Optional[float] = ..., ask: _Optional[float] = ...) -> None: ...

class SwapPoints(_message.Message):
    __slots__ = ("instrument", "quotes")
    INSTRUMENT_FIELD_NUMBER: _ClassVar[int]
    QUOTES_FIELD_NUMBER: _ClassVar[int]
    instrument: str
    quotes: _containers.RepeatedCompositeFieldContainer[SwapPointsQuote]
    def __init__(self, instrument: _Optional[str] = ..., quotes: _Optional[_Iterable[_Union[SwapPointsQuote, _Mapping]]] = ...) -> None: ...
