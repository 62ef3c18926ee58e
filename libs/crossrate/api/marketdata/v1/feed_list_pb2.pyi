import datetime

from buf.validate import validate_pb2 as _validate_pb2
from crossrate.api.common.v1 import stream_pb2 as _stream_pb2
from crossrate.api.marketdata.v1 import feed_pb2 as _feed_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.rpc import status_pb2 as _status_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ListFeedsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListFeedsResponse(_message.Message):
    __slots__ = ("feeds",)
    FEEDS_FIELD_NUMBER: _ClassVar[int]
    feeds: _containers.RepeatedCompositeFieldContainer[_feed_pb2.Feed]
    def __init__(self, feeds: _Optional[_Iterable[_Union[_feed_pb2.Feed, _Mapping]]] = ...) -> None: ...

class StreamHealthRequest(_message.Message):
    __slots__ = ("instruments", "sources", "resume_cursor", "heartbeat_interval", "max_messages")
    INSTRUMENTS_FIELD_NUMBER: _ClassVar[int]
    SOURCES_FIELD_NUMBER: _ClassVar[int]
    RESUME_CURSOR_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_INTERVAL_FIELD_NUMBER: _ClassVar[int]
    MAX_MESSAGES_FIELD_NUMBER: _ClassVar[int]
    instruments: _containers.RepeatedScalarFieldContainer[str]
    sources: _containers.RepeatedScalarFieldContainer[str]
    resume_cursor: str
    heartbeat_interval: _duration_pb2.Duration
    max_messages: int
    def __init__(self, instruments: _Optional[_Iterable[str]] = ..., sources: _Optional[_Iterable[str]] = ..., resume_cursor: _Optional[str] = ..., heartbeat_interval: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., max_messages: _Optional[int] = ...) -> None: ...

class HealthChanges(_message.Message):
    __slots__ = ("feeds", "instruments", "complete")
    FEEDS_FIELD_NUMBER: _ClassVar[int]
    INSTRUMENTS_FIELD_NUMBER: _ClassVar[int]
    COMPLETE_FIELD_NUMBER: _ClassVar[int]
    feeds: _containers.RepeatedCompositeFieldContainer[_feed_pb2.Feed]
    instruments: _containers.RepeatedCompositeFieldContainer[_feed_pb2.InstrumentHealth]
    complete: bool
    def __init__(self, feeds: _Optional[_Iterable[_Union[_feed_pb2.Feed, _Mapping]]] = ..., instruments: _Optional[_Iterable[_Union[_feed_pb2.InstrumentHealth, _Mapping]]] = ..., complete: _Optional[bool] = ...) -> None: ...

class StreamHealthResponse(_message.Message):
    __slots__ = ("position", "changes", "heartbeat", "error", "end")
    POSITION_FIELD_NUMBER: _ClassVar[int]
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    position: _stream_pb2.StreamPosition
    changes: HealthChanges
    heartbeat: _stream_pb2.Heartbeat
    error: _status_pb2.Status
    end: _stream_pb2.StreamEnd
    def __init__(self, position: _Optional[_Union[_stream_pb2.StreamPosition, _Mapping]] = ..., changes: _Optional[_Union[HealthChanges, _Mapping]] = ..., heartbeat: _Optional[_Union[_stream_pb2.Heartbeat, _Mapping]] = ..., error: _Optional[_Union[_status_pb2.Status, _Mapping]] = ..., end: _Optional[_Union[_stream_pb2.StreamEnd, _Mapping]] = ...) -> None: ...
