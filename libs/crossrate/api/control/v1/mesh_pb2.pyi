import datetime

from google.protobuf import struct_pb2 as _struct_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class InstanceHealth(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    INSTANCE_HEALTH_UNSPECIFIED: _ClassVar[InstanceHealth]
    INSTANCE_HEALTH_SERVING: _ClassVar[InstanceHealth]
    INSTANCE_HEALTH_NOT_SERVING: _ClassVar[InstanceHealth]
    INSTANCE_HEALTH_UNREACHABLE: _ClassVar[InstanceHealth]
INSTANCE_HEALTH_UNSPECIFIED: InstanceHealth
INSTANCE_HEALTH_SERVING: InstanceHealth
INSTANCE_HEALTH_NOT_SERVING: InstanceHealth
INSTANCE_HEALTH_UNREACHABLE: InstanceHealth

class Instance(_message.Message):
    __slots__ = ("service", "name", "pid", "health", "identity", "version", "config_version", "config_error", "start_time")
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    PID_FIELD_NUMBER: _ClassVar[int]
    HEALTH_FIELD_NUMBER: _ClassVar[int]
    IDENTITY_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    CONFIG_VERSION_FIELD_NUMBER: _ClassVar[int]
    CONFIG_ERROR_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    service: str
    name: str
    pid: int
    health: InstanceHealth
    identity: str
    version: str
    config_version: int
    config_error: str
    start_time: _timestamp_pb2.Timestamp
    def __init__(self, service: _Optional[str] = ..., name: _Optional[str] = ..., pid: _Optional[int] = ..., health: _Optional[_Union[InstanceHealth, str]] = ..., identity: _Optional[str] = ..., version: _Optional[str] = ..., config_version: _Optional[int] = ..., config_error: _Optional[str] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ResourceAcknowledgement(_message.Message):
    __slots__ = ("kind", "acknowledged_version", "refused_version", "refusal")
    KIND_FIELD_NUMBER: _ClassVar[int]
    ACKNOWLEDGED_VERSION_FIELD_NUMBER: _ClassVar[int]
    REFUSED_VERSION_FIELD_NUMBER: _ClassVar[int]
    REFUSAL_FIELD_NUMBER: _ClassVar[int]
    kind: str
    acknowledged_version: int
    refused_version: int
    refusal: str
    def __init__(self, kind: _Optional[str] = ..., acknowledged_version: _Optional[int] = ..., refused_version: _Optional[int] = ..., refusal: _Optional[str] = ...) -> None: ...

class Proxy(_message.Message):
    __slots__ = ("name", "connected", "acknowledgements")
    NAME_FIELD_NUMBER: _ClassVar[int]
    CONNECTED_FIELD_NUMBER: _ClassVar[int]
    ACKNOWLEDGEMENTS_FIELD_NUMBER: _ClassVar[int]
    name: str
    connected: bool
    acknowledgements: _containers.RepeatedCompositeFieldContainer[ResourceAcknowledgement]
    def __init__(self, name: _Optional[str] = ..., connected: _Optional[bool] = ..., acknowledgements: _Optional[_Iterable[_Union[ResourceAcknowledgement, _Mapping]]] = ...) -> None: ...

class Snapshot(_message.Message):
    __slots__ = ("version", "create_time", "cause", "changed_count")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    CHANGED_COUNT_FIELD_NUMBER: _ClassVar[int]
    version: int
    create_time: _timestamp_pb2.Timestamp
    cause: str
    changed_count: int
    def __init__(self, version: _Optional[int] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., cause: _Optional[str] = ..., changed_count: _Optional[int] = ...) -> None: ...

class Route(_message.Message):
    __slots__ = ("service", "grpc_route", "rendered")
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    GRPC_ROUTE_FIELD_NUMBER: _ClassVar[int]
    RENDERED_FIELD_NUMBER: _ClassVar[int]
    service: str
    grpc_route: _struct_pb2.Struct
    rendered: bool
    def __init__(self, service: _Optional[str] = ..., grpc_route: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., rendered: _Optional[bool] = ...) -> None: ...

class Certificate(_message.Message):
    __slots__ = ("identity", "serial", "issuer", "not_before", "not_after")
    IDENTITY_FIELD_NUMBER: _ClassVar[int]
    SERIAL_FIELD_NUMBER: _ClassVar[int]
    ISSUER_FIELD_NUMBER: _ClassVar[int]
    NOT_BEFORE_FIELD_NUMBER: _ClassVar[int]
    NOT_AFTER_FIELD_NUMBER: _ClassVar[int]
    identity: str
    serial: str
    issuer: str
    not_before: _timestamp_pb2.Timestamp
    not_after: _timestamp_pb2.Timestamp
    def __init__(self, identity: _Optional[str] = ..., serial: _Optional[str] = ..., issuer: _Optional[str] = ..., not_before: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., not_after: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ConfigVersion(_message.Message):
    __slots__ = ("service", "version", "values", "author", "comment", "create_time")
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    COMMENT_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    service: str
    version: int
    values: _struct_pb2.Struct
    author: str
    comment: str
    create_time: _timestamp_pb2.Timestamp
    def __init__(self, service: _Optional[str] = ..., version: _Optional[int] = ..., values: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., author: _Optional[str] = ..., comment: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
