import datetime

from buf.validate import validate_pb2 as _validate_pb2
from crossrate.api.control.v1 import observability_pb2 as _observability_pb2
from crossrate.api.policy.v1 import policy_pb2 as _policy_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ListEdgesRequest(_message.Message):
    __slots__ = ("window", "caller", "service", "include_idle")
    WINDOW_FIELD_NUMBER: _ClassVar[int]
    CALLER_FIELD_NUMBER: _ClassVar[int]
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_IDLE_FIELD_NUMBER: _ClassVar[int]
    window: _duration_pb2.Duration
    caller: str
    service: str
    include_idle: bool
    def __init__(self, window: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., caller: _Optional[str] = ..., service: _Optional[str] = ..., include_idle: _Optional[bool] = ...) -> None: ...

class ListEdgesResponse(_message.Message):
    __slots__ = ("edges", "window", "time", "unmeasured")
    EDGES_FIELD_NUMBER: _ClassVar[int]
    WINDOW_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    UNMEASURED_FIELD_NUMBER: _ClassVar[int]
    edges: _containers.RepeatedCompositeFieldContainer[_observability_pb2.Edge]
    window: _duration_pb2.Duration
    time: _timestamp_pb2.Timestamp
    unmeasured: _containers.RepeatedCompositeFieldContainer[_observability_pb2.Unmeasured]
    def __init__(self, edges: _Optional[_Iterable[_Union[_observability_pb2.Edge, _Mapping]]] = ..., window: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., unmeasured: _Optional[_Iterable[_Union[_observability_pb2.Unmeasured, _Mapping]]] = ...) -> None: ...

class ListProcessesRequest(_message.Message):
    __slots__ = ("window",)
    WINDOW_FIELD_NUMBER: _ClassVar[int]
    window: _duration_pb2.Duration
    def __init__(self, window: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class ListProcessesResponse(_message.Message):
    __slots__ = ("processes", "window", "time", "unmeasured", "node_error", "core_count")
    PROCESSES_FIELD_NUMBER: _ClassVar[int]
    WINDOW_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    UNMEASURED_FIELD_NUMBER: _ClassVar[int]
    NODE_ERROR_FIELD_NUMBER: _ClassVar[int]
    CORE_COUNT_FIELD_NUMBER: _ClassVar[int]
    processes: _containers.RepeatedCompositeFieldContainer[_observability_pb2.ProcessLoad]
    window: _duration_pb2.Duration
    time: _timestamp_pb2.Timestamp
    unmeasured: _containers.RepeatedCompositeFieldContainer[_observability_pb2.Unmeasured]
    node_error: str
    core_count: int
    def __init__(self, processes: _Optional[_Iterable[_Union[_observability_pb2.ProcessLoad, _Mapping]]] = ..., window: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., unmeasured: _Optional[_Iterable[_Union[_observability_pb2.Unmeasured, _Mapping]]] = ..., node_error: _Optional[str] = ..., core_count: _Optional[int] = ...) -> None: ...

class ExplainCallRequest(_message.Message):
    __slots__ = ("call_request_id",)
    CALL_REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    call_request_id: str
    def __init__(self, call_request_id: _Optional[str] = ...) -> None: ...

class ExplainCallResponse(_message.Message):
    __slots__ = ("hops", "proxy_answers", "conclusion", "unmeasured")
    HOPS_FIELD_NUMBER: _ClassVar[int]
    PROXY_ANSWERS_FIELD_NUMBER: _ClassVar[int]
    CONCLUSION_FIELD_NUMBER: _ClassVar[int]
    UNMEASURED_FIELD_NUMBER: _ClassVar[int]
    hops: _containers.RepeatedCompositeFieldContainer[_observability_pb2.CallHop]
    proxy_answers: _containers.RepeatedCompositeFieldContainer[_observability_pb2.ProxyAnswer]
    conclusion: str
    unmeasured: _containers.RepeatedCompositeFieldContainer[_observability_pb2.Unmeasured]
    def __init__(self, hops: _Optional[_Iterable[_Union[_observability_pb2.CallHop, _Mapping]]] = ..., proxy_answers: _Optional[_Iterable[_Union[_observability_pb2.ProxyAnswer, _Mapping]]] = ..., conclusion: _Optional[str] = ..., unmeasured: _Optional[_Iterable[_Union[_observability_pb2.Unmeasured, _Mapping]]] = ...) -> None: ...
