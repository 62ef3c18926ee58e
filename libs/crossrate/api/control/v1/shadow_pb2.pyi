from crossrate.api.control.v1 import release_pb2 as _release_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ShadowManner(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SHADOW_MANNER_UNSPECIFIED: _ClassVar[ShadowManner]
    SHADOW_MANNER_AS_IS: _ClassVar[ShadowManner]
    SHADOW_MANNER_VALIDATE_ONLY: _ClassVar[ShadowManner]
    SHADOW_MANNER_STREAM: _ClassVar[ShadowManner]
SHADOW_MANNER_UNSPECIFIED: ShadowManner
SHADOW_MANNER_AS_IS: ShadowManner
SHADOW_MANNER_VALIDATE_ONLY: ShadowManner
SHADOW_MANNER_STREAM: ShadowManner

class ShadowExample(_message.Message):
    __slots__ = ("path", "request_id", "stable", "candidate", "explanation")
    PATH_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    STABLE_FIELD_NUMBER: _ClassVar[int]
    CANDIDATE_FIELD_NUMBER: _ClassVar[int]
    EXPLANATION_FIELD_NUMBER: _ClassVar[int]
    path: str
    request_id: str
    stable: str
    candidate: str
    explanation: str
    def __init__(self, path: _Optional[str] = ..., request_id: _Optional[str] = ..., stable: _Optional[str] = ..., candidate: _Optional[str] = ..., explanation: _Optional[str] = ...) -> None: ...

class ShadowField(_message.Message):
    __slots__ = ("field", "outcome", "differing", "calls", "noise_differing", "noise_calls", "largest_relative", "noise_largest_relative", "calls_needed", "examples")
    FIELD_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    DIFFERING_FIELD_NUMBER: _ClassVar[int]
    CALLS_FIELD_NUMBER: _ClassVar[int]
    NOISE_DIFFERING_FIELD_NUMBER: _ClassVar[int]
    NOISE_CALLS_FIELD_NUMBER: _ClassVar[int]
    LARGEST_RELATIVE_FIELD_NUMBER: _ClassVar[int]
    NOISE_LARGEST_RELATIVE_FIELD_NUMBER: _ClassVar[int]
    CALLS_NEEDED_FIELD_NUMBER: _ClassVar[int]
    EXAMPLES_FIELD_NUMBER: _ClassVar[int]
    field: str
    outcome: _release_pb2.ReleaseOutcome
    differing: int
    calls: int
    noise_differing: int
    noise_calls: int
    largest_relative: float
    noise_largest_relative: float
    calls_needed: int
    examples: _containers.RepeatedCompositeFieldContainer[ShadowExample]
    def __init__(self, field: _Optional[str] = ..., outcome: _Optional[_Union[_release_pb2.ReleaseOutcome, str]] = ..., differing: _Optional[int] = ..., calls: _Optional[int] = ..., noise_differing: _Optional[int] = ..., noise_calls: _Optional[int] = ..., largest_relative: _Optional[float] = ..., noise_largest_relative: _Optional[float] = ..., calls_needed: _Optional[int] = ..., examples: _Optional[_Iterable[_Union[ShadowExample, _Mapping]]] = ...) -> None: ...

class ShadowMethod(_message.Message):
    __slots__ = ("method", "manner", "outcome", "calls", "replayed", "skipped", "fields")
    METHOD_FIELD_NUMBER: _ClassVar[int]
    MANNER_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    CALLS_FIELD_NUMBER: _ClassVar[int]
    REPLAYED_FIELD_NUMBER: _ClassVar[int]
    SKIPPED_FIELD_NUMBER: _ClassVar[int]
    FIELDS_FIELD_NUMBER: _ClassVar[int]
    method: str
    manner: ShadowManner
    outcome: _release_pb2.ReleaseOutcome
    calls: int
    replayed: int
    skipped: int
    fields: _containers.RepeatedCompositeFieldContainer[ShadowField]
    def __init__(self, method: _Optional[str] = ..., manner: _Optional[_Union[ShadowManner, str]] = ..., outcome: _Optional[_Union[_release_pb2.ReleaseOutcome, str]] = ..., calls: _Optional[int] = ..., replayed: _Optional[int] = ..., skipped: _Optional[int] = ..., fields: _Optional[_Iterable[_Union[ShadowField, _Mapping]]] = ...) -> None: ...

class ShadowReport(_message.Message):
    __slots__ = ("outcome", "explanation", "calls", "calls_needed", "dropped", "methods")
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    EXPLANATION_FIELD_NUMBER: _ClassVar[int]
    CALLS_FIELD_NUMBER: _ClassVar[int]
    CALLS_NEEDED_FIELD_NUMBER: _ClassVar[int]
    DROPPED_FIELD_NUMBER: _ClassVar[int]
    METHODS_FIELD_NUMBER: _ClassVar[int]
    outcome: _release_pb2.ReleaseOutcome
    explanation: str
    calls: int
    calls_needed: int
    dropped: int
    methods: _containers.RepeatedCompositeFieldContainer[ShadowMethod]
    def __init__(self, outcome: _Optional[_Union[_release_pb2.ReleaseOutcome, str]] = ..., explanation: _Optional[str] = ..., calls: _Optional[int] = ..., calls_needed: _Optional[int] = ..., dropped: _Optional[int] = ..., methods: _Optional[_Iterable[_Union[ShadowMethod, _Mapping]]] = ...) -> None: ...
