import datetime

from buf.validate import validate_pb2 as _validate_pb2
from crossrate.api.instance.v1 import call_pb2 as _call_pb2
from crossrate.api.policy.v1 import policy_pb2 as _policy_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import struct_pb2 as _struct_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.rpc import status_pb2 as _status_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class TapDirection(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TAP_DIRECTION_UNSPECIFIED: _ClassVar[TapDirection]
    TAP_DIRECTION_REQUEST: _ClassVar[TapDirection]
    TAP_DIRECTION_RESPONSE: _ClassVar[TapDirection]
    TAP_DIRECTION_STATUS: _ClassVar[TapDirection]
TAP_DIRECTION_UNSPECIFIED: TapDirection
TAP_DIRECTION_REQUEST: TapDirection
TAP_DIRECTION_RESPONSE: TapDirection
TAP_DIRECTION_STATUS: TapDirection

class DescribeInstanceRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class DescribeInstanceResponse(_message.Message):
    __slots__ = ("service", "instance", "version", "config_version", "config", "config_error", "ready_time", "calls_in_flight")
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    INSTANCE_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    CONFIG_VERSION_FIELD_NUMBER: _ClassVar[int]
    CONFIG_FIELD_NUMBER: _ClassVar[int]
    CONFIG_ERROR_FIELD_NUMBER: _ClassVar[int]
    READY_TIME_FIELD_NUMBER: _ClassVar[int]
    CALLS_IN_FLIGHT_FIELD_NUMBER: _ClassVar[int]
    service: str
    instance: str
    version: str
    config_version: int
    config: _struct_pb2.Struct
    config_error: str
    ready_time: _timestamp_pb2.Timestamp
    calls_in_flight: int
    def __init__(self, service: _Optional[str] = ..., instance: _Optional[str] = ..., version: _Optional[str] = ..., config_version: _Optional[int] = ..., config: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., config_error: _Optional[str] = ..., ready_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., calls_in_flight: _Optional[int] = ...) -> None: ...

class CheckConfigRequest(_message.Message):
    __slots__ = ("config",)
    CONFIG_FIELD_NUMBER: _ClassVar[int]
    config: _struct_pb2.Struct
    def __init__(self, config: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ...) -> None: ...

class CheckConfigResponse(_message.Message):
    __slots__ = ("errors", "config")
    ERRORS_FIELD_NUMBER: _ClassVar[int]
    CONFIG_FIELD_NUMBER: _ClassVar[int]
    errors: _containers.RepeatedScalarFieldContainer[str]
    config: _struct_pb2.Struct
    def __init__(self, errors: _Optional[_Iterable[str]] = ..., config: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ...) -> None: ...

class TapMessagesRequest(_message.Message):
    __slots__ = ("method", "max_messages", "callers", "account", "codes", "call_request_id", "sample_percent", "headers_only")
    METHOD_FIELD_NUMBER: _ClassVar[int]
    MAX_MESSAGES_FIELD_NUMBER: _ClassVar[int]
    CALLERS_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    CODES_FIELD_NUMBER: _ClassVar[int]
    CALL_REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_PERCENT_FIELD_NUMBER: _ClassVar[int]
    HEADERS_ONLY_FIELD_NUMBER: _ClassVar[int]
    method: str
    max_messages: int
    callers: _containers.RepeatedScalarFieldContainer[str]
    account: str
    codes: _containers.RepeatedScalarFieldContainer[str]
    call_request_id: str
    sample_percent: float
    headers_only: bool
    def __init__(self, method: _Optional[str] = ..., max_messages: _Optional[int] = ..., callers: _Optional[_Iterable[str]] = ..., account: _Optional[str] = ..., codes: _Optional[_Iterable[str]] = ..., call_request_id: _Optional[str] = ..., sample_percent: _Optional[float] = ..., headers_only: _Optional[bool] = ...) -> None: ...

class TapMessagesResponse(_message.Message):
    __slots__ = ("time", "instance", "method", "direction", "caller", "request_id", "body", "dropped_count", "principal", "size_bytes", "code", "elapsed")
    TIME_FIELD_NUMBER: _ClassVar[int]
    INSTANCE_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    DIRECTION_FIELD_NUMBER: _ClassVar[int]
    CALLER_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    BODY_FIELD_NUMBER: _ClassVar[int]
    DROPPED_COUNT_FIELD_NUMBER: _ClassVar[int]
    PRINCIPAL_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    ELAPSED_FIELD_NUMBER: _ClassVar[int]
    time: _timestamp_pb2.Timestamp
    instance: str
    method: str
    direction: TapDirection
    caller: str
    request_id: str
    body: str
    dropped_count: int
    principal: str
    size_bytes: int
    code: str
    elapsed: _duration_pb2.Duration
    def __init__(self, time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., instance: _Optional[str] = ..., method: _Optional[str] = ..., direction: _Optional[_Union[TapDirection, str]] = ..., caller: _Optional[str] = ..., request_id: _Optional[str] = ..., body: _Optional[str] = ..., dropped_count: _Optional[int] = ..., principal: _Optional[str] = ..., size_bytes: _Optional[int] = ..., code: _Optional[str] = ..., elapsed: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class MeasureInstanceRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class MeasureInstanceResponse(_message.Message):
    __slots__ = ("counted", "bucket_bounds_s", "calls", "in_flight_count", "processor_time", "resident_bytes", "loop_lag_max", "version")
    COUNTED_FIELD_NUMBER: _ClassVar[int]
    BUCKET_BOUNDS_S_FIELD_NUMBER: _ClassVar[int]
    CALLS_FIELD_NUMBER: _ClassVar[int]
    IN_FLIGHT_COUNT_FIELD_NUMBER: _ClassVar[int]
    PROCESSOR_TIME_FIELD_NUMBER: _ClassVar[int]
    RESIDENT_BYTES_FIELD_NUMBER: _ClassVar[int]
    LOOP_LAG_MAX_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    counted: _duration_pb2.Duration
    bucket_bounds_s: _containers.RepeatedScalarFieldContainer[float]
    calls: _containers.RepeatedCompositeFieldContainer[_call_pb2.CallCounts]
    in_flight_count: int
    processor_time: _duration_pb2.Duration
    resident_bytes: int
    loop_lag_max: _duration_pb2.Duration
    version: str
    def __init__(self, counted: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., bucket_bounds_s: _Optional[_Iterable[float]] = ..., calls: _Optional[_Iterable[_Union[_call_pb2.CallCounts, _Mapping]]] = ..., in_flight_count: _Optional[int] = ..., processor_time: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., resident_bytes: _Optional[int] = ..., loop_lag_max: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., version: _Optional[str] = ...) -> None: ...

class FindCallsRequest(_message.Message):
    __slots__ = ("call_request_id",)
    CALL_REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    call_request_id: str
    def __init__(self, call_request_id: _Optional[str] = ...) -> None: ...

class FindCallsResponse(_message.Message):
    __slots__ = ("calls", "all_since", "notable_since")
    CALLS_FIELD_NUMBER: _ClassVar[int]
    ALL_SINCE_FIELD_NUMBER: _ClassVar[int]
    NOTABLE_SINCE_FIELD_NUMBER: _ClassVar[int]
    calls: _containers.RepeatedCompositeFieldContainer[_call_pb2.CallRecord]
    all_since: _timestamp_pb2.Timestamp
    notable_since: _timestamp_pb2.Timestamp
    def __init__(self, calls: _Optional[_Iterable[_Union[_call_pb2.CallRecord, _Mapping]]] = ..., all_since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., notable_since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class MirrorCallsRequest(_message.Message):
    __slots__ = ("methods", "share_bp", "calls_per_second_max")
    METHODS_FIELD_NUMBER: _ClassVar[int]
    SHARE_BP_FIELD_NUMBER: _ClassVar[int]
    CALLS_PER_SECOND_MAX_FIELD_NUMBER: _ClassVar[int]
    methods: _containers.RepeatedScalarFieldContainer[str]
    share_bp: int
    calls_per_second_max: int
    def __init__(self, methods: _Optional[_Iterable[str]] = ..., share_bp: _Optional[int] = ..., calls_per_second_max: _Optional[int] = ...) -> None: ...

class MirrorCallsResponse(_message.Message):
    __slots__ = ("time", "method", "request_id", "headers", "request", "answer", "failure", "dropped_count")
    class HeadersEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    TIME_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    HEADERS_FIELD_NUMBER: _ClassVar[int]
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    DROPPED_COUNT_FIELD_NUMBER: _ClassVar[int]
    time: _timestamp_pb2.Timestamp
    method: str
    request_id: str
    headers: _containers.ScalarMap[str, str]
    request: bytes
    answer: bytes
    failure: _status_pb2.Status
    dropped_count: int
    def __init__(self, time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., method: _Optional[str] = ..., request_id: _Optional[str] = ..., headers: _Optional[_Mapping[str, str]] = ..., request: _Optional[bytes] = ..., answer: _Optional[bytes] = ..., failure: _Optional[_Union[_status_pb2.Status, _Mapping]] = ..., dropped_count: _Optional[int] = ...) -> None: ...
