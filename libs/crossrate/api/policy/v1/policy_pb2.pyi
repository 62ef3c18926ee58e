import datetime

from google.protobuf import descriptor_pb2 as _descriptor_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Role(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ROLE_UNSPECIFIED: _ClassVar[Role]
    ROLE_VIEWER: _ClassVar[Role]
    ROLE_TRADER: _ClassVar[Role]
    ROLE_QUANT: _ClassVar[Role]
    ROLE_RISK_OFFICER: _ClassVar[Role]
    ROLE_OPERATOR: _ClassVar[Role]
    ROLE_AUDITOR: _ClassVar[Role]
    ROLE_ADMIN: _ClassVar[Role]

class SideEffects(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SIDE_EFFECTS_UNSPECIFIED: _ClassVar[SideEffects]
    SIDE_EFFECTS_NONE: _ClassVar[SideEffects]
    SIDE_EFFECTS_VALIDATE_ONLY: _ClassVar[SideEffects]
    SIDE_EFFECTS_NEVER_MIRROR: _ClassVar[SideEffects]

class Priority(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PRIORITY_UNSPECIFIED: _ClassVar[Priority]
    PRIORITY_NORMAL: _ClassVar[Priority]
    PRIORITY_RESERVED: _ClassVar[Priority]

class Redaction(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REDACTION_UNSPECIFIED: _ClassVar[Redaction]
    REDACTION_NONE: _ClassVar[Redaction]
    REDACTION_HASH: _ClassVar[Redaction]
    REDACTION_REMOVE: _ClassVar[Redaction]

class ToleranceUnit(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TOLERANCE_UNIT_UNSPECIFIED: _ClassVar[ToleranceUnit]
    TOLERANCE_UNIT_ABSOLUTE: _ClassVar[ToleranceUnit]
    TOLERANCE_UNIT_RELATIVE: _ClassVar[ToleranceUnit]
    TOLERANCE_UNIT_PIPS: _ClassVar[ToleranceUnit]
ROLE_UNSPECIFIED: Role
ROLE_VIEWER: Role
ROLE_TRADER: Role
ROLE_QUANT: Role
ROLE_RISK_OFFICER: Role
ROLE_OPERATOR: Role
ROLE_AUDITOR: Role
ROLE_ADMIN: Role
SIDE_EFFECTS_UNSPECIFIED: SideEffects
SIDE_EFFECTS_NONE: SideEffects
SIDE_EFFECTS_VALIDATE_ONLY: SideEffects
SIDE_EFFECTS_NEVER_MIRROR: SideEffects
PRIORITY_UNSPECIFIED: Priority
PRIORITY_NORMAL: Priority
PRIORITY_RESERVED: Priority
REDACTION_UNSPECIFIED: Redaction
REDACTION_NONE: Redaction
REDACTION_HASH: Redaction
REDACTION_REMOVE: Redaction
TOLERANCE_UNIT_UNSPECIFIED: ToleranceUnit
TOLERANCE_UNIT_ABSOLUTE: ToleranceUnit
TOLERANCE_UNIT_RELATIVE: ToleranceUnit
TOLERANCE_UNIT_PIPS: ToleranceUnit
METHOD_FIELD_NUMBER: _ClassVar[int]
method: _descriptor.FieldDescriptor
FIELD_FIELD_NUMBER: _ClassVar[int]
field: _descriptor.FieldDescriptor

class MethodPolicy(_message.Message):
    __slots__ = ("roles", "services", "deadline", "cost", "sticky_field", "side_effects", "priority", "max_request_bytes", "no_rest_reason", "stream_idle_timeout", "account_fields", "instrument_fields", "desk_fields", "step_up", "step_up_unless")
    ROLES_FIELD_NUMBER: _ClassVar[int]
    SERVICES_FIELD_NUMBER: _ClassVar[int]
    DEADLINE_FIELD_NUMBER: _ClassVar[int]
    COST_FIELD_NUMBER: _ClassVar[int]
    STICKY_FIELD_FIELD_NUMBER: _ClassVar[int]
    SIDE_EFFECTS_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    MAX_REQUEST_BYTES_FIELD_NUMBER: _ClassVar[int]
    NO_REST_REASON_FIELD_NUMBER: _ClassVar[int]
    STREAM_IDLE_TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_FIELDS_FIELD_NUMBER: _ClassVar[int]
    INSTRUMENT_FIELDS_FIELD_NUMBER: _ClassVar[int]
    DESK_FIELDS_FIELD_NUMBER: _ClassVar[int]
    STEP_UP_FIELD_NUMBER: _ClassVar[int]
    STEP_UP_UNLESS_FIELD_NUMBER: _ClassVar[int]
    roles: _containers.RepeatedScalarFieldContainer[Role]
    services: _containers.RepeatedScalarFieldContainer[str]
    deadline: _duration_pb2.Duration
    cost: int
    sticky_field: str
    side_effects: SideEffects
    priority: Priority
    max_request_bytes: int
    no_rest_reason: str
    stream_idle_timeout: _duration_pb2.Duration
    account_fields: _containers.RepeatedScalarFieldContainer[str]
    instrument_fields: _containers.RepeatedScalarFieldContainer[str]
    desk_fields: _containers.RepeatedScalarFieldContainer[str]
    step_up: bool
    step_up_unless: str
    def __init__(self, roles: _Optional[_Iterable[_Union[Role, str]]] = ..., services: _Optional[_Iterable[str]] = ..., deadline: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., cost: _Optional[int] = ..., sticky_field: _Optional[str] = ..., side_effects: _Optional[_Union[SideEffects, str]] = ..., priority: _Optional[_Union[Priority, str]] = ..., max_request_bytes: _Optional[int] = ..., no_rest_reason: _Optional[str] = ..., stream_idle_timeout: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., account_fields: _Optional[_Iterable[str]] = ..., instrument_fields: _Optional[_Iterable[str]] = ..., desk_fields: _Optional[_Iterable[str]] = ..., step_up: _Optional[bool] = ..., step_up_unless: _Optional[str] = ...) -> None: ...

class Tolerance(_message.Message):
    __slots__ = ("value", "unit")
    VALUE_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    value: float
    unit: ToleranceUnit
    def __init__(self, value: _Optional[float] = ..., unit: _Optional[_Union[ToleranceUnit, str]] = ...) -> None: ...

class FieldPolicy(_message.Message):
    __slots__ = ("redaction", "tolerance", "compare_ignored", "compare_key")
    REDACTION_FIELD_NUMBER: _ClassVar[int]
    TOLERANCE_FIELD_NUMBER: _ClassVar[int]
    COMPARE_IGNORED_FIELD_NUMBER: _ClassVar[int]
    COMPARE_KEY_FIELD_NUMBER: _ClassVar[int]
    redaction: Redaction
    tolerance: Tolerance
    compare_ignored: bool
    compare_key: str
    def __init__(self, redaction: _Optional[_Union[Redaction, str]] = ..., tolerance: _Optional[_Union[Tolerance, _Mapping]] = ..., compare_ignored: _Optional[bool] = ..., compare_key: _Optional[str] = ...) -> None: ...
