import datetime

from buf.validate import validate_pb2 as _validate_pb2
from crossrate.api.common.v1 import stream_pb2 as _stream_pb2
from crossrate.api.marketdata.v1 import book_pb2 as _book_pb2
from crossrate.api.marketdata.v1 import quote_pb2 as _quote_pb2
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

class GetBookRequest(_message.Message):
    __slots__ = ("base", "counter", "source", "depth")
    BASE_FIELD_NUMBER: _ClassVar[int]
    COUNTER_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    DEPTH_FIELD_NUMBER: _ClassVar[int]
    base: str
    counter: str
    source: str
    depth: int
    def __init__(self, base: _Optional[str] = ..., counter: _Optional[str] = ..., source: _Optional[str] = ..., depth: _Optional[int] = ...) -> None: ...

class GetBookResponse(_message.Message):
    __slots__ = ("book",)
    BOOK_FIELD_NUMBER: _ClassVar[int]
    book: _book_pb2.Book
    def __init__(self, book: _Optional[_Union[_book_pb2.Book, _Mapping]] = ...) -> None: ...

class GetTieredPricesRequest(_message.Message):
    __slots__ = ("base", "counter", "source", "quantities")
    BASE_FIELD_NUMBER: _ClassVar[int]
    COUNTER_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    QUANTITIES_FIELD_NUMBER: _ClassVar[int]
    base: str
    counter: str
    source: str
    quantities: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, base: _Optional[str] = ..., counter: _Optional[str] = ..., source: _Optional[str] = ..., quantities: _Optional[_Iterable[float]] = ...) -> None: ...

class GetTieredPricesResponse(_message.Message):
    __slots__ = ("instrument", "source", "sequence", "health", "prices", "venue_time", "receive_time")
    INSTRUMENT_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    HEALTH_FIELD_NUMBER: _ClassVar[int]
    PRICES_FIELD_NUMBER: _ClassVar[int]
    VENUE_TIME_FIELD_NUMBER: _ClassVar[int]
    RECEIVE_TIME_FIELD_NUMBER: _ClassVar[int]
    instrument: str
    source: str
    sequence: int
    health: _quote_pb2.QuoteHealth
    prices: _containers.RepeatedCompositeFieldContainer[_book_pb2.TieredPrice]
    venue_time: _timestamp_pb2.Timestamp
    receive_time: _timestamp_pb2.Timestamp
    def __init__(self, instrument: _Optional[str] = ..., source: _Optional[str] = ..., sequence: _Optional[int] = ..., health: _Optional[_Union[_quote_pb2.QuoteHealth, str]] = ..., prices: _Optional[_Iterable[_Union[_book_pb2.TieredPrice, _Mapping]]] = ..., venue_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., receive_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class StreamBookRequest(_message.Message):
    __slots__ = ("instruments", "source", "depth", "resume_cursor", "conflation_interval", "heartbeat_interval", "max_messages")
    INSTRUMENTS_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    DEPTH_FIELD_NUMBER: _ClassVar[int]
    RESUME_CURSOR_FIELD_NUMBER: _ClassVar[int]
    CONFLATION_INTERVAL_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_INTERVAL_FIELD_NUMBER: _ClassVar[int]
    MAX_MESSAGES_FIELD_NUMBER: _ClassVar[int]
    instruments: _containers.RepeatedScalarFieldContainer[str]
    source: str
    depth: int
    resume_cursor: str
    conflation_interval: _duration_pb2.Duration
    heartbeat_interval: _duration_pb2.Duration
    max_messages: int
    def __init__(self, instruments: _Optional[_Iterable[str]] = ..., source: _Optional[str] = ..., depth: _Optional[int] = ..., resume_cursor: _Optional[str] = ..., conflation_interval: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., heartbeat_interval: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., max_messages: _Optional[int] = ...) -> None: ...

class BookBatch(_message.Message):
    __slots__ = ("changes",)
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    changes: _containers.RepeatedCompositeFieldContainer[_book_pb2.BookChange]
    def __init__(self, changes: _Optional[_Iterable[_Union[_book_pb2.BookChange, _Mapping]]] = ...) -> None: ...

class StreamBookResponse(_message.Message):
    __slots__ = ("position", "books", "heartbeat", "error", "end")
    POSITION_FIELD_NUMBER: _ClassVar[int]
    BOOKS_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    position: _stream_pb2.StreamPosition
    books: BookBatch
    heartbeat: _stream_pb2.Heartbeat
    error: _status_pb2.Status
    end: _stream_pb2.StreamEnd
    def __init__(self, position: _Optional[_Union[_stream_pb2.StreamPosition, _Mapping]] = ..., books: _Optional[_Union[BookBatch, _Mapping]] = ..., heartbeat: _Optional[_Union[_stream_pb2.Heartbeat, _Mapping]] = ..., error: _Optional[_Union[_status_pb2.Status, _Mapping]] = ..., end: _Optional[_Union[_stream_pb2.StreamEnd, _Mapping]] = ...) -> None: ...
