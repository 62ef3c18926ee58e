import datetime

from crossrate.api.marketdata.v1 import quote_pb2 as _quote_pb2
from crossrate.api.policy.v1 import policy_pb2 as _policy_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class BookUpdateAction(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    BOOK_UPDATE_ACTION_UNSPECIFIED: _ClassVar[BookUpdateAction]
    BOOK_UPDATE_ACTION_NEW: _ClassVar[BookUpdateAction]
    BOOK_UPDATE_ACTION_CHANGE: _ClassVar[BookUpdateAction]
    BOOK_UPDATE_ACTION_DELETE: _ClassVar[BookUpdateAction]
BOOK_UPDATE_ACTION_UNSPECIFIED: BookUpdateAction
BOOK_UPDATE_ACTION_NEW: BookUpdateAction
BOOK_UPDATE_ACTION_CHANGE: BookUpdateAction
BOOK_UPDATE_ACTION_DELETE: BookUpdateAction

class VenueQuantity(_message.Message):
    __slots__ = ("source", "quantity")
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    source: str
    quantity: float
    def __init__(self, source: _Optional[str] = ..., quantity: _Optional[float] = ...) -> None: ...

class BookLevel(_message.Message):
    __slots__ = ("price", "quantity", "venues")
    PRICE_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    VENUES_FIELD_NUMBER: _ClassVar[int]
    price: float
    quantity: float
    venues: _containers.RepeatedCompositeFieldContainer[VenueQuantity]
    def __init__(self, price: _Optional[float] = ..., quantity: _Optional[float] = ..., venues: _Optional[_Iterable[_Union[VenueQuantity, _Mapping]]] = ...) -> None: ...

class BookGap(_message.Message):
    __slots__ = ("expected_sequence", "received_sequence", "detect_time", "reason")
    EXPECTED_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    DETECT_TIME_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    expected_sequence: int
    received_sequence: int
    detect_time: _timestamp_pb2.Timestamp
    reason: str
    def __init__(self, expected_sequence: _Optional[int] = ..., received_sequence: _Optional[int] = ..., detect_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., reason: _Optional[str] = ...) -> None: ...

class Book(_message.Message):
    __slots__ = ("instrument", "source", "sequence", "health", "bids", "asks", "venue_time", "receive_time", "venue_sequence", "gap")
    INSTRUMENT_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    HEALTH_FIELD_NUMBER: _ClassVar[int]
    BIDS_FIELD_NUMBER: _ClassVar[int]
    ASKS_FIELD_NUMBER: _ClassVar[int]
    VENUE_TIME_FIELD_NUMBER: _ClassVar[int]
    RECEIVE_TIME_FIELD_NUMBER: _ClassVar[int]
    VENUE_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    GAP_FIELD_NUMBER: _ClassVar[int]
    instrument: str
    source: str
    sequence: int
    health: _quote_pb2.QuoteHealth
    bids: _containers.RepeatedCompositeFieldContainer[BookLevel]
    asks: _containers.RepeatedCompositeFieldContainer[BookLevel]
    venue_time: _timestamp_pb2.Timestamp
    receive_time: _timestamp_pb2.Timestamp
    venue_sequence: int
    gap: BookGap
    def __init__(self, instrument: _Optional[str] = ..., source: _Optional[str] = ..., sequence: _Optional[int] = ..., health: _Optional[_Union[_quote_pb2.QuoteHealth, str]] = ..., bids: _Optional[_Iterable[_Union[BookLevel, _Mapping]]] = ..., asks: _Optional[_Iterable[_Union[BookLevel, _Mapping]]] = ..., venue_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., receive_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., venue_sequence: _Optional[int] = ..., gap: _Optional[_Union[BookGap, _Mapping]] = ...) -> None: ...

class BookLevelUpdate(_message.Message):
    __slots__ = ("action", "price", "quantity", "venues")
    ACTION_FIELD_NUMBER: _ClassVar[int]
    PRICE_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    VENUES_FIELD_NUMBER: _ClassVar[int]
    action: BookUpdateAction
    price: float
    quantity: float
    venues: _containers.RepeatedCompositeFieldContainer[VenueQuantity]
    def __init__(self, action: _Optional[_Union[BookUpdateAction, str]] = ..., price: _Optional[float] = ..., quantity: _Optional[float] = ..., venues: _Optional[_Iterable[_Union[VenueQuantity, _Mapping]]] = ...) -> None: ...

class BookDiff(_message.Message):
    __slots__ = ("instrument", "source", "first_sequence", "last_sequence", "health", "bids", "asks", "venue_time", "receive_time", "venue_sequence", "gap")
    INSTRUMENT_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    FIRST_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    LAST_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    HEALTH_FIELD_NUMBER: _ClassVar[int]
    BIDS_FIELD_NUMBER: _ClassVar[int]
    ASKS_FIELD_NUMBER: _ClassVar[int]
    VENUE_TIME_FIELD_NUMBER: _ClassVar[int]
    RECEIVE_TIME_FIELD_NUMBER: _ClassVar[int]
    VENUE_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    GAP_FIELD_NUMBER: _ClassVar[int]
    instrument: str
    source: str
    first_sequence: int
    last_sequence: int
    health: _quote_pb2.QuoteHealth
    bids: _containers.RepeatedCompositeFieldContainer[BookLevelUpdate]
    asks: _containers.RepeatedCompositeFieldContainer[BookLevelUpdate]
    venue_time: _timestamp_pb2.Timestamp
    receive_time: _timestamp_pb2.Timestamp
    venue_sequence: int
    gap: BookGap
    def __init__(self, instrument: _Optional[str] = ..., source: _Optional[str] = ..., first_sequence: _Optional[int] = ..., last_sequence: _Optional[int] = ..., health: _Optional[_Union[_quote_pb2.QuoteHealth, str]] = ..., bids: _Optional[_Iterable[_Union[BookLevelUpdate, _Mapping]]] = ..., asks: _Optional[_Iterable[_Union[BookLevelUpdate, _Mapping]]] = ..., venue_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., receive_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., venue_sequence: _Optional[int] = ..., gap: _Optional[_Union[BookGap, _Mapping]] = ...) -> None: ...

class BookChange(_message.Message):
    __slots__ = ("snapshot", "diff")
    SNAPSHOT_FIELD_NUMBER: _ClassVar[int]
    DIFF_FIELD_NUMBER: _ClassVar[int]
    snapshot: Book
    diff: BookDiff
    def __init__(self, snapshot: _Optional[_Union[Book, _Mapping]] = ..., diff: _Optional[_Union[BookDiff, _Mapping]] = ...) -> None: ...

class Fill(_message.Message):
    __slots__ = ("average_price", "worst_price", "filled_quantity", "unfilled_quantity", "level_count", "venues")
    AVERAGE_PRICE_FIELD_NUMBER: _ClassVar[int]
    WORST_PRICE_FIELD_NUMBER: _ClassVar[int]
    FILLED_QUANTITY_FIELD_NUMBER: _ClassVar[int]
    UNFILLED_QUANTITY_FIELD_NUMBER: _ClassVar[int]
    LEVEL_COUNT_FIELD_NUMBER: _ClassVar[int]
    VENUES_FIELD_NUMBER: _ClassVar[int]
    average_price: float
    worst_price: float
    filled_quantity: float
    unfilled_quantity: float
    level_count: int
    venues: _containers.RepeatedCompositeFieldContainer[VenueQuantity]
    def __init__(self, average_price: _Optional[float] = ..., worst_price: _Optional[float] = ..., filled_quantity: _Optional[float] = ..., unfilled_quantity: _Optional[float] = ..., level_count: _Optional[int] = ..., venues: _Optional[_Iterable[_Union[VenueQuantity, _Mapping]]] = ...) -> None: ...

class TieredPrice(_message.Message):
    __slots__ = ("quantity", "bid", "ask")
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    BID_FIELD_NUMBER: _ClassVar[int]
    ASK_FIELD_NUMBER: _ClassVar[int]
    quantity: float
    bid: Fill
    ask: Fill
    def __init__(self, quantity: _Optional[float] = ..., bid: _Optional[_Union[Fill, _Mapping]] = ..., ask: _Optional[_Union[Fill, _Mapping]] = ...) -> None: ...
