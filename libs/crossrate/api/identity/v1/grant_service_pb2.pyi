import datetime

from buf.validate import validate_pb2 as _validate_pb2
from crossrate.api.identity.v1 import access_pb2 as _access_pb2
from crossrate.api.policy.v1 import policy_pb2 as _policy_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GrantAccessRequest(_message.Message):
    __slots__ = ("request_id", "subject", "access", "comment", "validate_only")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    ACCESS_FIELD_NUMBER: _ClassVar[int]
    COMMENT_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    subject: str
    access: _access_pb2.Access
    comment: str
    validate_only: bool
    def __init__(self, request_id: _Optional[str] = ..., subject: _Optional[str] = ..., access: _Optional[_Union[_access_pb2.Access, _Mapping]] = ..., comment: _Optional[str] = ..., validate_only: _Optional[bool] = ...) -> None: ...

class GrantAccessResponse(_message.Message):
    __slots__ = ("access",)
    ACCESS_FIELD_NUMBER: _ClassVar[int]
    access: _access_pb2.Access
    def __init__(self, access: _Optional[_Union[_access_pb2.Access, _Mapping]] = ...) -> None: ...

class RevokeAccessRequest(_message.Message):
    __slots__ = ("request_id", "subject", "access", "comment", "validate_only")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    ACCESS_FIELD_NUMBER: _ClassVar[int]
    COMMENT_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    subject: str
    access: _access_pb2.Access
    comment: str
    validate_only: bool
    def __init__(self, request_id: _Optional[str] = ..., subject: _Optional[str] = ..., access: _Optional[_Union[_access_pb2.Access, _Mapping]] = ..., comment: _Optional[str] = ..., validate_only: _Optional[bool] = ...) -> None: ...

class RevokeAccessResponse(_message.Message):
    __slots__ = ("access",)
    ACCESS_FIELD_NUMBER: _ClassVar[int]
    access: _access_pb2.Access
    def __init__(self, access: _Optional[_Union[_access_pb2.Access, _Mapping]] = ...) -> None: ...

class GetAccessRequest(_message.Message):
    __slots__ = ("subject",)
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    subject: str
    def __init__(self, subject: _Optional[str] = ...) -> None: ...

class GetAccessResponse(_message.Message):
    __slots__ = ("access", "desk", "change_time")
    ACCESS_FIELD_NUMBER: _ClassVar[int]
    DESK_FIELD_NUMBER: _ClassVar[int]
    CHANGE_TIME_FIELD_NUMBER: _ClassVar[int]
    access: _access_pb2.Access
    desk: str
    change_time: _timestamp_pb2.Timestamp
    def __init__(self, access: _Optional[_Union[_access_pb2.Access, _Mapping]] = ..., desk: _Optional[str] = ..., change_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Desk(_message.Message):
    __slots__ = ("name", "display_name", "create_time")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    name: str
    display_name: str
    create_time: _timestamp_pb2.Timestamp
    def __init__(self, name: _Optional[str] = ..., display_name: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class CreateDeskRequest(_message.Message):
    __slots__ = ("request_id", "desk", "validate_only")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    DESK_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    desk: Desk
    validate_only: bool
    def __init__(self, request_id: _Optional[str] = ..., desk: _Optional[_Union[Desk, _Mapping]] = ..., validate_only: _Optional[bool] = ...) -> None: ...

class CreateDeskResponse(_message.Message):
    __slots__ = ("desk",)
    DESK_FIELD_NUMBER: _ClassVar[int]
    desk: Desk
    def __init__(self, desk: _Optional[_Union[Desk, _Mapping]] = ...) -> None: ...

class ListDesksRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListDesksResponse(_message.Message):
    __slots__ = ("desks",)
    DESKS_FIELD_NUMBER: _ClassVar[int]
    desks: _containers.RepeatedCompositeFieldContainer[Desk]
    def __init__(self, desks: _Optional[_Iterable[_Union[Desk, _Mapping]]] = ...) -> None: ...
