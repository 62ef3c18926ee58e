from buf.validate import validate_pb2 as _validate_pb2
from crossrate.api.broker.v1 import venue_report_pb2 as _venue_report_pb2
from crossrate.api.common.v1 import stream_pb2 as _stream_pb2
from crossrate.api.policy.v1 import policy_pb2 as _policy_pb2
from crossrate.api.trading.v1 import order_pb2 as _order_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.rpc import status_pb2 as _status_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class InstructionKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    INSTRUCTION_KIND_UNSPECIFIED: _ClassVar[InstructionKind]
    INSTRUCTION_KIND_NEW: _ClassVar[InstructionKind]
    INSTRUCTION_KIND_CANCEL: _ClassVar[InstructionKind]
    INSTRUCTION_KIND_REPLACE: _ClassVar[InstructionKind]
    INSTRUCTION_KIND_STATUS: _ClassVar[InstructionKind]
INSTRUCTION_KIND_UNSPECIFIED: InstructionKind
INSTRUCTION_KIND_NEW: InstructionKind
INSTRUCTION_KIND_CANCEL: InstructionKind
INSTRUCTION_KIND_REPLACE: InstructionKind
INSTRUCTION_KIND_STATUS: InstructionKind

class Instruction(_message.Message):
    __slots__ = ("instruction_id", "kind", "order")
    INSTRUCTION_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    ORDER_FIELD_NUMBER: _ClassVar[int]
    instruction_id: str
    kind: InstructionKind
    order: _order_pb2.Order
    def __init__(self, instruction_id: _Optional[str] = ..., kind: _Optional[_Union[InstructionKind, str]] = ..., order: _Optional[_Union[_order_pb2.Order, _Mapping]] = ...) -> None: ...

class InstructRequest(_message.Message):
    __slots__ = ("request_id", "instructions")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    INSTRUCTIONS_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    instructions: _containers.RepeatedCompositeFieldContainer[Instruction]
    def __init__(self, request_id: _Optional[str] = ..., instructions: _Optional[_Iterable[_Union[Instruction, _Mapping]]] = ...) -> None: ...

class InstructResponse(_message.Message):
    __slots__ = ("last_sequence",)
    LAST_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    last_sequence: int
    def __init__(self, last_sequence: _Optional[int] = ...) -> None: ...

class StreamReportsRequest(_message.Message):
    __slots__ = ("after_sequence",)
    AFTER_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    after_sequence: int
    def __init__(self, after_sequence: _Optional[int] = ...) -> None: ...

class VenueReports(_message.Message):
    __slots__ = ("reports",)
    REPORTS_FIELD_NUMBER: _ClassVar[int]
    reports: _containers.RepeatedCompositeFieldContainer[_venue_report_pb2.VenueReport]
    def __init__(self, reports: _Optional[_Iterable[_Union[_venue_report_pb2.VenueReport, _Mapping]]] = ...) -> None: ...

class StreamReportsResponse(_message.Message):
    __slots__ = ("position", "reports", "heartbeat", "error", "end")
    POSITION_FIELD_NUMBER: _ClassVar[int]
    REPORTS_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    position: _stream_pb2.StreamPosition
    reports: VenueReports
    heartbeat: _stream_pb2.Heartbeat
    error: _status_pb2.Status
    end: _stream_pb2.StreamEnd
    def __init__(self, position: _Optional[_Union[_stream_pb2.StreamPosition, _Mapping]] = ..., reports: _Optional[_Union[VenueReports, _Mapping]] = ..., heartbeat: _Optional[_Union[_stream_pb2.Heartbeat, _Mapping]] = ..., error: _Optional[_Union[_status_pb2.Status, _Mapping]] = ..., end: _Optional[_Union[_stream_pb2.StreamEnd, _Mapping]] = ...) -> None: ...

class ListReportsRequest(_message.Message):
    __slots__ = ("account", "after_sequence", "page_size", "order_id")
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    AFTER_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    account: str
    after_sequence: int
    page_size: int
    order_id: str
    def __init__(self, account: _Optional[str] = ..., after_sequence: _Optional[int] = ..., page_size: _Optional[int] = ..., order_id: _Optional[str] = ...) -> None: ...

class ListReportsResponse(_message.Message):
    __slots__ = ("reports", "last_sequence")
    REPORTS_FIELD_NUMBER: _ClassVar[int]
    LAST_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    reports: _containers.RepeatedCompositeFieldContainer[_venue_report_pb2.VenueReport]
    last_sequence: int
    def __init__(self, reports: _Optional[_Iterable[_Union[_venue_report_pb2.VenueReport, _Mapping]]] = ..., last_sequence: _Optional[int] = ...) -> None: ...
