import datetime

from buf.validate import validate_pb2 as _validate_pb2
from crossrate.api.broker.v1 import break_pb2 as _break_pb2
from crossrate.api.common.v1 import stream_pb2 as _stream_pb2
from crossrate.api.policy.v1 import policy_pb2 as _policy_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.rpc import status_pb2 as _status_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ListBreaksRequest(_message.Message):
    __slots__ = ("closed", "venue", "instrument", "account", "type", "page_size", "page_token")
    CLOSED_FIELD_NUMBER: _ClassVar[int]
    VENUE_FIELD_NUMBER: _ClassVar[int]
    INSTRUMENT_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    closed: bool
    venue: str
    instrument: str
    account: str
    type: _break_pb2.BreakType
    page_size: int
    page_token: str
    def __init__(self, closed: _Optional[bool] = ..., venue: _Optional[str] = ..., instrument: _Optional[str] = ..., account: _Optional[str] = ..., type: _Optional[_Union[_break_pb2.BreakType, str]] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListBreaksResponse(_message.Message):
    __slots__ = ("breaks", "next_page_token", "runs")
    BREAKS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    RUNS_FIELD_NUMBER: _ClassVar[int]
    breaks: _containers.RepeatedCompositeFieldContainer[_break_pb2.Break]
    next_page_token: str
    runs: _containers.RepeatedCompositeFieldContainer[_break_pb2.ReconciliationRun]
    def __init__(self, breaks: _Optional[_Iterable[_Union[_break_pb2.Break, _Mapping]]] = ..., next_page_token: _Optional[str] = ..., runs: _Optional[_Iterable[_Union[_break_pb2.ReconciliationRun, _Mapping]]] = ...) -> None: ...

class GetBreakRequest(_message.Message):
    __slots__ = ("break_id",)
    BREAK_ID_FIELD_NUMBER: _ClassVar[int]
    break_id: str
    def __init__(self, break_id: _Optional[str] = ...) -> None: ...

class GetBreakResponse(_message.Message):
    __slots__ = ()
    BREAK_FIELD_NUMBER: _ClassVar[int]
    def __init__(self, **kwargs) -> None: ...

class WatchBreaksRequest(_message.Message):
    __slots__ = ("venue", "resume_cursor", "heartbeat_interval")
    VENUE_FIELD_NUMBER: _ClassVar[int]
    RESUME_CURSOR_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_INTERVAL_FIELD_NUMBER: _ClassVar[int]
    venue: str
    resume_cursor: str
    heartbeat_interval: _duration_pb2.Duration
    def __init__(self, venue: _Optional[str] = ..., resume_cursor: _Optional[str] = ..., heartbeat_interval: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class Breaks(_message.Message):
    __slots__ = ("breaks",)
    BREAKS_FIELD_NUMBER: _ClassVar[int]
    breaks: _containers.RepeatedCompositeFieldContainer[_break_pb2.Break]
    def __init__(self, breaks: _Optional[_Iterable[_Union[_break_pb2.Break, _Mapping]]] = ...) -> None: ...

class WatchBreaksResponse(_message.Message):
    __slots__ = ("position", "breaks", "heartbeat", "error", "end")
    POSITION_FIELD_NUMBER: _ClassVar[int]
    BREAKS_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    position: _stream_pb2.StreamPosition
    breaks: Breaks
    heartbeat: _stream_pb2.Heartbeat
    error: _status_pb2.Status
    end: _stream_pb2.StreamEnd
    def __init__(self, position: _Optional[_Union[_stream_pb2.StreamPosition, _Mapping]] = ..., breaks: _Optional[_Union[Breaks, _Mapping]] = ..., heartbeat: _Optional[_Union[_stream_pb2.Heartbeat, _Mapping]] = ..., error: _Optional[_Union[_status_pb2.Status, _Mapping]] = ..., end: _Optional[_Union[_stream_pb2.StreamEnd, _Mapping]] = ...) -> None: ...

class ProposeCorrectionRequest(_message.Message):
    __slots__ = ("request_id", "break_id", "action", "price", "reason", "validate_only")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    BREAK_ID_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    PRICE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    break_id: str
    action: _break_pb2.CorrectionAction
    price: str
    reason: str
    validate_only: bool
    def __init__(self, request_id: _Optional[str] = ..., break_id: _Optional[str] = ..., action: _Optional[_Union[_break_pb2.CorrectionAction, str]] = ..., price: _Optional[str] = ..., reason: _Optional[str] = ..., validate_only: _Optional[bool] = ...) -> None: ...

class ProposeCorrectionResponse(_message.Message):
    __slots__ = ()
    BREAK_FIELD_NUMBER: _ClassVar[int]
    def __init__(self, **kwargs) -> None: ...

class ApproveCorrectionRequest(_message.Message):
    __slots__ = ("request_id", "break_id", "correction_id", "reject", "validate_only")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    BREAK_ID_FIELD_NUMBER: _ClassVar[int]
    CORRECTION_ID_FIELD_NUMBER: _ClassVar[int]
    REJECT_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    break_id: str
    correction_id: str
    reject: bool
    validate_only: bool
    def __init__(self, request_id: _Optional[str] = ..., break_id: _Optional[str] = ..., correction_id: _Optional[str] = ..., reject: _Optional[bool] = ..., validate_only: _Optional[bool] = ...) -> None: ...

class ApproveCorrectionResponse(_message.Message):
    __slots__ = ()
    BREAK_FIELD_NUMBER: _ClassVar[int]
    def __init__(self, **kwargs) -> None: ...

class RunReconciliationRequest(_message.Message):
    __slots__ = ("request_id", "venue", "whole")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    VENUE_FIELD_NUMBER: _ClassVar[int]
    WHOLE_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    venue: str
    whole: bool
    def __init__(self, request_id: _Optional[str] = ..., venue: _Optional[str] = ..., whole: _Optional[bool] = ...) -> None: ...

class RunReconciliationResponse(_message.Message):
    __slots__ = ("run", "breaks")
    RUN_FIELD_NUMBER: _ClassVar[int]
    BREAKS_FIELD_NUMBER: _ClassVar[int]
    run: _break_pb2.ReconciliationRun
    breaks: _containers.RepeatedCompositeFieldContainer[_break_pb2.Break]
    def __init__(self, run: _Optional[_Union[_break_pb2.ReconciliationRun, _Mapping]] = ..., breaks: _Optional[_Iterable[_Union[_break_pb2.Break, _Mapping]]] = ...) -> None: ...
