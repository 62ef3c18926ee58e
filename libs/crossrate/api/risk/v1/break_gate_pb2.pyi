from buf.validate import validate_pb2 as _validate_pb2
from crossrate.api.common.v1 import gate_pb2 as _gate_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class BreakGate(_message.Message):
    __slots__ = ("scope", "mode", "break_ids")
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    BREAK_IDS_FIELD_NUMBER: _ClassVar[int]
    scope: _gate_pb2.KillScope
    mode: _gate_pb2.KillMode
    break_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, scope: _Optional[_Union[_gate_pb2.KillScope, _Mapping]] = ..., mode: _Optional[_Union[_gate_pb2.KillMode, str]] = ..., break_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class SetBreakGatesRequest(_message.Message):
    __slots__ = ("request_id", "venue", "number", "gates")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    VENUE_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    GATES_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    venue: str
    number: int
    gates: _containers.RepeatedCompositeFieldContainer[BreakGate]
    def __init__(self, request_id: _Optional[str] = ..., venue: _Optional[str] = ..., number: _Optional[int] = ..., gates: _Optional[_Iterable[_Union[BreakGate, _Mapping]]] = ...) -> None: ...

class SetBreakGatesResponse(_message.Message):
    __slots__ = ("number", "gate_version", "applied")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    GATE_VERSION_FIELD_NUMBER: _ClassVar[int]
    APPLIED_FIELD_NUMBER: _ClassVar[int]
    number: int
    gate_version: int
    applied: bool
    def __init__(self, number: _Optional[int] = ..., gate_version: _Optional[int] = ..., applied: _Optional[bool] = ...) -> None: ...
