from buf.validate import validate_pb2 as _validate_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class KillMode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    KILL_MODE_UNSPECIFIED: _ClassVar[KillMode]
    KILL_MODE_CANCEL_ONLY: _ClassVar[KillMode]
    KILL_MODE_REDUCE_ONLY: _ClassVar[KillMode]
    KILL_MODE_HALT: _ClassVar[KillMode]
    KILL_MODE_FLATTEN: _ClassVar[KillMode]
KILL_MODE_UNSPECIFIED: KillMode
KILL_MODE_CANCEL_ONLY: KillMode
KILL_MODE_REDUCE_ONLY: KillMode
KILL_MODE_HALT: KillMode
KILL_MODE_FLATTEN: KillMode

class KillScope(_message.Message):
    __slots__ = ("kind", "name")
    KIND_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    kind: str
    name: str
    def __init__(self, kind: _Optional[str] = ..., name: _Optional[str] = ...) -> None: ...

class GateRule(_message.Message):
    __slots__ = ("scope", "mode", "accounts")
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    ACCOUNTS_FIELD_NUMBER: _ClassVar[int]
    scope: KillScope
    mode: KillMode
    accounts: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, scope: _Optional[_Union[KillScope, _Mapping]] = ..., mode: _Optional[_Union[KillMode, str]] = ..., accounts: _Optional[_Iterable[str]] = ...) -> None: ...

class Gate(_message.Message):
    __slots__ = ("version", "rules")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    RULES_FIELD_NUMBER: _ClassVar[int]
    version: int
    rules: _containers.RepeatedCompositeFieldContainer[GateRule]
    def __init__(self, version: _Optional[int] = ..., rules: _Optional[_Iterable[_Union[GateRule, _Mapping]]] = ...) -> None: ...
