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

class QuoteHealth(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    QUOTE_HEALTH_UNSPECIFIED: _ClassVar[QuoteHealth]
    QUOTE_HEALTH_LIVE: _ClassVar[QuoteHealth]
    QUOTE_HEALTH_STALE: _ClassVar[QuoteHealth]
    QUOTE_HEALTH_GAPPED: _ClassVar[QuoteHealth]
    QUOTE_HEALTH_CROSSED: _ClassVar[QuoteHealth]
    QUOTE_HEALTH_CLOSED: _ClassVar[QuoteHealth]

class QuoteFlag(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    QUOTE_FLAG_UNSPECIFIED: _ClassVar[QuoteFlag]
    QUOTE_FLAG_LOCKED: _ClassVar[QuoteFlag]
    QUOTE_FLAG_DUPLICATE: _ClassVar[QuoteFlag]
    QUOTE_FLAG_OUT_OF_ORDER: _ClassVar[QuoteFlag]
    QUOTE_FLAG_AFTER_GAP: _ClassVar[QuoteFlag]
    QUOTE_FLAG_OUTLIER: _ClassVar[QuoteFlag]
QUOTE_HEALTH_UNSPECIFIED: QuoteHealth
QUOTE_HEALTH_LIVE: QuoteHealth
QUOTE_HEALTH_STALE: QuoteHealth
QUOTE_HEALTH_GAPPED: QuoteHealth
QUOTE_HEALTH_CROSSED: QuoteHealth
QUOTE_HEALTH_CLOSED: QuoteHealth
QUOTE_FLAG_UNSPECIFIED: QuoteFlag
QUOTE_FLAG_LOCKED: QuoteFlag
QUOTE_FLAG_DUPLICATE: QuoteFlag
QUOTE_FLAG_OUT_OF_ORDER: QuoteFlag
QUOTE_FLAG_AFTER_GAP: QuoteFlag
QUOTE_FLAG_OUTLIER: QuoteFlag

class Quote(_message.Message):
    __slots__ = ("instrument", "bid", "ask", "bid_quantity", "ask_quantity", "sequence", "venue_time", "receive_time", "health", "source", "flags", "venue_sequence")
    INSTRUMENT_FIELD_NUMBER: _ClassVar[int]
    BID_FIELD_NUMBER: _ClassVar[int]
    ASK_FIELD_NUMBER: _ClassVar[int]
    BID_QUANTITY_FIELD_NUMBER: _ClassVar[int]
    ASK_QUANTITY_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    VENUE_TIME_FIELD_NUMBER: _ClassVar[int]
    RECEIVE_TIME_FIELD_NUMBER: _ClassVar[int]
    HEALTH_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    FLAGS_FIELD_NUMBER: _ClassVar[int]
    VENUE_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    instrument: str
    bid: float
    ask: float
    bid_quantity: float
    ask_quantity: float
    sequence: int
    venue_time: _timestamp_pb2.Timestamp
    receive_time: _timestamp_pb2.Timestamp
    health: QuoteHealth
    source: str
    flags: _containers.RepeatedScalarFieldContainer[QuoteFlag]
    venue_sequence: int
    def __init__(self, instrument: _Optional[str] = ..., bid: _Optional[float] = ..., ask: _Optional[float] = ..., bid_quantity: _Optional[float] = ..., ask_quantity: _Optional[float] = ..., sequence: _Optional[int] = ..., venue_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., receive_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., health: _Optional[_Union[QuoteHealth, str]] = ..., source: _Optional[str] = ..., flags: _Optional[_Iterable[_Union[QuoteFlag, str]]] = ..., venue_sequence: _Optional[int] = ...) -> None: ...
