import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ReleasePhase(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RELEASE_PHASE_UNSPECIFIED: _ClassVar[ReleasePhase]
    RELEASE_PHASE_STARTING: _ClassVar[ReleasePhase]
    RELEASE_PHASE_STEPPING: _ClassVar[ReleasePhase]
    RELEASE_PHASE_PROMOTING: _ClassVar[ReleasePhase]
    RELEASE_PHASE_PROMOTED: _ClassVar[ReleasePhase]
    RELEASE_PHASE_ABORTING: _ClassVar[ReleasePhase]
    RELEASE_PHASE_ABORTED: _ClassVar[ReleasePhase]
    RELEASE_PHASE_COMPLETING: _ClassVar[ReleasePhase]
    RELEASE_PHASE_COMPLETED: _ClassVar[ReleasePhase]

class ReleaseDecisionKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RELEASE_DECISION_KIND_UNSPECIFIED: _ClassVar[ReleaseDecisionKind]
    RELEASE_DECISION_KIND_STARTED: _ClassVar[ReleaseDecisionKind]
    RELEASE_DECISION_KIND_STEPPED: _ClassVar[ReleaseDecisionKind]
    RELEASE_DECISION_KIND_PAUSED: _ClassVar[ReleaseDecisionKind]
    RELEASE_DECISION_KIND_RESUMED: _ClassVar[ReleaseDecisionKind]
    RELEASE_DECISION_KIND_PROMOTING: _ClassVar[ReleaseDecisionKind]
    RELEASE_DECISION_KIND_PROMOTED: _ClassVar[ReleaseDecisionKind]
    RELEASE_DECISION_KIND_ABORTING: _ClassVar[ReleaseDecisionKind]
    RELEASE_DECISION_KIND_ABORTED: _ClassVar[ReleaseDecisionKind]
    RELEASE_DECISION_KIND_COMPLETING: _ClassVar[ReleaseDecisionKind]
    RELEASE_DECISION_KIND_COMPLETED: _ClassVar[ReleaseDecisionKind]
    RELEASE_DECISION_KIND_REPLACING: _ClassVar[ReleaseDecisionKind]

class ReleaseOutcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RELEASE_OUTCOME_UNSPECIFIED: _ClassVar[ReleaseOutcome]
    RELEASE_OUTCOME_PASS: _ClassVar[ReleaseOutcome]
    RELEASE_OUTCOME_FAIL: _ClassVar[ReleaseOutcome]
    RELEASE_OUTCOME_NOT_ENOUGH_DATA: _ClassVar[ReleaseOutcome]
RELEASE_PHASE_UNSPECIFIED: ReleasePhase
RELEASE_PHASE_STARTING: ReleasePhase
RELEASE_PHASE_STEPPING: ReleasePhase
RELEASE_PHASE_PROMOTING: ReleasePhase
RELEASE_PHASE_PROMOTED: ReleasePhase
RELEASE_PHASE_ABORTING: ReleasePhase
RELEASE_PHASE_ABORTED: ReleasePhase
RELEASE_PHASE_COMPLETING: ReleasePhase
RELEASE_PHASE_COMPLETED: ReleasePhase
RELEASE_DECISION_KIND_UNSPECIFIED: ReleaseDecisionKind
RELEASE_DECISION_KIND_STARTED: ReleaseDecisionKind
RELEASE_DECISION_KIND_STEPPED: ReleaseDecisionKind
RELEASE_DECISION_KIND_PAUSED: ReleaseDecisionKind
RELEASE_DECISION_KIND_RESUMED: ReleaseDecisionKind
RELEASE_DECISION_KIND_PROMOTING: ReleaseDecisionKind
RELEASE_DECISION_KIND_PROMOTED: ReleaseDecisionKind
RELEASE_DECISION_KIND_ABORTING: ReleaseDecisionKind
RELEASE_DECISION_KIND_ABORTED: ReleaseDecisionKind
RELEASE_DECISION_KIND_COMPLETING: ReleaseDecisionKind
RELEASE_DECISION_KIND_COMPLETED: ReleaseDecisionKind
RELEASE_DECISION_KIND_REPLACING: ReleaseDecisionKind
RELEASE_OUTCOME_UNSPECIFIED: ReleaseOutcome
RELEASE_OUTCOME_PASS: ReleaseOutcome
RELEASE_OUTCOME_FAIL: ReleaseOutcome
RELEASE_OUTCOME_NOT_ENOUGH_DATA: ReleaseOutcome

class ReleaseInstances(_message.Message):
    __slots__ = ("wanted", "new_version", "old_version")
    WANTED_FIELD_NUMBER: _ClassVar[int]
    NEW_VERSION_FIELD_NUMBER: _ClassVar[int]
    OLD_VERSION_FIELD_NUMBER: _ClassVar[int]
    wanted: int
    new_version: int
    old_version: int
    def __init__(self, wanted: _Optional[int] = ..., new_version: _Optional[int] = ..., old_version: _Optional[int] = ...) -> None: ...

class ReleaseDecision(_message.Message):
    __slots__ = ("time", "kind", "cause", "decided_by", "step", "weight_bp", "evidence", "stable_calls", "stable_failures", "candidate_calls", "candidate_failures", "instances")
    TIME_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    DECIDED_BY_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_BP_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    STABLE_CALLS_FIELD_NUMBER: _ClassVar[int]
    STABLE_FAILURES_FIELD_NUMBER: _ClassVar[int]
    CANDIDATE_CALLS_FIELD_NUMBER: _ClassVar[int]
    CANDIDATE_FAILURES_FIELD_NUMBER: _ClassVar[int]
    INSTANCES_FIELD_NUMBER: _ClassVar[int]
    time: _timestamp_pb2.Timestamp
    kind: ReleaseDecisionKind
    cause: str
    decided_by: str
    step: int
    weight_bp: int
    evidence: _containers.RepeatedScalarFieldContainer[str]
    stable_calls: int
    stable_failures: int
    candidate_calls: int
    candidate_failures: int
    instances: ReleaseInstances
    def __init__(self, time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., kind: _Optional[_Union[ReleaseDecisionKind, str]] = ..., cause: _Optional[str] = ..., decided_by: _Optional[str] = ..., step: _Optional[int] = ..., weight_bp: _Optional[int] = ..., evidence: _Optional[_Iterable[str]] = ..., stable_calls: _Optional[int] = ..., stable_failures: _Optional[int] = ..., candidate_calls: _Optional[int] = ..., candidate_failures: _Optional[int] = ..., instances: _Optional[_Union[ReleaseInstances, _Mapping]] = ...) -> None: ...

class ReleaseStep(_message.Message):
    __slots__ = ("weight_bp", "duration", "manual_gate", "schedule", "shadow", "instances")
    WEIGHT_BP_FIELD_NUMBER: _ClassVar[int]
    DURATION_FIELD_NUMBER: _ClassVar[int]
    MANUAL_GATE_FIELD_NUMBER: _ClassVar[int]
    SCHEDULE_FIELD_NUMBER: _ClassVar[int]
    SHADOW_FIELD_NUMBER: _ClassVar[int]
    INSTANCES_FIELD_NUMBER: _ClassVar[int]
    weight_bp: int
    duration: _duration_pb2.Duration
    manual_gate: bool
    schedule: str
    shadow: bool
    instances: int
    def __init__(self, weight_bp: _Optional[int] = ..., duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., manual_gate: _Optional[bool] = ..., schedule: _Optional[str] = ..., shadow: _Optional[bool] = ..., instances: _Optional[int] = ...) -> None: ...

class ReleaseCalls(_message.Message):
    __slots__ = ("method", "candidate", "calls", "failures", "latency_p50", "latency_p99")
    METHOD_FIELD_NUMBER: _ClassVar[int]
    CANDIDATE_FIELD_NUMBER: _ClassVar[int]
    CALLS_FIELD_NUMBER: _ClassVar[int]
    FAILURES_FIELD_NUMBER: _ClassVar[int]
    LATENCY_P50_FIELD_NUMBER: _ClassVar[int]
    LATENCY_P99_FIELD_NUMBER: _ClassVar[int]
    method: str
    candidate: bool
    calls: int
    failures: int
    latency_p50: _duration_pb2.Duration
    latency_p99: _duration_pb2.Duration
    def __init__(self, method: _Optional[str] = ..., candidate: _Optional[bool] = ..., calls: _Optional[int] = ..., failures: _Optional[int] = ..., latency_p50: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., latency_p99: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class ReleaseWindow(_message.Message):
    __slots__ = ("candidate", "calls", "failures", "latency_p99", "service")
    CANDIDATE_FIELD_NUMBER: _ClassVar[int]
    CALLS_FIELD_NUMBER: _ClassVar[int]
    FAILURES_FIELD_NUMBER: _ClassVar[int]
    LATENCY_P99_FIELD_NUMBER: _ClassVar[int]
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    candidate: bool
    calls: int
    failures: int
    latency_p99: _duration_pb2.Duration
    service: str
    def __init__(self, candidate: _Optional[bool] = ..., calls: _Optional[int] = ..., failures: _Optional[int] = ..., latency_p99: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., service: _Optional[str] = ...) -> None: ...

class ReleaseVerdict(_message.Message):
    __slots__ = ("metric", "segment", "outcome", "explanation", "calls_needed", "service")
    METRIC_FIELD_NUMBER: _ClassVar[int]
    SEGMENT_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    EXPLANATION_FIELD_NUMBER: _ClassVar[int]
    CALLS_NEEDED_FIELD_NUMBER: _ClassVar[int]
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    metric: str
    segment: str
    outcome: ReleaseOutcome
    explanation: str
    calls_needed: int
    service: str
    def __init__(self, metric: _Optional[str] = ..., segment: _Optional[str] = ..., outcome: _Optional[_Union[ReleaseOutcome, str]] = ..., explanation: _Optional[str] = ..., calls_needed: _Optional[int] = ..., service: _Optional[str] = ...) -> None: ...

class ReleasedService(_message.Message):
    __slots__ = ("service", "version", "candidates_serving", "candidates_wanted")
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    CANDIDATES_SERVING_FIELD_NUMBER: _ClassVar[int]
    CANDIDATES_WANTED_FIELD_NUMBER: _ClassVar[int]
    service: str
    version: str
    candidates_serving: int
    candidates_wanted: int
    def __init__(self, service: _Optional[str] = ..., version: _Optional[str] = ..., candidates_serving: _Optional[int] = ..., candidates_wanted: _Optional[int] = ...) -> None: ...

class Release(_message.Message):
    __slots__ = ("release_id", "name", "service", "version", "phase", "paused", "step", "steps", "weight_bp", "cause", "candidates_serving", "candidates_wanted", "create_time", "step_time", "decisions", "calls", "verdicts", "services", "instances")
    RELEASE_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    PHASE_FIELD_NUMBER: _ClassVar[int]
    PAUSED_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_BP_FIELD_NUMBER: _ClassVar[int]
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    CANDIDATES_SERVING_FIELD_NUMBER: _ClassVar[int]
    CANDIDATES_WANTED_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    STEP_TIME_FIELD_NUMBER: _ClassVar[int]
    DECISIONS_FIELD_NUMBER: _ClassVar[int]
    CALLS_FIELD_NUMBER: _ClassVar[int]
    VERDICTS_FIELD_NUMBER: _ClassVar[int]
    SERVICES_FIELD_NUMBER: _ClassVar[int]
    INSTANCES_FIELD_NUMBER: _ClassVar[int]
    release_id: str
    name: str
    service: str
    version: str
    phase: ReleasePhase
    paused: bool
    step: int
    steps: _containers.RepeatedCompositeFieldContainer[ReleaseStep]
    weight_bp: int
    cause: str
    candidates_serving: int
    candidates_wanted: int
    create_time: _timestamp_pb2.Timestamp
    step_time: _timestamp_pb2.Timestamp
    decisions: _containers.RepeatedCompositeFieldContainer[ReleaseDecision]
    calls: _containers.RepeatedCompositeFieldContainer[ReleaseCalls]
    verdicts: _containers.RepeatedCompositeFieldContainer[ReleaseVerdict]
    services: _containers.RepeatedCompositeFieldContainer[ReleasedService]
    instances: ReleaseInstances
    def __init__(self, release_id: _Optional[str] = ..., name: _Optional[str] = ..., service: _Optional[str] = ..., version: _Optional[str] = ..., phase: _Optional[_Union[ReleasePhase, str]] = ..., paused: _Optional[bool] = ..., step: _Optional[int] = ..., steps: _Optional[_Iterable[_Union[ReleaseStep, _Mapping]]] = ..., weight_bp: _Optional[int] = ..., cause: _Optional[str] = ..., candidates_serving: _Optional[int] = ..., candidates_wanted: _Optional[int] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., step_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., decisions: _Optional[_Iterable[_Union[ReleaseDecision, _Mapping]]] = ..., calls: _Optional[_Iterable[_Union[ReleaseCalls, _Mapping]]] = ..., verdicts: _Optional[_Iterable[_Union[ReleaseVerdict, _Mapping]]] = ..., services: _Optional[_Iterable[_Union[ReleasedService, _Mapping]]] = ..., instances: _Optional[_Union[ReleaseInstances, _Mapping]] = ...) -> None: ...
