import datetime

from crossrate.api.instance.v1 import call_pb2 as _call_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Edge(_message.Message):
    __slots__ = ("caller", "service", "method", "version", "candidate", "instance_count", "call_count", "calls_per_s", "success_share", "failure_count", "latency_p50", "latency_p99", "in_flight_count", "messages_per_s", "streaming")
    CALLER_FIELD_NUMBER: _ClassVar[int]
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    CANDIDATE_FIELD_NUMBER: _ClassVar[int]
    INSTANCE_COUNT_FIELD_NUMBER: _ClassVar[int]
    CALL_COUNT_FIELD_NUMBER: _ClassVar[int]
    CALLS_PER_S_FIELD_NUMBER: _ClassVar[int]
    SUCCESS_SHARE_FIELD_NUMBER: _ClassVar[int]
    FAILURE_COUNT_FIELD_NUMBER: _ClassVar[int]
    LATENCY_P50_FIELD_NUMBER: _ClassVar[int]
    LATENCY_P99_FIELD_NUMBER: _ClassVar[int]
    IN_FLIGHT_COUNT_FIELD_NUMBER: _ClassVar[int]
    MESSAGES_PER_S_FIELD_NUMBER: _ClassVar[int]
    STREAMING_FIELD_NUMBER: _ClassVar[int]
    caller: str
    service: str
    method: str
    version: str
    candidate: bool
    instance_count: int
    call_count: int
    calls_per_s: float
    success_share: float
    failure_count: int
    latency_p50: _duration_pb2.Duration
    latency_p99: _duration_pb2.Duration
    in_flight_count: int
    messages_per_s: float
    streaming: bool
    def __init__(self, caller: _Optional[str] = ..., service: _Optional[str] = ..., method: _Optional[str] = ..., version: _Optional[str] = ..., candidate: _Optional[bool] = ..., instance_count: _Optional[int] = ..., call_count: _Optional[int] = ..., calls_per_s: _Optional[float] = ..., success_share: _Optional[float] = ..., failure_count: _Optional[int] = ..., latency_p50: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., latency_p99: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., in_flight_count: _Optional[int] = ..., messages_per_s: _Optional[float] = ..., streaming: _Optional[bool] = ...) -> None: ...

class ProcessLoad(_message.Message):
    __slots__ = ("process", "kind", "pid", "version", "state", "processor_share", "memory_bytes", "memory_is_resident", "restart_count", "calls_per_s", "failures_per_s", "latency_p99", "in_flight_count", "loop_lag_max")
    PROCESS_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    PID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    PROCESSOR_SHARE_FIELD_NUMBER: _ClassVar[int]
    MEMORY_BYTES_FIELD_NUMBER: _ClassVar[int]
    MEMORY_IS_RESIDENT_FIELD_NUMBER: _ClassVar[int]
    RESTART_COUNT_FIELD_NUMBER: _ClassVar[int]
    CALLS_PER_S_FIELD_NUMBER: _ClassVar[int]
    FAILURES_PER_S_FIELD_NUMBER: _ClassVar[int]
    LATENCY_P99_FIELD_NUMBER: _ClassVar[int]
    IN_FLIGHT_COUNT_FIELD_NUMBER: _ClassVar[int]
    LOOP_LAG_MAX_FIELD_NUMBER: _ClassVar[int]
    process: str
    kind: str
    pid: int
    version: str
    state: str
    processor_share: float
    memory_bytes: int
    memory_is_resident: bool
    restart_count: int
    calls_per_s: float
    failures_per_s: float
    latency_p99: _duration_pb2.Duration
    in_flight_count: int
    loop_lag_max: _duration_pb2.Duration
    def __init__(self, process: _Optional[str] = ..., kind: _Optional[str] = ..., pid: _Optional[int] = ..., version: _Optional[str] = ..., state: _Optional[str] = ..., processor_share: _Optional[float] = ..., memory_bytes: _Optional[int] = ..., memory_is_resident: _Optional[bool] = ..., restart_count: _Optional[int] = ..., calls_per_s: _Optional[float] = ..., failures_per_s: _Optional[float] = ..., latency_p99: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., in_flight_count: _Optional[int] = ..., loop_lag_max: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class Unmeasured(_message.Message):
    __slots__ = ("instance", "why")
    INSTANCE_FIELD_NUMBER: _ClassVar[int]
    WHY_FIELD_NUMBER: _ClassVar[int]
    instance: str
    why: str
    def __init__(self, instance: _Optional[str] = ..., why: _Optional[str] = ...) -> None: ...

class ProxyAnswer(_message.Message):
    __slots__ = ("begin_time", "elapsed", "listener", "method", "caller", "code", "details", "explanation")
    BEGIN_TIME_FIELD_NUMBER: _ClassVar[int]
    ELAPSED_FIELD_NUMBER: _ClassVar[int]
    LISTENER_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    CALLER_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    DETAILS_FIELD_NUMBER: _ClassVar[int]
    EXPLANATION_FIELD_NUMBER: _ClassVar[int]
    begin_time: _timestamp_pb2.Timestamp
    elapsed: _duration_pb2.Duration
    listener: str
    method: str
    caller: str
    code: str
    details: str
    explanation: str
    def __init__(self, begin_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., elapsed: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., listener: _Optional[str] = ..., method: _Optional[str] = ..., caller: _Optional[str] = ..., code: _Optional[str] = ..., details: _Optional[str] = ..., explanation: _Optional[str] = ...) -> None: ...

class CallHop(_message.Message):
    __slots__ = ("call", "parent", "upstream", "handler", "transit", "attempt")
    CALL_FIELD_NUMBER: _ClassVar[int]
    PARENT_FIELD_NUMBER: _ClassVar[int]
    UPSTREAM_FIELD_NUMBER: _ClassVar[int]
    HANDLER_FIELD_NUMBER: _ClassVar[int]
    TRANSIT_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    call: _call_pb2.CallRecord
    parent: int
    upstream: _duration_pb2.Duration
    handler: _duration_pb2.Duration
    transit: _duration_pb2.Duration
    attempt: int
    def __init__(self, call: _Optional[_Union[_call_pb2.CallRecord, _Mapping]] = ..., parent: _Optional[int] = ..., upstream: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., handler: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., transit: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., attempt: _Optional[int] = ...) -> None: ...
