import datetime

from buf.validate import validate_pb2 as _validate_pb2
from crossrate.api.common.v1 import stream_pb2 as _stream_pb2
from crossrate.api.marketdata.v1 import quote_pb2 as _quote_pb2
from crossrate.api.policy.v1 import policy_pb2 as _policy_pb2
from crossrate.api.pricing.v1 import market_pb2 as _market_pb2
from crossrate.api.pricing.v1 import pricing_service_pb2 as _pricing_service_pb2
from crossrate.api.pricing.v1 import product_pb2 as _product_pb2
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

class StreamPricesRequest(_message.Message):
    __slots__ = ("products", "market", "resume_cursor", "conflation_interval", "heartbeat_interval", "max_messages")
    PRODUCTS_FIELD_NUMBER: _ClassVar[int]
    MARKET_FIELD_NUMBER: _ClassVar[int]
    RESUME_CURSOR_FIELD_NUMBER: _ClassVar[int]
    CONFLATION_INTERVAL_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_INTERVAL_FIELD_NUMBER: _ClassVar[int]
    MAX_MESSAGES_FIELD_NUMBER: _ClassVar[int]
    products: _containers.RepeatedCompositeFieldContainer[_product_pb2.Product]
    market: str
    resume_cursor: str
    conflation_interval: _duration_pb2.Duration
    heartbeat_interval: _duration_pb2.Duration
    max_messages: int
    def __init__(self, products: _Optional[_Iterable[_Union[_product_pb2.Product, _Mapping]]] = ..., market: _Optional[str] = ..., resume_cursor: _Optional[str] = ..., conflation_interval: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., heartbeat_interval: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., max_messages: _Optional[int] = ...) -> None: ...

class StreamedPrice(_message.Message):
    __slots__ = ("index", "spot", "quote_health", "quote_receive_time", "price", "problem")
    INDEX_FIELD_NUMBER: _ClassVar[int]
    SPOT_FIELD_NUMBER: _ClassVar[int]
    QUOTE_HEALTH_FIELD_NUMBER: _ClassVar[int]
    QUOTE_RECEIVE_TIME_FIELD_NUMBER: _ClassVar[int]
    PRICE_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_FIELD_NUMBER: _ClassVar[int]
    index: int
    spot: _market_pb2.SpotRate
    quote_health: _quote_pb2.QuoteHealth
    quote_receive_time: _timestamp_pb2.Timestamp
    price: _pricing_service_pb2.PriceResponse
    problem: _status_pb2.Status
    def __init__(self, index: _Optional[int] = ..., spot: _Optional[_Union[_market_pb2.SpotRate, _Mapping]] = ..., quote_health: _Optional[_Union[_quote_pb2.QuoteHealth, str]] = ..., quote_receive_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., price: _Optional[_Union[_pricing_service_pb2.PriceResponse, _Mapping]] = ..., problem: _Optional[_Union[_status_pb2.Status, _Mapping]] = ...) -> None: ...

class PriceUpdate(_message.Message):
    __slots__ = ("market_version", "prices", "conflated_count")
    MARKET_VERSION_FIELD_NUMBER: _ClassVar[int]
    PRICES_FIELD_NUMBER: _ClassVar[int]
    CONFLATED_COUNT_FIELD_NUMBER: _ClassVar[int]
    market_version: int
    prices: _containers.RepeatedCompositeFieldContainer[StreamedPrice]
    conflated_count: int
    def __init__(self, market_version: _Optional[int] = ..., prices: _Optional[_Iterable[_Union[StreamedPrice, _Mapping]]] = ..., conflated_count: _Optional[int] = ...) -> None: ...

class StreamPricesResponse(_message.Message):
    __slots__ = ("position", "prices", "heartbeat", "error", "end")
    POSITION_FIELD_NUMBER: _ClassVar[int]
    PRICES_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    position: _stream_pb2.StreamPosition
    prices: PriceUpdate
    heartbeat: _stream_pb2.Heartbeat
    error: _status_pb2.Status
    end: _stream_pb2.StreamEnd
    def __init__(self, position: _Optional[_Union[_stream_pb2.StreamPosition, _Mapping]] = ..., prices: _Optional[_Union[PriceUpdate, _Mapping]] = ..., heartbeat: _Optional[_Union[_stream_pb2.Heartbeat, _Mapping]] = ..., error: _Optional[_Union[_status_pb2.Status, _Mapping]] = ..., end: _Optional[_Union[_stream_pb2.StreamEnd, _Mapping]] = ...) -> None: ...
