import datetime

from crossrate.api.policy.v1 import policy_pb2 as _policy_pb2
from google.protobuf import struct_pb2 as _struct_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class PayloadForm(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PAYLOAD_FORM_UNSPECIFIED: _ClassVar[PayloadForm]
    PAYLOAD_FORM_PROTOBUF: _ClassVar[PayloadForm]
    PAYLOAD_FORM_JSON: _ClassVar[PayloadForm]
    PAYLOAD_FORM_WITHHELD: _ClassVar[PayloadForm]
PAYLOAD_FORM_UNSPECIFIED: PayloadForm
PAYLOAD_FORM_PROTOBUF: PayloadForm
PAYLOAD_FORM_JSON: PayloadForm
PAYLOAD_FORM_WITHHELD: PayloadForm

class Leaf(_message.Message):
    __slots__ = ("service", "stream", "sequence", "subject", "type", "time", "log_time", "request_id", "keys", "payload_hash", "payload_form")
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    STREAM_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    LOG_TIME_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    KEYS_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_HASH_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_FORM_FIELD_NUMBER: _ClassVar[int]
    service: str
    stream: str
    sequence: int
    subject: str
    type: str
    time: _timestamp_pb2.Timestamp
    log_time: _timestamp_pb2.Timestamp
    request_id: str
    keys: _containers.RepeatedScalarFieldContainer[str]
    payload_hash: bytes
    payload_form: PayloadForm
    def __init__(self, service: _Optional[str] = ..., stream: _Optional[str] = ..., sequence: _Optional[int] = ..., subject: _Optional[str] = ..., type: _Optional[str] = ..., time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., log_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., request_id: _Optional[str] = ..., keys: _Optional[_Iterable[str]] = ..., payload_hash: _Optional[bytes] = ..., payload_form: _Optional[_Union[PayloadForm, str]] = ...) -> None: ...

class Fact(_message.Message):
    __slots__ = ("index", "leaf_hash", "leaf", "leaf_data", "salt", "payload", "body", "dropped")
    INDEX_FIELD_NUMBER: _ClassVar[int]
    LEAF_HASH_FIELD_NUMBER: _ClassVar[int]
    LEAF_FIELD_NUMBER: _ClassVar[int]
    LEAF_DATA_FIELD_NUMBER: _ClassVar[int]
    SALT_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    BODY_FIELD_NUMBER: _ClassVar[int]
    DROPPED_FIELD_NUMBER: _ClassVar[int]
    index: int
    leaf_hash: bytes
    leaf: Leaf
    leaf_data: bytes
    salt: bytes
    payload: bytes
    body: _struct_pb2.Struct
    dropped: bool
    def __init__(self, index: _Optional[int] = ..., leaf_hash: _Optional[bytes] = ..., leaf: _Optional[_Union[Leaf, _Mapping]] = ..., leaf_data: _Optional[bytes] = ..., salt: _Optional[bytes] = ..., payload: _Optional[bytes] = ..., body: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., dropped: _Optional[bool] = ...) -> None: ...

class Tile(_message.Message):
    __slots__ = ("level", "number", "hashes")
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    HASHES_FIELD_NUMBER: _ClassVar[int]
    level: int
    number: int
    hashes: bytes
    def __init__(self, level: _Optional[int] = ..., number: _Optional[int] = ..., hashes: _Optional[bytes] = ...) -> None: ...

class AuditedStream(_message.Message):
    __slots__ = ("service", "stream", "last_sequence")
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    STREAM_FIELD_NUMBER: _ClassVar[int]
    LAST_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    service: str
    stream: str
    last_sequence: int
    def __init__(self, service: _Optional[str] = ..., stream: _Optional[str] = ..., last_sequence: _Optional[int] = ...) -> None: ...
