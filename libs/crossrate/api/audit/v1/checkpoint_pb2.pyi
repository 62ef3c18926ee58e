import datetime

from crossrate.api.policy.v1 import policy_pb2 as _policy_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class WitnessState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    WITNESS_STATE_UNSPECIFIED: _ClassVar[WitnessState]
    WITNESS_STATE_AGREES: _ClassVar[WitnessState]
    WITNESS_STATE_AWAY: _ClassVar[WitnessState]
    WITNESS_STATE_REFUSES: _ClassVar[WitnessState]
    WITNESS_STATE_NONE: _ClassVar[WitnessState]
WITNESS_STATE_UNSPECIFIED: WitnessState
WITNESS_STATE_AGREES: WitnessState
WITNESS_STATE_AWAY: WitnessState
WITNESS_STATE_REFUSES: WitnessState
WITNESS_STATE_NONE: WitnessState

class Checkpoint(_message.Message):
    __slots__ = ("size", "root", "note", "time")
    SIZE_FIELD_NUMBER: _ClassVar[int]
    ROOT_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    size: int
    root: bytes
    note: str
    time: _timestamp_pb2.Timestamp
    def __init__(self, size: _Optional[int] = ..., root: _Optional[bytes] = ..., note: _Optional[str] = ..., time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Witness(_message.Message):
    __slots__ = ("state", "verifier_key", "size", "time", "reason")
    STATE_FIELD_NUMBER: _ClassVar[int]
    VERIFIER_KEY_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    state: WitnessState
    verifier_key: str
    size: int
    time: _timestamp_pb2.Timestamp
    reason: str
    def __init__(self, state: _Optional[_Union[WitnessState, str]] = ..., verifier_key: _Optional[str] = ..., size: _Optional[int] = ..., time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., reason: _Optional[str] = ...) -> None: ...

class VerifierKey(_message.Message):
    __slots__ = ("number", "key", "since_index")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    SINCE_INDEX_FIELD_NUMBER: _ClassVar[int]
    number: int
    key: str
    since_index: int
    def __init__(self, number: _Optional[int] = ..., key: _Optional[str] = ..., since_index: _Optional[int] = ...) -> None: ...
