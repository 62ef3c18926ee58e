import datetime

from buf.validate import validate_pb2 as _validate_pb2
from crossrate.api.common.v1 import stream_pb2 as _stream_pb2
from crossrate.api.marketdata.v1 import history_pb2 as _history_pb2
from crossrate.api.policy.v1 import policy_pb2 as _policy_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.rpc import status_pb2 as _status_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class QueryBarsRequest(_message.Message):
    __slots__ = ("base", "counter", "source", "period", "start_time", "end_time", "sides", "session_zone", "session_opens_minute", "page_size", "page_token")
    BASE_FIELD_NUMBER: _ClassVar[int]
    COUNTER_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    PERIOD_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    SIDES_FIELD_NUMBER: _ClassVar[int]
    SESSION_ZONE_FIELD_NUMBER: _ClassVar[int]
    SESSION_OPENS_MINUTE_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    base: str
    counter: str
    source: str
    period: str
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    sides: _containers.RepeatedScalarFieldContainer[_history_pb2.PriceSide]
    session_zone: str
    session_opens_minute: int
    page_size: int
    page_token: str
    def __init__(self, base: _Optional[str] = ..., counter: _Optional[str] = ..., source: _Optional[str] = ..., period: _Optional[str] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., sides: _Optional[_Iterable[_Union[_history_pb2.PriceSide, str]]] = ..., session_zone: _Optional[str] = ..., session_opens_minute: _Optional[int] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class QueryBarsResponse(_message.Message):
    __slots__ = ("bars", "next_page_token", "source", "origin")
    BARS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    bars: _containers.RepeatedCompositeFieldContainer[_history_pb2.Bar]
    next_page_token: str
    source: str
    origin: _history_pb2.BarOrigin
    def __init__(self, bars: _Optional[_Iterable[_Union[_history_pb2.Bar, _Mapping]]] = ..., next_page_token: _Optional[str] = ..., source: _Optional[str] = ..., origin: _Optional[_Union[_history_pb2.BarOrigin, str]] = ...) -> None: ...

class StreamBarsRequest(_message.Message):
    __slots__ = ("instruments", "source", "period", "sides", "session_zone", "session_opens_minute", "start_time", "resume_cursor", "update_interval", "heartbeat_interval", "max_messages")
    INSTRUMENTS_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    PERIOD_FIELD_NUMBER: _ClassVar[int]
    SIDES_FIELD_NUMBER: _ClassVar[int]
    SESSION_ZONE_FIELD_NUMBER: _ClassVar[int]
    SESSION_OPENS_MINUTE_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    RESUME_CURSOR_FIELD_NUMBER: _ClassVar[int]
    UPDATE_INTERVAL_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_INTERVAL_FIELD_NUMBER: _ClassVar[int]
    MAX_MESSAGES_FIELD_NUMBER: _ClassVar[int]
    instruments: _containers.RepeatedScalarFieldContainer[str]
    source: str
    period: str
    sides: _containers.RepeatedScalarFieldContainer[_history_pb2.PriceSide]
    session_zone: str
    session_opens_minute: int
    start_time: _timestamp_pb2.Timestamp
    resume_cursor: str
    update_interval: _duration_pb2.Duration
    heartbeat_interval: _duration_pb2.Duration
    max_messages: int
    def __init__(self, instruments: _Optional[_Iterable[str]] = ..., source: _Optional[str] = ..., period: _Optional[str] = ..., sides: _Optional[_Iterable[_Union[_history_pb2.PriceSide, str]]] = ..., session_zone: _Optional[str] = ..., session_opens_minute: _Optional[int] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., resume_cursor: _Optional[str] = ..., update_interval: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., heartbeat_interval: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., max_messages: _Optional[int] = ...) -> None: ...

class BarBatch(_message.Message):
    __slots__ = ("instrument", "source", "bars", "correction")
    INSTRUMENT_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    BARS_FIELD_NUMBER: _ClassVar[int]
    CORRECTION_FIELD_NUMBER: _ClassVar[int]
    instrument: str
    source: str
    bars: _containers.RepeatedCompositeFieldContainer[_history_pb2.Bar]
    correction: bool
    def __init__(self, instrument: _Optional[str] = ..., source: _Optional[str] = ..., bars: _Optional[_Iterable[_Union[_history_pb2.Bar, _Mapping]]] = ..., correction: _Optional[bool] = ...) -> None: ...

class StreamBarsResponse(_message.Message):
    __slots__ = ("position", "bars", "heartbeat", "error", "end")
    POSITION_FIELD_NUMBER: _ClassVar[int]
    BARS_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    position: _stream_pb2.StreamPosition
    bars: BarBatch
    heartbeat: _stream_pb2.Heartbeat
    error: _status_pb2.Status
    end: _stream_pb2.StreamEnd
    def __init__(self, position: _Optional[_Union[_stream_pb2.StreamPosition, _Mapping]] = ..., bars: _Optional[_Union[BarBatch, _Mapping]] = ..., heartbeat: _Optional[_Union[_stream_pb2.Heartbeat, _Mapping]] = ..., error: _Optional[_Union[_status_pb2.Status, _Mapping]] = ..., end: _Optional[_Union[_stream_pb2.StreamEnd, _Mapping]] = ...) -> None: ...
