from crossrate.api.identity.v1 import access_pb2 as _access_pb2
from crossrate.api.policy.v1 import policy_pb2 as _policy_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Origin(_message.Message):
    __slots__ = ("principal", "address", "request_id")
    PRINCIPAL_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    principal: str
    address: str
    request_id: str
    def __init__(self, principal: _Optional[str] = ..., address: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class LoggedIn(_message.Message):
    __slots__ = ("origin", "subject", "client_id", "session_id", "methods", "acr")
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    CLIENT_ID_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    METHODS_FIELD_NUMBER: _ClassVar[int]
    ACR_FIELD_NUMBER: _ClassVar[int]
    origin: Origin
    subject: str
    client_id: str
    session_id: str
    methods: _containers.RepeatedScalarFieldContainer[str]
    acr: str
    def __init__(self, origin: _Optional[_Union[Origin, _Mapping]] = ..., subject: _Optional[str] = ..., client_id: _Optional[str] = ..., session_id: _Optional[str] = ..., methods: _Optional[_Iterable[str]] = ..., acr: _Optional[str] = ...) -> None: ...

class LoginFailed(_message.Message):
    __slots__ = ("origin", "subject", "reason", "failure_count")
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    FAILURE_COUNT_FIELD_NUMBER: _ClassVar[int]
    origin: Origin
    subject: str
    reason: str
    failure_count: int
    def __init__(self, origin: _Optional[_Union[Origin, _Mapping]] = ..., subject: _Optional[str] = ..., reason: _Optional[str] = ..., failure_count: _Optional[int] = ...) -> None: ...

class LockedOut(_message.Message):
    __slots__ = ("origin", "subject", "lock_s")
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    LOCK_S_FIELD_NUMBER: _ClassVar[int]
    origin: Origin
    subject: str
    lock_s: int
    def __init__(self, origin: _Optional[_Union[Origin, _Mapping]] = ..., subject: _Optional[str] = ..., lock_s: _Optional[int] = ...) -> None: ...

class SteppedUp(_message.Message):
    __slots__ = ("origin", "subject", "methods")
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    METHODS_FIELD_NUMBER: _ClassVar[int]
    origin: Origin
    subject: str
    methods: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, origin: _Optional[_Union[Origin, _Mapping]] = ..., subject: _Optional[str] = ..., methods: _Optional[_Iterable[str]] = ...) -> None: ...

class FactorChanged(_message.Message):
    __slots__ = ("origin", "subject", "factor", "change")
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    FACTOR_FIELD_NUMBER: _ClassVar[int]
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    origin: Origin
    subject: str
    factor: str
    change: str
    def __init__(self, origin: _Optional[_Union[Origin, _Mapping]] = ..., subject: _Optional[str] = ..., factor: _Optional[str] = ..., change: _Optional[str] = ...) -> None: ...

class UserChanged(_message.Message):
    __slots__ = ("origin", "subject", "change", "desk", "comment")
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    DESK_FIELD_NUMBER: _ClassVar[int]
    COMMENT_FIELD_NUMBER: _ClassVar[int]
    origin: Origin
    subject: str
    change: str
    desk: str
    comment: str
    def __init__(self, origin: _Optional[_Union[Origin, _Mapping]] = ..., subject: _Optional[str] = ..., change: _Optional[str] = ..., desk: _Optional[str] = ..., comment: _Optional[str] = ...) -> None: ...

class ClientChanged(_message.Message):
    __slots__ = ("origin", "subject", "change", "desk", "comment")
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    DESK_FIELD_NUMBER: _ClassVar[int]
    COMMENT_FIELD_NUMBER: _ClassVar[int]
    origin: Origin
    subject: str
    change: str
    desk: str
    comment: str
    def __init__(self, origin: _Optional[_Union[Origin, _Mapping]] = ..., subject: _Optional[str] = ..., change: _Optional[str] = ..., desk: _Optional[str] = ..., comment: _Optional[str] = ...) -> None: ...

class DeskCreated(_message.Message):
    __slots__ = ("origin", "desk")
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    DESK_FIELD_NUMBER: _ClassVar[int]
    origin: Origin
    desk: str
    def __init__(self, origin: _Optional[_Union[Origin, _Mapping]] = ..., desk: _Optional[str] = ...) -> None: ...

class GrantsChanged(_message.Message):
    __slots__ = ("origin", "subject", "before", "after", "issued_until", "comment")
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    ISSUED_UNTIL_FIELD_NUMBER: _ClassVar[int]
    COMMENT_FIELD_NUMBER: _ClassVar[int]
    origin: Origin
    subject: str
    before: _access_pb2.Access
    after: _access_pb2.Access
    issued_until: int
    comment: str
    def __init__(self, origin: _Optional[_Union[Origin, _Mapping]] = ..., subject: _Optional[str] = ..., before: _Optional[_Union[_access_pb2.Access, _Mapping]] = ..., after: _Optional[_Union[_access_pb2.Access, _Mapping]] = ..., issued_until: _Optional[int] = ..., comment: _Optional[str] = ...) -> None: ...

class SessionRevoked(_message.Message):
    __slots__ = ("origin", "subject", "session_id", "reason", "comment")
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    COMMENT_FIELD_NUMBER: _ClassVar[int]
    origin: Origin
    subject: str
    session_id: str
    reason: str
    comment: str
    def __init__(self, origin: _Optional[_Union[Origin, _Mapping]] = ..., subject: _Optional[str] = ..., session_id: _Optional[str] = ..., reason: _Optional[str] = ..., comment: _Optional[str] = ...) -> None: ...

class TokenReused(_message.Message):
    __slots__ = ("origin", "subject", "session_id", "token")
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    origin: Origin
    subject: str
    session_id: str
    token: str
    def __init__(self, origin: _Optional[_Union[Origin, _Mapping]] = ..., subject: _Optional[str] = ..., session_id: _Optional[str] = ..., token: _Optional[str] = ...) -> None: ...

class ApiKeyChanged(_message.Message):
    __slots__ = ("origin", "subject", "key_id", "change", "access")
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    ACCESS_FIELD_NUMBER: _ClassVar[int]
    origin: Origin
    subject: str
    key_id: str
    change: str
    access: _access_pb2.Access
    def __init__(self, origin: _Optional[_Union[Origin, _Mapping]] = ..., subject: _Optional[str] = ..., key_id: _Optional[str] = ..., change: _Optional[str] = ..., access: _Optional[_Union[_access_pb2.Access, _Mapping]] = ...) -> None: ...

class SigningKeyChanged(_message.Message):
    __slots__ = ("origin", "key_id", "change")
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    origin: Origin
    key_id: str
    change: str
    def __init__(self, origin: _Optional[_Union[Origin, _Mapping]] = ..., key_id: _Optional[str] = ..., change: _Optional[str] = ...) -> None: ...
