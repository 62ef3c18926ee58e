import datetime

from buf.validate import validate_pb2 as _validate_pb2
from crossrate.api.policy.v1 import policy_pb2 as _policy_pb2
from crossrate.api.pricing.v1 import curve_quotes_pb2 as _curve_quotes_pb2
from crossrate.api.pricing.v1 import surface_quotes_pb2 as _surface_quotes_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Curve(_message.Message):
    __slots__ = ("currency", "time", "rate", "rates", "swap_points", "interpolation")
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    RATE_FIELD_NUMBER: _ClassVar[int]
    RATES_FIELD_NUMBER: _ClassVar[int]
    SWAP_POINTS_FIELD_NUMBER: _ClassVar[int]
    INTERPOLATION_FIELD_NUMBER: _ClassVar[int]
    currency: str
    time: _containers.RepeatedScalarFieldContainer[float]
    rate: _containers.RepeatedScalarFieldContainer[float]
    rates: _curve_quotes_pb2.RateQuotes
    swap_points: _curve_quotes_pb2.SwapPoints
    interpolation: _curve_quotes_pb2.CurveInterpolation
    def __init__(self, currency: _Optional[str] = ..., time: _Optional[_Iterable[float]] = ..., rate: _Optional[_Iterable[float]] = ..., rates: _Optional[_Union[_curve_quotes_pb2.RateQuotes, _Mapping]] = ..., swap_points: _Optional[_Union[_curve_quotes_pb2.SwapPoints, _Mapping]] = ..., interpolation: _Optional[_Union[_curve_quotes_pb2.CurveInterpolation, str]] = ...) -> None: ...

class Smile(_message.Message):
    __slots__ = ("time", "strike", "volatility")
    TIME_FIELD_NUMBER: _ClassVar[int]
    STRIKE_FIELD_NUMBER: _ClassVar[int]
    VOLATILITY_FIELD_NUMBER: _ClassVar[int]
    time: float
    strike: _containers.RepeatedScalarFieldContainer[float]
    volatility: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, time: _Optional[float] = ..., strike: _Optional[_Iterable[float]] = ..., volatility: _Optional[_Iterable[float]] = ...) -> None: ...

class Surface(_message.Message):
    __slots__ = ("instrument", "smiles", "quotes")
    INSTRUMENT_FIELD_NUMBER: _ClassVar[int]
    SMILES_FIELD_NUMBER: _ClassVar[int]
    QUOTES_FIELD_NUMBER: _ClassVar[int]
    instrument: str
    smiles: _containers.RepeatedCompositeFieldContainer[Smile]
    quotes: _surface_quotes_pb2.SurfaceQuotes
    def __init__(self, instrument: _Optional[str] = ..., smiles: _Optional[_Iterable[_Union[Smile, _Mapping]]] = ..., quotes: _Optional[_Union[_surface_quotes_pb2.SurfaceQuotes, _Mapping]] = ...) -> None: ...

class Market(_message.Message):
    __slots__ = ("name", "version", "create_time", "comment", "curves", "surfaces", "as_of", "spots", "arbitrage")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    COMMENT_FIELD_NUMBER: _ClassVar[int]
    CURVES_FIELD_NUMBER: _ClassVar[int]
    SURFACES_FIELD_NUMBER: _ClassVar[int]
    AS_OF_FIELD_NUMBER: _ClassVar[int]
    SPOTS_FIELD_NUMBER: _ClassVar[int]
    ARBITRAGE_FIELD_NUMBER: _ClassVar[int]
    name: str
    version: int
    create_time: _timestamp_pb2.Timestamp
    comment: str
    curves: _containers.RepeatedCompositeFieldContainer[Curve]
    surfaces: _containers.RepeatedCompositeFieldContainer[Surface]
    as_of: _timestamp_pb2.Timestamp
    spots: _containers.RepeatedCompositeFieldContainer[SpotRate]
    arbitrage: _containers.RepeatedCompositeFieldContainer[_surface_quotes_pb2.Arbitrage]
    def __init__(self, name: _Optional[str] = ..., version: _Optional[int] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., comment: _Optional[str] = ..., curves: _Optional[_Iterable[_Union[Curve, _Mapping]]] = ..., surfaces: _Optional[_Iterable[_Union[Surface, _Mapping]]] = ..., as_of: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., spots: _Optional[_Iterable[_Union[SpotRate, _Mapping]]] = ..., arbitrage: _Optional[_Iterable[_Union[_surface_quotes_pb2.Arbitrage, _Mapping]]] = ...) -> None: ...

class SpotRate(_message.Message):
    __slots__ = ("instrument", "bid", "ask", "source", "sequence")
    INSTRUMENT_FIELD_NUMBER: _ClassVar[int]
    BID_FIELD_NUMBER: _ClassVar[int]
    ASK_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    instrument: str
    bid: float
    ask: float
    source: str
    sequence: int
    def __init__(self, instrument: _Optional[str] = ..., bid: _Optional[float] = ..., ask: _Optional[float] = ..., source: _Optional[str] = ..., sequence: _Optional[int] = ...) -> None: ...

class Snapshot(_message.Message):
    __slots__ = ("id", "as_of", "market", "market_version", "spots")
    ID_FIELD_NUMBER: _ClassVar[int]
    AS_OF_FIELD_NUMBER: _ClassVar[int]
    MARKET_FIELD_NUMBER: _ClassVar[int]
    MARKET_VERSION_FIELD_NUMBER: _ClassVar[int]
    SPOTS_FIELD_NUMBER: _ClassVar[int]
    id: str
    as_of: _timestamp_pb2.Timestamp
    market: str
    market_version: int
    spots: _containers.RepeatedCompositeFieldContainer[SpotRate]
    def __init__(self, id: _Optional[str] = ..., as_of: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., market: _Optional[str] = ..., market_version: _Optional[int] = ..., spots: _Optional[_Iterable[_Union[SpotRate, _Mapping]]] = ...) -> None: ...

class FlatMarket(_message.Message):
    __slots__ = ("spot", "domestic_rate", "foreign_rate", "volatility", "as_of")
    SPOT_FIELD_NUMBER: _ClassVar[int]
    DOMESTIC_RATE_FIELD_NUMBER: _ClassVar[int]
    FOREIGN_RATE_FIELD_NUMBER: _ClassVar[int]
    VOLATILITY_FIELD_NUMBER: _ClassVar[int]
    AS_OF_FIELD_NUMBER: _ClassVar[int]
    spot: float
    domestic_rate: float
    foreign_rate: float
    volatility: float
    as_of: _timestamp_pb2.Timestamp
    def __init__(self, spot: _Optional[float] = ..., domestic_rate: _Optional[float] = ..., foreign_rate: _Optional[float] = ..., volatility: _Optional[float] = ..., as_of: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
