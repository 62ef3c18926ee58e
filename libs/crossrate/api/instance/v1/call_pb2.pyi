import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CallDecision(_message.Message):
    __slots__ = ("check", "passed", "explanation")
    CHECK_FIELD_NUMBER: _ClassVar[int]
    PASSED_FIELD_NUMBER: _ClassVar[int]
    EXPLANATION_FIELD_NUMBER: _ClassVar[int]
    check: str
    passed: bool
    explanation: str
    def __init__(self, check: _Optional[str] = ..., passed: _Optional[bool] = ..., explanation: _Optional[str] = ...) -> None: ...

class OutgoingCall(_message.Message):
    __slots__ = ("method", "begin_offset", "elapsed", "code", "attempts")
    METHOD_FIELD_NUMBER: _ClassVar[int]
    BEGIN_OFFSET_FIELD_NUMBER: _ClassVar[int]
    ELAPSED_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    method: str
    begin_offset: _duration_pb2.Duration
    elapsed: _duration_pb2.Duration
    code: str
    attempts: int
    def __init__(self, method: _Optional[str] = ..., begin_offset: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., elapsed: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., code: _Optional[str] = ..., attempts: _Optional[int] = ...) -> None: ...

class CallRecord(_message.Message):
    __slots__ = ("request_id", "trace_id", "span_id", "parent_span_id", "service", "instance", "version", "candidate", "method", "caller", "principal", "begin_time", "elapsed", "waited", "deadline", "code", "reason", "message", "received_count", "sent_count", "release", "decisions", "outgoing")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    TRACE_ID_FIELD_NUMBER: _ClassVar[int]
    SPAN_ID_FIELD_NUMBER: _ClassVar[int]
    PARENT_SPAN_ID_FIELD_NUMBER: _ClassVar[int]
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    INSTANCE_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    CANDIDATE_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    CALLER_FIELD_NUMBER: _ClassVar[int]
    PRINCIPAL_FIELD_NUMBER: _ClassVar[int]
    BEGIN_TIME_FIELD_NUMBER: _ClassVar[int]
    ELAPSED_FIELD_NUMBER: _ClassVar[int]
    WAITED_FIELD_NUMBER: _ClassVar[int]
    DEADLINE_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_COUNT_FIELD_NUMBER: _ClassVar[int]
    SENT_COUNT_FIELD_NUMBER: _ClassVar[int]
    RELEASE_FIELD_NUMBER: _ClassVar[int]
    DECISIONS_FIELD_NUMBER: _ClassVar[int]
    OUTGOING_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    trace_id: str
    span_id: str
    parent_span_id: str
    service: str
    instance: str
    version: str
    candidate: bool
    method: str
    caller: str
    principal: str
    begin_time: _timestamp_pb2.Timestamp
    elapsed: _duration_pb2.Duration
    waited: _duration_pb2.Duration
    deadline: _duration_pb2.Duration
    code: str
    reason: str
    message: str
    received_count: int
    sent_count: int
    release: str
    decisions: _containers.RepeatedCompositeFieldContainer[CallDecision]
    outgoing: _containers.RepeatedCompositeFieldContainer[OutgoingCall]
    def __init__(self, request_id: _Optional[str] = ..., trace_id: _Optional[str] = ..., span_id: _Optional[str] = ..., parent_span_id: _Optional[str] = ..., service: _Optional[str] = ..., instance: _Optional[str] = ..., version: _Optional[str] = ..., candidate: _Optional[bool] = ..., method: _Optional[str] = ..., caller: _Optional[str] = ..., principal: _Optional[str] = ..., begin_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., elapsed: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., waited: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., deadline: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., code: _Optional[str] = ..., reason: _Optional[str] = ..., message: _Optional[str] = ..., received_count: _Optional[int] = ..., sent_count: _Optional[int] = ..., release: _Optional[str] = ..., decisions: _Optional[_Iterable[_Union[CallDecision, _Mapping]]] = ..., outgoing: _Optional[_Iterable[_Union[OutgoingCall, _Mapping]]] = ...) -> None: ...

class CodeCount(_message.Message):
    __slots__ = ("code", "count")
    CODE_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    code: int
    count: int
    def __init__(self, code: _Optional[int] = ..., count: _Optional[int] = ...) -> None: ...

class CallCounts(_message.Message):
    __slots__ = ("caller", "method", "codes", "buckets", "in_flight_count", "sent_count", "streaming")
    CALLER_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    CODES_FIELD_NUMBER: _ClassVar[int]
    BUCKETS_FIELD_NUMBER: _ClassVar[int]
    IN_FLIGHT_COUNT_FIELD_NUMBER: _ClassVar[int]
    SENT_COUNT_FIELD_NUMBER: _ClassVar[int]
    STREAMING_FIELD_NUMBER: _ClassVar[int]
    caller: str
    method: str
    codes: _containers.RepeatedCompositeFieldContainer[CodeCount]
    buckets: _containers.RepeatedScalarFieldContainer[int]
    in_flight_count: int
    sent_count: int
    streaming: bool
    def __init__(self, caller: _Optional[str] = ..., method: _Optional[str] = ..., codes: _Optional[_Iterable[_Union[CodeCount, _Mapping]]] = ..., buckets: _Optional[_Iterable[int]] = ..., in_flight_count: _Optional[int] = ..., sent_count: _Optional[int] = ..., streaming: _Optional[bool] = ...) -> None: ...
