import datetime

from buf.validate import validate_pb2 as _validate_pb2
from crossrate.api.common.v1 import stream_pb2 as _stream_pb2
from crossrate.api.policy.v1 import policy_pb2 as _policy_pb2
from crossrate.api.risk.v1 import margin_call_pb2 as _margin_call_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.rpc import status_pb2 as _status_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GetMarginStandingRequest(_message.Message):
    __slots__ = ("account",)
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    account: str
    def __init__(self, account: _Optional[str] = ...) -> None: ...

class GetMarginStandingResponse(_message.Message):
    __slots__ = ("standing",)
    STANDING_FIELD_NUMBER: _ClassVar[int]
    standing: _margin_call_pb2.MarginStanding
    def __init__(self, standing: _Optional[_Union[_margin_call_pb2.MarginStanding, _Mapping]] = ...) -> None: ...

class ListMarginStandingsRequest(_message.Message):
    __slots__ = ("desk", "called", "page_size")
    DESK_FIELD_NUMBER: _ClassVar[int]
    CALLED_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    desk: str
    called: bool
    page_size: int
    def __init__(self, desk: _Optional[str] = ..., called: _Optional[bool] = ..., page_size: _Optional[int] = ...) -> None: ...

class ListMarginStandingsResponse(_message.Message):
    __slots__ = ("standings", "total_size")
    STANDINGS_FIELD_NUMBER: _ClassVar[int]
    TOTAL_SIZE_FIELD_NUMBER: _ClassVar[int]
    standings: _containers.RepeatedCompositeFieldContainer[_margin_call_pb2.MarginStanding]
    total_size: int
    def __init__(self, standings: _Optional[_Iterable[_Union[_margin_call_pb2.MarginStanding, _Mapping]]] = ..., total_size: _Optional[int] = ...) -> None: ...

class StreamMarginCallsRequest(_message.Message):
    __slots__ = ("resume_cursor", "heartbeat_interval")
    RESUME_CURSOR_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_INTERVAL_FIELD_NUMBER: _ClassVar[int]
    resume_cursor: str
    heartbeat_interval: _duration_pb2.Duration
    def __init__(self, resume_cursor: _Optional[str] = ..., heartbeat_interval: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class StreamMarginCallsResponse(_message.Message):
    __slots__ = ("position", "standings", "heartbeat", "error", "end")
    POSITION_FIELD_NUMBER: _ClassVar[int]
    STANDINGS_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    position: _stream_pb2.StreamPosition
    standings: MarginStandings
    heartbeat: _stream_pb2.Heartbeat
    error: _status_pb2.Status
    end: _stream_pb2.StreamEnd
    def __init__(self, position: _Optional[_Union[_stream_pb2.StreamPosition, _Mapping]] = ..., standings: _Optional[_Union[MarginStandings, _Mapping]] = ..., heartbeat: _Optional[_Union[_stream_pb2.Heartbeat, _Mapping]] = ..., error: _Optional[_Union[_status_pb2.Status, _Mapping]] = ..., end: _Optional[_Union[_stream_pb2.StreamEnd, _Mapping]] = ...) -> None: ...

class MarginStandings(_message.Message):
    __slots__ = ("standings",)
    STANDINGS_FIELD_NUMBER: _ClassVar[int]
    standings: _containers.RepeatedCompositeFieldContainer[_margin_call_pb2.MarginStanding]
    def __init__(self, standings: _Optional[_Iterable[_Union[_margin_call_pb2.MarginStanding, _Mapping]]] = ...) -> None: ...

class GetCloseOutRequest(_message.Message):
    __slots__ = ("close_out_id",)
    CLOSE_OUT_ID_FIELD_NUMBER: _ClassVar[int]
    close_out_id: str
    def __init__(self, close_out_id: _Optional[str] = ...) -> None: ...

class GetCloseOutResponse(_message.Message):
    __slots__ = ("close_out",)
    CLOSE_OUT_FIELD_NUMBER: _ClassVar[int]
    close_out: _margin_call_pb2.CloseOut
    def __init__(self, close_out: _Optional[_Union[_margin_call_pb2.CloseOut, _Mapping]] = ...) -> None: ...

class ListCloseOutsRequest(_message.Message):
    __slots__ = ("account", "page_size", "page_token")
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    account: str
    page_size: int
    page_token: str
    def __init__(self, account: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListCloseOutsResponse(_message.Message):
    __slots__ = ("close_outs", "next_page_token")
    CLOSE_OUTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    close_outs: _containers.RepeatedCompositeFieldContainer[_margin_call_pb2.CloseOut]
    next_page_token: str
    def __init__(self, close_outs: _Optional[_Iterable[_Union[_margin_call_pb2.CloseOut, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...
