import datetime

from buf.validate import validate_pb2 as _validate_pb2
from crossrate.api.common.v1 import stream_pb2 as _stream_pb2
from crossrate.api.ledger.v1 import balance_pb2 as _balance_pb2
from crossrate.api.ledger.v1 import book_pb2 as _book_pb2
from crossrate.api.ledger.v1 import booked_trades_pb2 as _booked_trades_pb2
from crossrate.api.ledger.v1 import entry_pb2 as _entry_pb2
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

class GetBalancesRequest(_message.Message):
    __slots__ = ("account",)
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    account: str
    def __init__(self, account: _Optional[str] = ...) -> None: ...

class GetBalancesResponse(_message.Message):
    __slots__ = ("balances",)
    BALANCES_FIELD_NUMBER: _ClassVar[int]
    balances: _balance_pb2.Balances
    def __init__(self, balances: _Optional[_Union[_balance_pb2.Balances, _Mapping]] = ...) -> None: ...

class ListPositionsRequest(_message.Message):
    __slots__ = ("account", "instrument")
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    INSTRUMENT_FIELD_NUMBER: _ClassVar[int]
    account: str
    instrument: str
    def __init__(self, account: _Optional[str] = ..., instrument: _Optional[str] = ...) -> None: ...

class ListPositionsResponse(_message.Message):
    __slots__ = ("positions", "last_entry", "execution_sequence")
    POSITIONS_FIELD_NUMBER: _ClassVar[int]
    LAST_ENTRY_FIELD_NUMBER: _ClassVar[int]
    EXECUTION_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    positions: _containers.RepeatedCompositeFieldContainer[_balance_pb2.Position]
    last_entry: int
    execution_sequence: int
    def __init__(self, positions: _Optional[_Iterable[_Union[_balance_pb2.Position, _Mapping]]] = ..., last_entry: _Optional[int] = ..., execution_sequence: _Optional[int] = ...) -> None: ...

class ListPostingsRequest(_message.Message):
    __slots__ = ("account", "after_sequence", "page_size", "references")
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    AFTER_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    REFERENCES_FIELD_NUMBER: _ClassVar[int]
    account: str
    after_sequence: int
    page_size: int
    references: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, account: _Optional[str] = ..., after_sequence: _Optional[int] = ..., page_size: _Optional[int] = ..., references: _Optional[_Iterable[str]] = ...) -> None: ...

class ListPostingsResponse(_message.Message):
    __slots__ = ("entries", "next_after_sequence")
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    NEXT_AFTER_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    entries: _containers.RepeatedCompositeFieldContainer[_entry_pb2.Entry]
    next_after_sequence: int
    def __init__(self, entries: _Optional[_Iterable[_Union[_entry_pb2.Entry, _Mapping]]] = ..., next_after_sequence: _Optional[int] = ...) -> None: ...

class GetStatementRequest(_message.Message):
    __slots__ = ("account", "as_of", "since")
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    AS_OF_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    account: str
    as_of: _timestamp_pb2.Timestamp
    since: _timestamp_pb2.Timestamp
    def __init__(self, account: _Optional[str] = ..., as_of: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class GetStatementResponse(_message.Message):
    __slots__ = ("book", "opening", "entries", "next_after_sequence")
    BOOK_FIELD_NUMBER: _ClassVar[int]
    OPENING_FIELD_NUMBER: _ClassVar[int]
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    NEXT_AFTER_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    book: _book_pb2.Book
    opening: _book_pb2.Book
    entries: _containers.RepeatedCompositeFieldContainer[_entry_pb2.Entry]
    next_after_sequence: int
    def __init__(self, book: _Optional[_Union[_book_pb2.Book, _Mapping]] = ..., opening: _Optional[_Union[_book_pb2.Book, _Mapping]] = ..., entries: _Optional[_Iterable[_Union[_entry_pb2.Entry, _Mapping]]] = ..., next_after_sequence: _Optional[int] = ...) -> None: ...

class GetProfitAndLossRequest(_message.Message):
    __slots__ = ("account", "since")
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    account: str
    since: _timestamp_pb2.Timestamp
    def __init__(self, account: _Optional[str] = ..., since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class GetProfitAndLossResponse(_message.Message):
    __slots__ = ("by_currency", "total", "unvalued")
    BY_CURRENCY_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    UNVALUED_FIELD_NUMBER: _ClassVar[int]
    by_currency: _containers.RepeatedCompositeFieldContainer[_balance_pb2.ProfitAndLoss]
    total: _balance_pb2.ProfitAndLoss
    unvalued: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, by_currency: _Optional[_Iterable[_Union[_balance_pb2.ProfitAndLoss, _Mapping]]] = ..., total: _Optional[_Union[_balance_pb2.ProfitAndLoss, _Mapping]] = ..., unvalued: _Optional[_Iterable[str]] = ...) -> None: ...

class StreamBalancesRequest(_message.Message):
    __slots__ = ("account", "interval", "resume_cursor", "max_messages")
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_FIELD_NUMBER: _ClassVar[int]
    RESUME_CURSOR_FIELD_NUMBER: _ClassVar[int]
    MAX_MESSAGES_FIELD_NUMBER: _ClassVar[int]
    account: str
    interval: _duration_pb2.Duration
    resume_cursor: str
    max_messages: int
    def __init__(self, account: _Optional[str] = ..., interval: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., resume_cursor: _Optional[str] = ..., max_messages: _Optional[int] = ...) -> None: ...

class StreamBalancesResponse(_message.Message):
    __slots__ = ("position", "balances", "heartbeat", "error", "end")
    POSITION_FIELD_NUMBER: _ClassVar[int]
    BALANCES_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    position: _stream_pb2.StreamPosition
    balances: _balance_pb2.Balances
    heartbeat: _stream_pb2.Heartbeat
    error: _status_pb2.Status
    end: _stream_pb2.StreamEnd
    def __init__(self, position: _Optional[_Union[_stream_pb2.StreamPosition, _Mapping]] = ..., balances: _Optional[_Union[_balance_pb2.Balances, _Mapping]] = ..., heartbeat: _Optional[_Union[_stream_pb2.Heartbeat, _Mapping]] = ..., error: _Optional[_Union[_status_pb2.Status, _Mapping]] = ..., end: _Optional[_Union[_stream_pb2.StreamEnd, _Mapping]] = ...) -> None: ...

class ListEquityRequest(_message.Message):
    __slots__ = ("accounts", "page_size", "page_token", "after_entry", "include_margin")
    ACCOUNTS_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    AFTER_ENTRY_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_MARGIN_FIELD_NUMBER: _ClassVar[int]
    accounts: _containers.RepeatedScalarFieldContainer[str]
    page_size: int
    page_token: str
    after_entry: int
    include_margin: bool
    def __init__(self, accounts: _Optional[_Iterable[str]] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., after_entry: _Optional[int] = ..., include_margin: _Optional[bool] = ...) -> None: ...

class ListEquityResponse(_message.Message):
    __slots__ = ("equities", "next_page_token", "last_entry")
    EQUITIES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    LAST_ENTRY_FIELD_NUMBER: _ClassVar[int]
    equities: _containers.RepeatedCompositeFieldContainer[_balance_pb2.Equity]
    next_page_token: str
    last_entry: int
    def __init__(self, equities: _Optional[_Iterable[_Union[_balance_pb2.Equity, _Mapping]]] = ..., next_page_token: _Optional[str] = ..., last_entry: _Optional[int] = ...) -> None: ...
