import datetime

from buf.validate import validate_pb2 as _validate_pb2
from crossrate.api.identity.v1 import access_pb2 as _access_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ClientAuthentication(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CLIENT_AUTHENTICATION_UNSPECIFIED: _ClassVar[ClientAuthentication]
    CLIENT_AUTHENTICATION_NONE: _ClassVar[ClientAuthentication]
    CLIENT_AUTHENTICATION_PRIVATE_KEY_JWT: _ClassVar[ClientAuthentication]
    CLIENT_AUTHENTICATION_TLS: _ClassVar[ClientAuthentication]
CLIENT_AUTHENTICATION_UNSPECIFIED: ClientAuthentication
CLIENT_AUTHENTICATION_NONE: ClientAuthentication
CLIENT_AUTHENTICATION_PRIVATE_KEY_JWT: ClientAuthentication
CLIENT_AUTHENTICATION_TLS: ClientAuthentication

class Client(_message.Message):
    __slots__ = ("name", "display_name", "desk", "authentication", "redirect_uris", "jwks", "tls_san_uri", "bound_tokens", "rate_class", "disabled", "access", "version", "create_time")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    DESK_FIELD_NUMBER: _ClassVar[int]
    AUTHENTICATION_FIELD_NUMBER: _ClassVar[int]
    REDIRECT_URIS_FIELD_NUMBER: _ClassVar[int]
    JWKS_FIELD_NUMBER: _ClassVar[int]
    TLS_SAN_URI_FIELD_NUMBER: _ClassVar[int]
    BOUND_TOKENS_FIELD_NUMBER: _ClassVar[int]
    RATE_CLASS_FIELD_NUMBER: _ClassVar[int]
    DISABLED_FIELD_NUMBER: _ClassVar[int]
    ACCESS_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    name: str
    display_name: str
    desk: str
    authentication: ClientAuthentication
    redirect_uris: _containers.RepeatedScalarFieldContainer[str]
    jwks: str
    tls_san_uri: str
    bound_tokens: bool
    rate_class: _access_pb2.RateClass
    disabled: bool
    access: _access_pb2.Access
    version: int
    create_time: _timestamp_pb2.Timestamp
    def __init__(self, name: _Optional[str] = ..., display_name: _Optional[str] = ..., desk: _Optional[str] = ..., authentication: _Optional[_Union[ClientAuthentication, str]] = ..., redirect_uris: _Optional[_Iterable[str]] = ..., jwks: _Optional[str] = ..., tls_san_uri: _Optional[str] = ..., bound_tokens: _Optional[bool] = ..., rate_class: _Optional[_Union[_access_pb2.RateClass, str]] = ..., disabled: _Optional[bool] = ..., access: _Optional[_Union[_access_pb2.Access, _Mapping]] = ..., version: _Optional[int] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ApiKey(_message.Message):
    __slots__ = ("key_id", "subject", "display_name", "access", "rate_class", "create_time", "expire_time", "last_use_time", "revoked")
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    ACCESS_FIELD_NUMBER: _ClassVar[int]
    RATE_CLASS_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    LAST_USE_TIME_FIELD_NUMBER: _ClassVar[int]
    REVOKED_FIELD_NUMBER: _ClassVar[int]
    key_id: str
    subject: str
    display_name: str
    access: _access_pb2.Access
    rate_class: _access_pb2.RateClass
    create_time: _timestamp_pb2.Timestamp
    expire_time: _timestamp_pb2.Timestamp
    last_use_time: _timestamp_pb2.Timestamp
    revoked: bool
    def __init__(self, key_id: _Optional[str] = ..., subject: _Optional[str] = ..., display_name: _Optional[str] = ..., access: _Optional[_Union[_access_pb2.Access, _Mapping]] = ..., rate_class: _Optional[_Union[_access_pb2.RateClass, str]] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., last_use_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., revoked: _Optional[bool] = ...) -> None: ...
