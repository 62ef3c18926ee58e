import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class DenialPlace(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DENIAL_PLACE_UNSPECIFIED: _ClassVar[DenialPlace]
    DENIAL_PLACE_EDGE: _ClassVar[DenialPlace]
    DENIAL_PLACE_PROXY: _ClassVar[DenialPlace]
    DENIAL_PLACE_SERVICE: _ClassVar[DenialPlace]
DENIAL_PLACE_UNSPECIFIED: DenialPlace
DENIAL_PLACE_EDGE: DenialPlace
DENIAL_PLACE_PROXY: DenialPlace
DENIAL_PLACE_SERVICE: DenialPlace

class SigningKeyRotated(_message.Message):
    __slots__ = ("number", "key", "previous_key", "actor", "comment")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    PREVIOUS_KEY_FIELD_NUMBER: _ClassVar[int]
    ACTOR_FIELD_NUMBER: _ClassVar[int]
    COMMENT_FIELD_NUMBER: _ClassVar[int]
    number: int
    key: str
    previous_key: str
    actor: str
    comment: str
    def __init__(self, number: _Optional[int] = ..., key: _Optional[str] = ..., previous_key: _Optional[str] = ..., actor: _Optional[str] = ..., comment: _Optional[str] = ...) -> None: ...

class GapFound(_message.Message):
    __slots__ = ("service", "stream", "first_sequence", "last_sequence")
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    STREAM_FIELD_NUMBER: _ClassVar[int]
    FIRST_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    LAST_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    service: str
    stream: str
    first_sequence: int
    last_sequence: int
    def __init__(self, service: _Optional[str] = ..., stream: _Optional[str] = ..., first_sequence: _Optional[int] = ..., last_sequence: _Optional[int] = ...) -> None: ...

class LogAlarmRaised(_message.Message):
    __slots__ = ("kind", "text", "size")
    KIND_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    kind: str
    text: str
    size: int
    def __init__(self, kind: _Optional[str] = ..., text: _Optional[str] = ..., size: _Optional[int] = ...) -> None: ...

class PayloadsDropped(_message.Message):
    __slots__ = ("type", "before_time", "first_index", "last_index", "count")
    TYPE_FIELD_NUMBER: _ClassVar[int]
    BEFORE_TIME_FIELD_NUMBER: _ClassVar[int]
    FIRST_INDEX_FIELD_NUMBER: _ClassVar[int]
    LAST_INDEX_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    type: str
    before_time: _timestamp_pb2.Timestamp
    first_index: int
    last_index: int
    count: int
    def __init__(self, type: _Optional[str] = ..., before_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., first_index: _Optional[int] = ..., last_index: _Optional[int] = ..., count: _Optional[int] = ...) -> None: ...

class CallsDenied(_message.Message):
    __slots__ = ("method", "actor", "reason", "count", "first_time", "last_time", "place")
    METHOD_FIELD_NUMBER: _ClassVar[int]
    ACTOR_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    FIRST_TIME_FIELD_NUMBER: _ClassVar[int]
    LAST_TIME_FIELD_NUMBER: _ClassVar[int]
    PLACE_FIELD_NUMBER: _ClassVar[int]
    method: str
    actor: str
    reason: str
    count: int
    first_time: _timestamp_pb2.Timestamp
    last_time: _timestamp_pb2.Timestamp
    place: DenialPlace
    def __init__(self, method: _Optional[str] = ..., actor: _Optional[str] = ..., reason: _Optional[str] = ..., count: _Optional[int] = ..., first_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., last_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., place: _Optional[_Union[DenialPlace, str]] = ...) -> None: ...
