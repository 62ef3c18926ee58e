import datetime

from buf.validate import validate_pb2 as _validate_pb2
from crossrate.api.common.v1 import gate_pb2 as _gate_pb2
from crossrate.api.policy.v1 import policy_pb2 as _policy_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class BreakType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    BREAK_TYPE_UNSPECIFIED: _ClassVar[BreakType]
    BREAK_TYPE_MISSING_AT_VENUE: _ClassVar[BreakType]
    BREAK_TYPE_UNKNOWN_HERE: _ClassVar[BreakType]
    BREAK_TYPE_MISSING_FILL: _ClassVar[BreakType]
    BREAK_TYPE_UNKNOWN_FILL: _ClassVar[BreakType]
    BREAK_TYPE_DUPLICATE_FILL: _ClassVar[BreakType]
    BREAK_TYPE_QUANTITY: _ClassVar[BreakType]
    BREAK_TYPE_PRICE: _ClassVar[BreakType]
    BREAK_TYPE_SIDE: _ClassVar[BreakType]
    BREAK_TYPE_STATE: _ClassVar[BreakType]
    BREAK_TYPE_POSITION: _ClassVar[BreakType]
    BREAK_TYPE_LATE: _ClassVar[BreakType]
    BREAK_TYPE_NOT_BOOKED: _ClassVar[BreakType]
    BREAK_TYPE_NOT_IN_LEDGER: _ClassVar[BreakType]

class BreakState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    BREAK_STATE_UNSPECIFIED: _ClassVar[BreakState]
    BREAK_STATE_OPEN: _ClassVar[BreakState]
    BREAK_STATE_PROPOSED: _ClassVar[BreakState]
    BREAK_STATE_CORRECTING: _ClassVar[BreakState]
    BREAK_STATE_CLOSED: _ClassVar[BreakState]

