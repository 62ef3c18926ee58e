import datetime

from buf.validate import validate_pb2 as _validate_pb2
from crossrate.api.policy.v1 import policy_pb2 as _policy_pb2
from crossrate.api.pricing.v1 import market_pb2 as _market_pb2
from crossrate.api.pricing.v1 import snapshot_list_pb2 as _snapshot_list_pb2
from crossrate.api.pricing.v1 import surface_quotes_pb2 as _surface_quotes_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class PutMarketRequest(_message.Message):
    __slots__ = ("request_id", "name", "expected_version", "curves", "surfaces", "comment", "validate_only", "spots", "as_of", "allow_arbitrage")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    CURVES_FIELD_NUMBER: _ClassVar[int]
    SURFACES_FIELD_NUMBER: _ClassVar[int]
    COMMENT_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    SPOTS_FIELD_NUMBER: _ClassVar[int]
    AS_OF_FIELD_NUMBER: _ClassVar[int]
    ALLOW_ARBITRAGE_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    name: str
    expected_version: int
    curves: _containers.RepeatedCompositeFieldContainer[_market_pb2.Curve]
    surfaces: _containers.RepeatedCompositeFieldContainer[_market_pb2.Surface]
    comment: str
    validate_only: bool
    spots: _containers.RepeatedCompositeFieldContainer[_market_pb2.SpotRate]
    as_of: _timestamp_pb2.Timestamp
    allow_arbitrage: bool
    def __init__(self, request_id: _Optional[str] = ..., name: _Optional[str] = ..., expected_version: _Optional[int] = ..., curves: _Optional[_Iterable[_Union[_market_pb2.Curve, _Mapping]]] = ..., surfaces: _Optional[_Iterable[_Union[_market_pb2.Surface, _Mapping]]] = ..., comment: _Optional[str] = ..., validate_only: _Optional[bool] = ..., spots: _Optional[_Iterable[_Union[_market_pb2.SpotRate, _Mapping]]] = ..., as_of: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., allow_arbitrage: _Optional[bool] = ...) -> None: ...

class PutMarketResponse(_message.Message):
    __slots__ = ("name", "version", "create_time", "arbitrage", "arbitrage_count", "unchecked")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    ARBITRAGE_FIELD_NUMBER: _ClassVar[int]
    ARBITRAGE_COUNT_FIELD_NUMBER: _ClassVar[int]
    UNCHECKED_FIELD_NUMBER: _ClassVar[int]
    name: str
    version: int
    create_time: _timestamp_pb2.Timestamp
    arbitrage: _containers.RepeatedCompositeFieldContainer[_surface_quotes_pb2.Arbitrage]
    arbitrage_count: int
    unchecked: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, name: _Optional[str] = ..., version: _Optional[int] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., arbitrage: _Optional[_Iterable[_Union[_surface_quotes_pb2.Arbitrage, _Mapping]]] = ..., arbitrage_count: _Optional[int] = ..., unchecked: _Optional[_Iterable[str]] = ...) -> None: ...

class GetMarketRequest(_message.Message):
    __slots__ = ("name", "version")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    name: str
    version: int
    def __init__(self, name: _Optional[str] = ..., version: _Optional[int] = ...) -> None: ...

class GetMarketResponse(_message.Message):
    __slots__ = ("market",)
    MARKET_FIELD_NUMBER: _ClassVar[int]
    market: _market_pb2.Market
    def __init__(self, market: _Optional[_Union[_market_pb2.Market, _Mapping]] = ...) -> None: ...

class TakeSnapshotRequest(_message.Message):
    __slots__ = ("request_id", "market", "market_version", "instruments", "spots", "as_of", "validate_only")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    MARKET_FIELD_NUMBER: _ClassVar[int]
    MARKET_VERSION_FIELD_NUMBER: _ClassVar[int]
    INSTRUMENTS_FIELD_NUMBER: _ClassVar[int]
    SPOTS_FIELD_NUMBER: _ClassVar[int]
    AS_OF_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    market: str
    market_version: int
    instruments: _containers.RepeatedScalarFieldContainer[str]
    spots: _containers.RepeatedCompositeFieldContainer[_market_pb2.SpotRate]
    as_of: _timestamp_pb2.Timestamp
    validate_only: bool
    def __init__(self, request_id: _Optional[str] = ..., market: _Optional[str] = ..., market_version: _Optional[int] = ..., instruments: _Optional[_Iterable[str]] = ..., spots: _Optional[_Iterable[_Union[_market_pb2.SpotRate, _Mapping]]] = ..., as_of: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., validate_only: _Optional[bool] = ...) -> None: ...

