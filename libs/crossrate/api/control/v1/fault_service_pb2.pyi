import datetime

from buf.validate import validate_pb2 as _validate_pb2
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

class Fault(_message.Message):
    __slots__ = ("fault", "service", "method", "caller", "percent", "delay", "abort_code", "comment", "author", "create_time", "expire_time")
    FAULT_FIELD_NUMBER: _ClassVar[int]
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    CALLER_FIELD_NUMBER: _ClassVar[int]
    PERCENT_FIELD_NUMBER: _ClassVar[int]
    DELAY_FIELD_NUMBER: _ClassVar[int]
    ABORT_CODE_FIELD_NUMBER: _ClassVar[int]
    COMMENT_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    fault: str
    service: str
    method: str
    caller: str
    percent: float
    delay: _duration_pb2.Duration
    abort_code: str
    comment: str
    author: str
    create_time: _timestamp_pb2.Timestamp
    expire_time: _timestamp_pb2.Timestamp
    def __init__(self, fault: _Optional[str] = ..., service: _Optional[str] = ..., method: _Optional[str] = ..., caller: _Optional[str] = ..., percent: _Optional[float] = ..., delay: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., abort_code: _Optional[str] = ..., comment: _Optional[str] = ..., author: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class AddFaultRequest(_message.Message):
    __slots__ = ("request_id", "fault", "lifetime", "validate_only")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    FAULT_FIELD_NUMBER: _ClassVar[int]
    LIFETIME_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    fault: Fault
    lifetime: _duration_pb2.Duration
    validate_only: bool
    def __init__(self, request_id: _Optional[str] = ..., fault: _Optional[_Union[Fault, _Mapping]] = ..., lifetime: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., validate_only: _Optional[bool] = ...) -> None: ...

class AddFaultResponse(_message.Message):
    __slots__ = ("fault", "snapshot_version")
    FAULT_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_VERSION_FIELD_NUMBER: _ClassVar[int]
    fault: Fault
    snapshot_version: int
    def __init__(self, fault: _Optional[_Union[Fault, _Mapping]] = ..., snapshot_version: _Optional[int] = ...) -> None: ...

class RemoveFaultRequest(_message.Message):
    __slots__ = ("request_id", "fault", "validate_only")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    FAULT_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    fault: str
    validate_only: bool
    def __init__(self, request_id: _Optional[str] = ..., fault: _Optional[str] = ..., validate_only: _Optional[bool] = ...) -> None: ...

class RemoveFaultResponse(_message.Message):
    __slots__ = ("removed", "snapshot_version")
    REMOVED_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_VERSION_FIELD_NUMBER: _ClassVar[int]
    removed: _containers.RepeatedCompositeFieldContainer[Fault]
    snapshot_version: int
    def __init__(self, removed: _Optional[_Iterable[_Union[Fault, _Mapping]]] = ..., snapshot_version: _Optional[int] = ...) -> None: ...

class ListFaultsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListFaultsResponse(_message.Message):
    __slots__ = ("faults",)
    FAULTS_FIELD_NUMBER: _ClassVar[int]
    faults: _containers.RepeatedCompositeFieldContainer[Fault]
    def __init__(self, faults: _Optional[_Iterable[_Union[Fault, _Mapping]]] = ...) -> None: ...
