import datetime

from crossrate.api.policy.v1 import policy_pb2 as _policy_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class TickColumn(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TICK_COLUMN_UNSPECIFIED: _ClassVar[TickColumn]
    TICK_COLUMN_BID: _ClassVar[TickColumn]
    TICK_COLUMN_ASK: _ClassVar[TickColumn]
    TICK_COLUMN_BID_QUANTITY: _ClassVar[TickColumn]
    TICK_COLUMN_ASK_QUANTITY: _ClassVar[TickColumn]
    TICK_COLUMN_RECEIVE_TIME: _ClassVar[TickColumn]
    TICK_COLUMN_SEQUENCE: _ClassVar[TickColumn]
    TICK_COLUMN_FLAGS: _ClassVar[TickColumn]

class TickFormat(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TICK_FORMAT_UNSPECIFIED: _ClassVar[TickFormat]
    TICK_FORMAT_COLUMNS: _ClassVar[TickFormat]
    TICK_FORMAT_ARROW_IPC: _ClassVar[TickFormat]

class PriceSide(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PRICE_SIDE_UNSPECIFIED: _ClassVar[PriceSide]
    PRICE_SIDE_BID: _ClassVar[PriceSide]
    PRICE_SIDE_ASK: _ClassVar[PriceSide]
    PRICE_SIDE_MID: _ClassVar[PriceSide]

class BarOrigin(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    BAR_ORIGIN_UNSPECIFIED: _ClassVar[BarOrigin]
    BAR_ORIGIN_BUILT: _ClassVar[BarOrigin]
    BAR_ORIGIN_VENUE: _ClassVar[BarOrigin]
TICK_COLUMN_UNSPECIFIED: TickColumn
TICK_COLUMN_BID: TickColumn
TICK_COLUMN_ASK: TickColumn
TICK_COLUMN_BID_QUANTITY: TickColumn
TICK_COLUMN_ASK_QUANTITY: TickColumn
TICK_COLUMN_RECEIVE_TIME: TickColumn
TICK_COLUMN_SEQUENCE: TickColumn
TICK_COLUMN_FLAGS: TickColumn
TICK_FORMAT_UNSPECIFIED: TickFormat
TICK_FORMAT_COLUMNS: TickFormat
TICK_FORMAT_ARROW_IPC: TickFormat
PRICE_SIDE_UNSPECIFIED: PriceSide
PRICE_SIDE_BID: PriceSide
PRICE_SIDE_ASK: PriceSide
PRICE_SIDE_MID: PriceSide
BAR_ORIGIN_UNSPECIFIED: BarOrigin
BAR_ORIGIN_BUILT: BarOrigin
BAR_ORIGIN_VENUE: BarOrigin

class TickColumns(_message.Message):
    __slots__ = ("venue_time_ns", "bid", "ask", "bid_quantity", "ask_quantity", "receive_time_ns", "sequence", "flags")
    VENUE_TIME_NS_FIELD_NUMBER: _ClassVar[int]
    BID_FIELD_NUMBER: _ClassVar[int]
    ASK_FIELD_NUMBER: _ClassVar[int]
    BID_QUANTITY_FIELD_NUMBER: _ClassVar[int]
    ASK_QUANTITY_FIELD_NUMBER: _ClassVar[int]
    RECEIVE_TIME_NS_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    FLAGS_FIELD_NUMBER: _ClassVar[int]
    venue_time_ns: _containers.RepeatedScalarFieldContainer[int]
    bid: _containers.RepeatedScalarFieldContainer[float]
    ask: _containers.RepeatedScalarFieldContainer[float]
    bid_quantity: _containers.RepeatedScalarFieldContainer[float]
    ask_quantity: _containers.RepeatedScalarFieldContainer[float]
    receive_time_ns: _containers.RepeatedScalarFieldContainer[int]
    sequence: _containers.RepeatedScalarFieldContainer[int]
    flags: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, venue_time_ns: _Optional[_Iterable[int]] = ..., bid: _Optional[_Iterable[float]] = ..., ask: _Optional[_Iterable[float]] = ..., bid_quantity: _Optional[_Iterable[float]] = ..., ask_quantity: _Optional[_Iterable[float]] = ..., receive_time_ns: _Optional[_Iterable[int]] = ..., sequence: _Optional[_Iterable[int]] = ..., flags: _Optional[_Iterable[int]] = ...) -> None: ...

class Ohlc(_message.Message):
    __slots__ = ("open", "high", "low", "close")
    OPEN_FIELD_NUMBER: _ClassVar[int]
    HIGH_FIELD_NUMBER: _ClassVar[int]
    LOW_FIELD_NUMBER: _ClassVar[int]
    CLOSE_FIELD_NUMBER: _ClassVar[int]
    open: float
    high: float
    low: float
    close: float
    def __init__(self, open: _Optional[float] = ..., high: _Optional[float] = ..., low: _Optional[float] = ..., close: _Optional[float] = ...) -> None: ...

class Bar(_message.Message):
    __slots__ = ("open_time", "close_time", "bid", "ask", "mid", "tick_count", "bid_quantity", "ask_quantity", "first_sequence", "last_sequence", "flags", "complete", "volume")
    OPEN_TIME_FIELD_NUMBER: _ClassVar[int]
    CLOSE_TIME_FIELD_NUMBER: _ClassVar[int]
    BID_FIELD_NUMBER: _ClassVar[int]
    ASK_FIELD_NUMBER: _ClassVar[int]
    MID_FIELD_NUMBER: _ClassVar[int]
    TICK_COUNT_FIELD_NUMBER: _ClassVar[int]
    BID_QUANTITY_FIELD_NUMBER: _ClassVar[int]
    ASK_QUANTITY_FIELD_NUMBER: _ClassVar[int]
    FIRST_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    LAST_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    FLAGS_FIELD_NUMBER: _ClassVar[int]
    COMPLETE_FIELD_NUMBER: _ClassVar[int]
    VOLUME_FIELD_NUMBER: _ClassVar[int]
    open_time: _timestamp_pb2.Timestamp
    close_time: _timestamp_pb2.Timestamp
    bid: Ohlc
    ask: Ohlc
    mid: Ohlc
    tick_count: int
    bid_quantity: float
    ask_quantity: float
    first_sequence: int
    last_sequence: int
    flags: int
    complete: bool
    volume: float
    def __init__(self, open_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., close_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., bid: _Optional[_Union[Ohlc, _Mapping]] = ..., ask: _Optional[_Union[Ohlc, _Mapping]] = ..., mid: _Optional[_Union[Ohlc, _Mapping]] = ..., tick_count: _Optional[int] = ..., bid_quantity: _Optional[float] = ..., ask_quantity: _Optional[float] = ..., first_sequence: _Optional[int] = ..., last_sequence: _Optional[int] = ..., flags: _Optional[int] = ..., complete: _Optional[bool] = ..., volume: _Optional[float] = ...) -> None: ...

class Coverage(_message.Message):
    __slots__ = ("instrument", "source", "tick_count", "first_venue_time", "last_venue_time", "day_count", "datasets", "size_bytes", "file_count", "gaps")
    INSTRUMENT_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    TICK_COUNT_FIELD_NUMBER: _ClassVar[int]
    FIRST_VENUE_TIME_FIELD_NUMBER: _ClassVar[int]
    LAST_VENUE_TIME_FIELD_NUMBER: _ClassVar[int]
    DAY_COUNT_FIELD_NUMBER: _ClassVar[int]
    DATASETS_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    FILE_COUNT_FIELD_NUMBER: _ClassVar[int]
    GAPS_FIELD_NUMBER: _ClassVar[int]
    instrument: str
    source: str
    tick_count: int
    first_venue_time: _timestamp_pb2.Timestamp
    last_venue_time: _timestamp_pb2.Timestamp
    day_count: int
    datasets: _containers.RepeatedScalarFieldContainer[str]
    size_bytes: int
    file_count: int
    gaps: _containers.RepeatedCompositeFieldContainer[TickGap]
    def __init__(self, instrument: _Optional[str] = ..., source: _Optional[str] = ..., tick_count: _Optional[int] = ..., first_venue_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., last_venue_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., day_count: _Optional[int] = ..., datasets: _Optional[_Iterable[str]] = ..., size_bytes: _Optional[int] = ..., file_count: _Optional[int] = ..., gaps: _Optional[_Iterable[_Union[TickGap, _Mapping]]] = ...) -> None: ...

class TickGap(_message.Message):
    __slots__ = ("start_time", "end_time", "missing_count")
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    MISSING_COUNT_FIELD_NUMBER: _ClassVar[int]
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    missing_count: int
    def __init__(self, start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., missing_count: _Optional[int] = ...) -> None: ...

class RecordedFeed(_message.Message):
    __slots__ = ("source", "sequence", "missing_count")
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    MISSING_COUNT_FIELD_NUMBER: _ClassVar[int]
    source: str
    sequence: int
    missing_count: int
    def __init__(self, source: _Optional[str] = ..., sequence: _Optional[int] = ..., missing_count: _Optional[int] = ...) -> None: ...
