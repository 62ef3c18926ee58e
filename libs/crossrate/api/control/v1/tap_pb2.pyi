import datetime

from buf.validate import validate_pb2 as _validate_pb2
from crossrate.api.instance.v1 import instance_service_pb2 as _instance_service_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class TapRequest(_message.Message):
    __slots__ = ("method", "max_messages", "service", "callers", "account", "codes", "call_request_id", "sample_percent", "max_duration", "comment")
    METHOD_FIELD_NUMBER: _ClassVar[int]
    MAX_MESSAGES_FIELD_NUMBER: _ClassVar[int]
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    CALLERS_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    CODES_FIELD_NUMBER: _ClassVar[int]
    CALL_REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_PERCENT_FIELD_NUMBER: _ClassVar[int]
    MAX_DURATION_FIELD_NUMBER: _ClassVar[int]
    COMMENT_FIELD_NUMBER: _ClassVar[int]
    method: str
    max_messages: int
    service: str
    callers: _containers.RepeatedScalarFieldContainer[str]
    account: str
    codes: _containers.RepeatedScalarFieldContainer[str]
    call_request_id: str
    sample_percent: float
    max_duration: _duration_pb2.Duration
    comment: str
    def __init__(self, method: _Optional[str] = ..., max_messages: _Optional[int] = ..., service: _Optional[str] = ..., callers: _Optional[_Iterable[str]] = ..., account: _Optional[str] = ..., codes: _Optional[_Iterable[str]] = ..., call_request_id: _Optional[str] = ..., sample_percent: _Optional[float] = ..., max_duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., comment: _Optional[str] = ...) -> None: ...

class TapResponse(_message.Message):
    __slots__ = ("message",)
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    message: _instance_service_pb2.TapMessagesResponse
    def __init__(self, message: _Optional[_Union[_instance_service_pb2.TapMessagesResponse, _Mapping]] = ...) -> None: ...

class TapHeadersRequest(_message.Message):
    __slots__ = ("method", "max_messages", "service", "callers", "account", "codes", "call_request_id", "sample_percent", "max_duration", "comment")
    METHOD_FIELD_NUMBER: _ClassVar[int]
    MAX_MESSAGES_FIELD_NUMBER: _ClassVar[int]
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    CALLERS_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    CODES_FIELD_NUMBER: _ClassVar[int]
    CALL_REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_PERCENT_FIELD_NUMBER: _ClassVar[int]
    MAX_DURATION_FIELD_NUMBER: _ClassVar[int]
    COMMENT_FIELD_NUMBER: _ClassVar[int]
    method: str
    max_messages: int
    service: str
    callers: _containers.RepeatedScalarFieldContainer[str]
    account: str
    codes: _containers.RepeatedScalarFieldContainer[str]
    call_request_id: str
    sample_percent: float
    max_duration: _duration_pb2.Duration
    comment: str
    def __init__(self, method: _Optional[str] = ..., max_messages: _Optional[int] = ..., service: _Optional[str] = ..., callers: _Optional[_Iterable[str]] = ..., account: _Optional[str] = ..., codes: _Optional[_Iterable[str]] = ..., call_request_id: _Optional[str] = ..., sample_percent: _Optional[float] = ..., max_duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., comment: _Optional[str] = ...) -> None: ...

class TapHeadersResponse(_message.Message):
    __slots__ = ("message",)
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    message: _instance_service_pb2.TapMessagesResponse
    def __init__(self, message: _Optional[_Union[_instance_service_pb2.TapMessagesResponse, _Mapping]] = ...) -> None: ...
