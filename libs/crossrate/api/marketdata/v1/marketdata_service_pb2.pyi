import datetime

from buf.validate import validate_pb2 as _validate_pb2
from crossrate.api.common.v1 import stream_pb2 as _stream_pb2
from crossrate.api.marketdata.v1 import daily_pb2 as _daily_pb2
from crossrate.api.marketdata.v1 import feed_list_pb2 as _feed_list_pb2
from crossrate.api.marketdata.v1 import quote_pb2 as _quote_pb2
from crossrate.api.policy.v1 import policy_pb2 as _policy_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.rpc import status_pb2 as _status_pb2
from google.type import date_pb2 as _date_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GetQuoteRequest(_message.Message):
    __slots__ = ("base", "counter", "source")
    BASE_FIELD_NUMBER: _ClassVar[int]
    COUNTER_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    base: str
    counter: str
    source: str
    def __init__(self, base: _Optional[str] = ..., counter: _Optional[str] = ..., source: _Optional[str] = ...) -> None: ...

class GetQuoteResponse(_message.Message):
    __slots__ = ("quote",)
    QUOTE_FIELD_NUMBER: _ClassVar[int]
    quote: _quote_pb2.Quote
    def __init__(self, quote: _Optional[_Union[_quote_pb2.Quote, _Mapping]] = ...) -> None: ...

class StreamQuotesRequest(_message.Message):
    __slots__ = ("instruments", "resume_cursor", "conflation_interval", "heartbeat_interval", "max_messages", "source")
    INSTRUMENTS_FIELD_NUMBER: _ClassVar[int]
    RESUME_CURSOR_FIELD_NUMBER: _ClassVar[int]
    CONFLATION_INTERVAL_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_INTERVAL_FIELD_NUMBER: _ClassVar[int]
    MAX_MESSAGES_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    instruments: _containers.RepeatedScalarFieldContainer[str]
    resume_cursor: str
    conflation_interval: _duration_pb2.Duration
    heartbeat_interval: _duration_pb2.Duration
    max_messages: int
    source: str
    def __init__(self, instruments: _Optional[_Iterable[str]] = ..., resume_cursor: _Optional[str] = ..., conflation_interval: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., heartbeat_interval: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., max_messages: _Optional[int] = ..., source: _Optional[str] = ...) -> None: ...

class QuoteBatch(_message.Message):
    __slots__ = ("quotes", "conflated_count")
    QUOTES_FIELD_NUMBER: _ClassVar[int]
    CONFLATED_COUNT_FIELD_NUMBER: _ClassVar[int]
    quotes: _containers.RepeatedCompositeFieldContainer[_quote_pb2.Quote]
    conflated_count: int
    def __init__(self, quotes: _Optional[_Iterable[_Union[_quote_pb2.Quote, _Mapping]]] = ..., conflated_count: _Optional[int] = ...) -> None: ...

class StreamQuotesResponse(_message.Message):
    __slots__ = ("position", "quotes", "heartbeat", "error", "end")
    POSITION_FIELD_NUMBER: _ClassVar[int]
    QUOTES_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    position: _stream_pb2.StreamPosition
    quotes: QuoteBatch
    heartbeat: _stream_pb2.Heartbeat
    error: _status_pb2.Status
    end: _stream_pb2.StreamEnd
    def __init__(self, position: _Optional[_Union[_stream_pb2.StreamPosition, _Mapping]] = ..., quotes: _Optional[_Union[QuoteBatch, _Mapping]] = ..., heartbeat: _Optional[_Union[_stream_pb2.Heartbeat, _Mapping]] = ..., error: _Optional[_Union[_status_pb2.Status, _Mapping]] = ..., end: _Optional[_Union[_stream_pb2.StreamEnd, _Mapping]] = ...) -> None: ...

class ListDailyRatesRequest(_message.Message):
    __slots__ = ("base", "counter", "start_date", "end_date", "page_size", "page_token", "source")
    BASE_FIELD_NUMBER: _ClassVar[int]
    COUNTER_FIELD_NUMBER: _ClassVar[int]
    START_DATE_FIELD_NUMBER: _ClassVar[int]
    END_DATE_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    base: str
    counter: str
    start_date: _date_pb2.Date
    end_date: _date_pb2.Date
    page_size: int
    page_token: str
    source: str
    def __init__(self, base: _Optional[str] = ..., counter: _Optional[str] = ..., start_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., end_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., source: _Optional[str] = ...) -> None: ...

class ListDailyRatesResponse(_message.Message):
    __slots__ = ("rates", "next_page_token", "source", "digest")
    RATES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    rates: _containers.RepeatedCompositeFieldContainer[_daily_pb2.DailyRate]
    next_page_token: str
    source: str
    digest: str
    def __init__(self, rates: _Optional[_Iterable[_Union[_daily_pb2.DailyRate, _Mapping]]] = ..., next_page_token: _Optional[str] = ..., source: _Optional[str] = ..., digest: _Optional[str] = ...) -> None: ...

class ListDailySourcesRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListDailySourcesResponse(_message.Message):
    __slots__ = ("sources",)
    SOURCES_FIELD_NUMBER: _ClassVar[int]
    sources: _containers.RepeatedCompositeFieldContainer[_daily_pb2.DailySource]
    def __init__(self, sources: _Optional[_Iterable[_Union[_daily_pb2.DailySource, _Mapping]]] = ...) -> None: ...
