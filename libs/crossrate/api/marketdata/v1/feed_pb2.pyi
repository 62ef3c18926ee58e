import datetime

from crossrate.api.marketdata.v1 import quote_pb2 as _quote_pb2
from crossrate.api.policy.v1 import policy_pb2 as _policy_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class FeedKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FEED_KIND_UNSPECIFIED: _ClassVar[FeedKind]
    FEED_KIND_SIMULATED: _ClassVar[FeedKind]
    FEED_KIND_REPLAY: _ClassVar[FeedKind]
    FEED_KIND_FIX: _ClassVar[FeedKind]
    FEED_KIND_NATS: _ClassVar[FeedKind]

class FeedHealth(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FEED_HEALTH_UNSPECIFIED: _ClassVar[FeedHealth]
    FEED_HEALTH_CONNECTING: _ClassVar[FeedHealth]
    FEED_HEALTH_LIVE: _ClassVar[FeedHealth]
    FEED_HEALTH_STALE: _ClassVar[FeedHealth]
    FEED_HEALTH_DISCONNECTED: _ClassVar[FeedHealth]
FEED_KIND_UNSPECIFIED: FeedKind
FEED_KIND_SIMULATED: FeedKind
FEED_KIND_REPLAY: FeedKind
FEED_KIND_FIX: FeedKind
FEED_KIND_NATS: FeedKind
FEED_HEALTH_UNSPECIFIED: FeedHealth
FEED_HEALTH_CONNECTING: FeedHealth
FEED_HEALTH_LIVE: FeedHealth
FEED_HEALTH_STALE: FeedHealth
FEED_HEALTH_DISCONNECTED: FeedHealth

class Feed(_message.Message):
    __slots__ = ("name", "kind", "health", "health_time", "reason", "writer", "quote_count", "gap_count", "duplicate_count", "outlier_count", "out_of_order_count", "crossed_count", "rejected", "unknown_symbols", "disconnect_count", "latency_p50", "latency_p99", "last_quote_time", "late_count")
    NAME_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    HEALTH_FIELD_NUMBER: _ClassVar[int]
    HEALTH_TIME_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    WRITER_FIELD_NUMBER: _ClassVar[int]
    QUOTE_COUNT_FIELD_NUMBER: _ClassVar[int]
    GAP_COUNT_FIELD_NUMBER: _ClassVar[int]
    DUPLICATE_COUNT_FIELD_NUMBER: _ClassVar[int]
    OUTLIER_COUNT_FIELD_NUMBER: _ClassVar[int]
    OUT_OF_ORDER_COUNT_FIELD_NUMBER: _ClassVar[int]
    CROSSED_COUNT_FIELD_NUMBER: _ClassVar[int]
    REJECTED_FIELD_NUMBER: _ClassVar[int]
    UNKNOWN_SYMBOLS_FIELD_NUMBER: _ClassVar[int]
    DISCONNECT_COUNT_FIELD_NUMBER: _ClassVar[int]
    LATENCY_P50_FIELD_NUMBER: _ClassVar[int]
    LATENCY_P99_FIELD_NUMBER: _ClassVar[int]
    LAST_QUOTE_TIME_FIELD_NUMBER: _ClassVar[int]
    LATE_COUNT_FIELD_NUMBER: _ClassVar[int]
    name: str
    kind: FeedKind
    health: FeedHealth
    health_time: _timestamp_pb2.Timestamp
    reason: str
    writer: str
    quote_count: int
    gap_count: int
    duplicate_count: int
    outlier_count: int
    out_of_order_count: int
    crossed_count: int
    rejected: _containers.RepeatedCompositeFieldContainer[RejectedCount]
    unknown_symbols: _containers.RepeatedScalarFieldContainer[str]
    disconnect_count: int
    latency_p50: _duration_pb2.Duration
    latency_p99: _duration_pb2.Duration
    last_quote_time: _timestamp_pb2.Timestamp
    late_count: int
    def __init__(self, name: _Optional[str] = ..., kind: _Optional[_Union[FeedKind, str]] = ..., health: _Optional[_Union[FeedHealth, str]] = ..., health_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., reason: _Optional[str] = ..., writer: _Optional[str] = ..., quote_count: _Optional[int] = ..., gap_count: _Optional[int] = ..., duplicate_count: _Optional[int] = ..., outlier_count: _Optional[int] = ..., out_of_order_count: _Optional[int] = ..., crossed_count: _Optional[int] = ..., rejected: _Optional[_Iterable[_Union[RejectedCount, _Mapping]]] = ..., unknown_symbols: _Optional[_Iterable[str]] = ..., disconnect_count: _Optional[int] = ..., latency_p50: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., latency_p99: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., last_quote_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., late_count: _Optional[int] = ...) -> None: ...

class RejectedCount(_message.Message):
    __slots__ = ("reason", "count")
    REASON_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    reason: str
    count: int
    def __init__(self, reason: _Optional[str] = ..., count: _Optional[int] = ...) -> None: ...

class InstrumentHealth(_message.Message):
    __slots__ = ("instrument", "source", "health", "health_time")
    INSTRUMENT_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    HEALTH_FIELD_NUMBER: _ClassVar[int]
    HEALTH_TIME_FIELD_NUMBER: _ClassVar[int]
    instrument: str
    source: str
    health: _quote_pb2.QuoteHealth
    health_time: _timestamp_pb2.Timestamp
    def __init__(self, instrument: _Optional[str] = ..., source: _Optional[str] = ..., health: _Optional[_Union[_quote_pb2.QuoteHealth, str]] = ..., health_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
