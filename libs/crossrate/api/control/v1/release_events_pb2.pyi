import datetime

from crossrate.api.control.v1 import release_pb2 as _release_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ReleaseDecided(_message.Message):
    __slots__ = ("release_id", "release_name", "service", "version", "number", "kind", "explanation", "decided_by", "step", "weight_bp", "time", "calls", "verdicts", "evidence", "stable_calls", "stable_failures", "candidate_calls", "candidate_failures", "services", "instances")
    RELEASE_ID_FIELD_NUMBER: _ClassVar[int]
    RELEASE_NAME_FIELD_NUMBER: _ClassVar[int]
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    EXPLANATION_FIELD_NUMBER: _ClassVar[int]
    DECIDED_BY_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_BP_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    CALLS_FIELD_NUMBER: _ClassVar[int]
    VERDICTS_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    STABLE_CALLS_FIELD_NUMBER: _ClassVar[int]
    STABLE_FAILURES_FIELD_NUMBER: _ClassVar[int]
    CANDIDATE_CALLS_FIELD_NUMBER: _ClassVar[int]
    CANDIDATE_FAILURES_FIELD_NUMBER: _ClassVar[int]
    SERVICES_FIELD_NUMBER: _ClassVar[int]
    INSTANCES_FIELD_NUMBER: _ClassVar[int]
    release_id: str
    release_name: str
    service: str
    version: str
    number: int
    kind: _release_pb2.ReleaseDecisionKind
    explanation: str
    decided_by: str
    step: int
    weight_bp: int
    time: _timestamp_pb2.Timestamp
    calls: _containers.RepeatedCompositeFieldContainer[_release_pb2.ReleaseCalls]
    verdicts: _containers.RepeatedCompositeFieldContainer[_release_pb2.ReleaseVerdict]
    evidence: _containers.RepeatedScalarFieldContainer[str]
    stable_calls: int
    stable_failures: int
    candidate_calls: int
    candidate_failures: int
    services: _containers.RepeatedCompositeFieldContainer[_release_pb2.ReleasedService]
    instances: _release_pb2.ReleaseInstances
    def __init__(self, release_id: _Optional[str] = ..., release_name: _Optional[str] = ..., service: _Optional[str] = ..., version: _Optional[str] = ..., number: _Optional[int] = ..., kind: _Optional[_Union[_release_pb2.ReleaseDecisionKind, str]] = ..., explanation: _Optional[str] = ..., decided_by: _Optional[str] = ..., step: _Optional[int] = ..., weight_bp: _Optional[int] = ..., time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., calls: _Optional[_Iterable[_Union[_release_pb2.ReleaseCalls, _Mapping]]] = ..., verdicts: _Optional[_Iterable[_Union[_release_pb2.ReleaseVerdict, _Mapping]]] = ..., evidence: _Optional[_Iterable[str]] = ..., stable_calls: _Optional[int] = ..., stable_failures: _Optional[int] = ..., candidate_calls: _Optional[int] = ..., candidate_failures: _Optional[int] = ..., services: _Optional[_Iterable[_Union[_release_pb2.ReleasedService, _Mapping]]] = ..., instances: _Optional[_Union[_release_pb2.ReleaseInstances, _Mapping]] = ...) -> None: ...