class CorrectionAction(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CORRECTION_ACTION_UNSPECIFIED: _ClassVar[CorrectionAction]
    CORRECTION_ACTION_ADOPT_FILL: _ClassVar[CorrectionAction]
    CORRECTION_ACTION_REVERSE_FILL: _ClassVar[CorrectionAction]
    CORRECTION_ACTION_CORRECT_FILL: _ClassVar[CorrectionAction]
    CORRECTION_ACTION_END_ORDER: _ClassVar[CorrectionAction]
    CORRECTION_ACTION_CANCEL_AT_VENUE: _ClassVar[CorrectionAction]
    CORRECTION_ACTION_ADOPT_ORDER: _ClassVar[CorrectionAction]
    CORRECTION_ACTION_ACCEPT: _ClassVar[CorrectionAction]

class BreakCorrectionState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    BREAK_CORRECTION_STATE_UNSPECIFIED: _ClassVar[BreakCorrectionState]
    BREAK_CORRECTION_STATE_PROPOSED: _ClassVar[BreakCorrectionState]
    BREAK_CORRECTION_STATE_APPROVED: _ClassVar[BreakCorrectionState]
    BREAK_CORRECTION_STATE_DONE: _ClassVar[BreakCorrectionState]
    BREAK_CORRECTION_STATE_REJECTED: _ClassVar[BreakCorrectionState]
    BREAK_CORRECTION_STATE_FAILED: _ClassVar[BreakCorrectionState]
    BREAK_CORRECTION_STATE_NEEDLESS: _ClassVar[BreakCorrectionState]
BREAK_TYPE_UNSPECIFIED: BreakType
BREAK_TYPE_MISSING_AT_VENUE: BreakType
BREAK_TYPE_UNKNOWN_HERE: BreakType
BREAK_TYPE_MISSING_FILL: BreakType
BREAK_TYPE_UNKNOWN_FILL: BreakType
BREAK_TYPE_DUPLICATE_FILL: BreakType
BREAK_TYPE_QUANTITY: BreakType
BREAK_TYPE_PRICE: BreakType
BREAK_TYPE_SIDE: BreakType
BREAK_TYPE_STATE: BreakType
BREAK_TYPE_POSITION: BreakType
BREAK_TYPE_LATE: BreakType
BREAK_TYPE_NOT_BOOKED: BreakType
BREAK_TYPE_NOT_IN_LEDGER: BreakType
BREAK_STATE_UNSPECIFIED: BreakState
BREAK_STATE_OPEN: BreakState
BREAK_STATE_PROPOSED: BreakState
BREAK_STATE_CORRECTING: BreakState
BREAK_STATE_CLOSED: BreakState
CORRECTION_ACTION_UNSPECIFIED: CorrectionAction
CORRECTION_ACTION_ADOPT_FILL: CorrectionAction
CORRECTION_ACTION_REVERSE_FILL: CorrectionAction
CORRECTION_ACTION_CORRECT_FILL: CorrectionAction
CORRECTION_ACTION_END_ORDER: CorrectionAction
CORRECTION_ACTION_CANCEL_AT_VENUE: CorrectionAction
CORRECTION_ACTION_ADOPT_ORDER: CorrectionAction
CORRECTION_ACTION_ACCEPT: CorrectionAction
BREAK_CORRECTION_STATE_UNSPECIFIED: BreakCorrectionState
BREAK_CORRECTION_STATE_PROPOSED: BreakCorrectionState
BREAK_CORRECTION_STATE_APPROVED: BreakCorrectionState
BREAK_CORRECTION_STATE_DONE: BreakCorrectionState
BREAK_CORRECTION_STATE_REJECTED: BreakCorrectionState
BREAK_CORRECTION_STATE_FAILED: BreakCorrectionState
BREAK_CORRECTION_STATE_NEEDLESS: BreakCorrectionState

class BreakCorrection(_message.Message):
    __slots__ = ("correction_id", "action", "price", "reason", "state", "proposed_by", "propose_time", "decided_by", "decide_time", "report_sequences", "outcome")
    CORRECTION_ID_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    PRICE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    PROPOSED_BY_FIELD_NUMBER: _ClassVar[int]
    PROPOSE_TIME_FIELD_NUMBER: _ClassVar[int]
    DECIDED_BY_FIELD_NUMBER: _ClassVar[int]
    DECIDE_TIME_FIELD_NUMBER: _ClassVar[int]
    REPORT_SEQUENCES_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    correction_id: str
    action: CorrectionAction
    price: str
    reason: str
    state: BreakCorrectionState
    proposed_by: str
    propose_time: _timestamp_pb2.Timestamp
    decided_by: str
    decide_time: _timestamp_pb2.Timestamp
    report_sequences: _containers.RepeatedScalarFieldContainer[int]
    outcome: str
    def __init__(self, correction_id: _Optional[str] = ..., action: _Optional[_Union[CorrectionAction, str]] = ..., price: _Optional[str] = ..., reason: _Optional[str] = ..., state: _Optional[_Union[BreakCorrectionState, str]] = ..., proposed_by: _Optional[str] = ..., propose_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., decided_by: _Optional[str] = ..., decide_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., report_sequences: _Optional[_Iterable[int]] = ..., outcome: _Optional[str] = ...) -> None: ...

class BookSays(_message.Message):
    __slots__ = ("book", "present", "side", "quantity", "filled_quantity", "price", "status")
    BOOK_FIELD_NUMBER: _ClassVar[int]
    PRESENT_FIELD_NUMBER: _ClassVar[int]
    SIDE_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    FILLED_QUANTITY_FIELD_NUMBER: _ClassVar[int]
    PRICE_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    book: str
    present: bool
    side: str
    quantity: str
    filled_quantity: str
    price: str
    status: str
    def __init__(self, book: _Optional[str] = ..., present: _Optional[bool] = ..., side: _Optional[str] = ..., quantity: _Optional[str] = ..., filled_quantity: _Optional[str] = ..., price: _Optional[str] = ..., status: _Optional[str] = ...) -> None: ...

class BreakStep(_message.Message):
    __slots__ = ("time", "what", "who", "text")
    TIME_FIELD_NUMBER: _ClassVar[int]
    WHAT_FIELD_NUMBER: _ClassVar[int]
    WHO_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    time: _timestamp_pb2.Timestamp
    what: str
    who: str
    text: str
    def __init__(self, time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., what: _Optional[str] = ..., who: _Optional[str] = ..., text: _Optional[str] = ...) -> None: ...

class Break(_message.Message):
    __slots__ = ("break_id", "type", "venue", "instrument", "account", "order_id", "venue_order_id", "venue_exec_id", "state", "gate", "text", "books", "actions", "correction", "first_seen_time", "open_time", "close_time", "resolution", "openings", "history", "change")
    BREAK_ID_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    VENUE_FIELD_NUMBER: _ClassVar[int]
    INSTRUMENT_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    VENUE_ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    VENUE_EXEC_ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    GATE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    BOOKS_FIELD_NUMBER: _ClassVar[int]
    ACTIONS_FIELD_NUMBER: _ClassVar[int]
    CORRECTION_FIELD_NUMBER: _ClassVar[int]
    FIRST_SEEN_TIME_FIELD_NUMBER: _ClassVar[int]
    OPEN_TIME_FIELD_NUMBER: _ClassVar[int]
    CLOSE_TIME_FIELD_NUMBER: _ClassVar[int]
    RESOLUTION_FIELD_NUMBER: _ClassVar[int]
    OPENINGS_FIELD_NUMBER: _ClassVar[int]
    HISTORY_FIELD_NUMBER: _ClassVar[int]
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    break_id: str
    type: BreakType
    venue: str
    instrument: str
    account: str
    order_id: str
    venue_order_id: str
    venue_exec_id: str
    state: BreakState
    gate: _gate_pb2.KillMode
    text: str
    books: _containers.RepeatedCompositeFieldContainer[BookSays]
    actions: _containers.RepeatedScalarFieldContainer[CorrectionAction]
    correction: BreakCorrection
    first_seen_time: _timestamp_pb2.Timestamp
    open_time: _timestamp_pb2.Timestamp
    close_time: _timestamp_pb2.Timestamp
    resolution: str
    openings: int
    history: _containers.RepeatedCompositeFieldContainer[BreakStep]
    change: int
    def __init__(self, break_id: _Optional[str] = ..., type: _Optional[_Union[BreakType, str]] = ..., venue: _Optional[str] = ..., instrument: _Optional[str] = ..., account: _Optional[str] = ..., order_id: _Optional[str] = ..., venue_order_id: _Optional[str] = ..., venue_exec_id: _Optional[str] = ..., state: _Optional[_Union[BreakState, str]] = ..., gate: _Optional[_Union[_gate_pb2.KillMode, str]] = ..., text: _Optional[str] = ..., books: _Optional[_Iterable[_Union[BookSays, _Mapping]]] = ..., actions: _Optional[_Iterable[_Union[CorrectionAction, str]]] = ..., correction: _Optional[_Union[BreakCorrection, _Mapping]] = ..., first_seen_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., open_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., close_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., resolution: _Optional[str] = ..., openings: _Optional[int] = ..., history: _Optional[_Iterable[_Union[BreakStep, _Mapping]]] = ..., change: _Optional[int] = ...) -> None: ...

class ReconciliationRun(_message.Message):
    __slots__ = ("venue", "whole", "start_time", "end_time", "orders", "fills", "copied_fills", "pending", "open_breaks", "missing", "number")
    VENUE_FIELD_NUMBER: _ClassVar[int]
    WHOLE_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    ORDERS_FIELD_NUMBER: _ClassVar[int]
    FILLS_FIELD_NUMBER: _ClassVar[int]
    COPIED_FILLS_FIELD_NUMBER: _ClassVar[int]
    PENDING_FIELD_NUMBER: _ClassVar[int]
    OPEN_BREAKS_FIELD_NUMBER: _ClassVar[int]
    MISSING_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    venue: str
    whole: bool
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    orders: int
    fills: int
    copied_fills: int
    pending: int
    open_breaks: int
    missing: _containers.RepeatedScalarFieldContainer[str]
    number: int
    def __init__(self, venue: _Optional[str] = ..., whole: _Optional[bool] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., orders: _Optional[int] = ..., fills: _Optional[int] = ..., copied_fills: _Optional[int] = ..., pending: _Optional[int] = ..., open_breaks: _Optional[int] = ..., missing: _Optional[_Iterable[str]] = ..., number: _Optional[int] = ...) -> None: ...