class TakeSnapshotResponse(_message.Message):
    __slots__ = ("snapshot",)
    SNAPSHOT_FIELD_NUMBER: _ClassVar[int]
    snapshot: _market_pb2.Snapshot
    def __init__(self, snapshot: _Optional[_Union[_market_pb2.Snapshot, _Mapping]] = ...) -> None: ...

class GetSnapshotRequest(_message.Message):
    __slots__ = ("snapshot_id",)
    SNAPSHOT_ID_FIELD_NUMBER: _ClassVar[int]
    snapshot_id: str
    def __init__(self, snapshot_id: _Optional[str] = ...) -> None: ...

class GetSnapshotResponse(_message.Message):
    __slots__ = ("snapshot",)
    SNAPSHOT_FIELD_NUMBER: _ClassVar[int]
    snapshot: _market_pb2.Snapshot
    def __init__(self, snapshot: _Optional[_Union[_market_pb2.Snapshot, _Mapping]] = ...) -> None: ...

class GetCurveRequest(_message.Message):
    __slots__ = ("snapshot_id", "currency", "time")
    SNAPSHOT_ID_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    snapshot_id: str
    currency: str
    time: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, snapshot_id: _Optional[str] = ..., currency: _Optional[str] = ..., time: _Optional[_Iterable[float]] = ...) -> None: ...

class GetCurveResponse(_message.Message):
    __slots__ = ("time", "rate", "discount_factor")
    TIME_FIELD_NUMBER: _ClassVar[int]
    RATE_FIELD_NUMBER: _ClassVar[int]
    DISCOUNT_FACTOR_FIELD_NUMBER: _ClassVar[int]
    time: _containers.RepeatedScalarFieldContainer[float]
    rate: _containers.RepeatedScalarFieldContainer[float]
    discount_factor: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, time: _Optional[_Iterable[float]] = ..., rate: _Optional[_Iterable[float]] = ..., discount_factor: _Optional[_Iterable[float]] = ...) -> None: ...

class GetSurfaceRequest(_message.Message):
    __slots__ = ("snapshot_id", "base", "counter", "time", "strike", "delta", "delta_type")
    SNAPSHOT_ID_FIELD_NUMBER: _ClassVar[int]
    BASE_FIELD_NUMBER: _ClassVar[int]
    COUNTER_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    STRIKE_FIELD_NUMBER: _ClassVar[int]
    DELTA_FIELD_NUMBER: _ClassVar[int]
    DELTA_TYPE_FIELD_NUMBER: _ClassVar[int]
    snapshot_id: str
    base: str
    counter: str
    time: _containers.RepeatedScalarFieldContainer[float]
    strike: _containers.RepeatedScalarFieldContainer[float]
    delta: _containers.RepeatedScalarFieldContainer[float]
    delta_type: _surface_quotes_pb2.DeltaType
    def __init__(self, snapshot_id: _Optional[str] = ..., base: _Optional[str] = ..., counter: _Optional[str] = ..., time: _Optional[_Iterable[float]] = ..., strike: _Optional[_Iterable[float]] = ..., delta: _Optional[_Iterable[float]] = ..., delta_type: _Optional[_Union[_surface_quotes_pb2.DeltaType, str]] = ...) -> None: ...

class GetSurfaceResponse(_message.Message):
    __slots__ = ("strike", "volatility", "forward", "delta", "delta_type", "calibrated")
    STRIKE_FIELD_NUMBER: _ClassVar[int]
    VOLATILITY_FIELD_NUMBER: _ClassVar[int]
    FORWARD_FIELD_NUMBER: _ClassVar[int]
    DELTA_FIELD_NUMBER: _ClassVar[int]
    DELTA_TYPE_FIELD_NUMBER: _ClassVar[int]
    CALIBRATED_FIELD_NUMBER: _ClassVar[int]
    strike: _containers.RepeatedScalarFieldContainer[float]
    volatility: _containers.RepeatedScalarFieldContainer[float]
    forward: _containers.RepeatedScalarFieldContainer[float]
    delta: _containers.RepeatedScalarFieldContainer[float]
    delta_type: _containers.RepeatedScalarFieldContainer[_surface_quotes_pb2.DeltaType]
    calibrated: _containers.RepeatedCompositeFieldContainer[_surface_quotes_pb2.CalibratedSmile]
    def __init__(self, strike: _Optional[_Iterable[float]] = ..., volatility: _Optional[_Iterable[float]] = ..., forward: _Optional[_Iterable[float]] = ..., delta: _Optional[_Iterable[float]] = ..., delta_type: _Optional[_Iterable[_Union[_surface_quotes_pb2.DeltaType, str]]] = ..., calibrated: _Optional[_Iterable[_Union[_surface_quotes_pb2.CalibratedSmile, _Mapping]]] = ...) -> None: ...
