from crossrate.api.ledger.v1 import balance_pb2 as _balance_pb2
from crossrate.api.risk.v1 import kill_switch_pb2 as _kill_switch_pb2
from crossrate.api.risk.v1 import limit_pb2 as _limit_pb2
from crossrate.api.risk.v1 import margin_call_pb2 as _margin_call_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class LimitsChanged(_message.Message):
    __slots__ = ("limits", "proposal")
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    PROPOSAL_FIELD_NUMBER: _ClassVar[int]
    limits: _limit_pb2.LimitSet
    proposal: _limit_pb2.LimitProposal
    def __init__(self, limits: _Optional[_Union[_limit_pb2.LimitSet, _Mapping]] = ..., proposal: _Optional[_Union[_limit_pb2.LimitProposal, _Mapping]] = ...) -> None: ...

class KillSwitchChanged(_message.Message):
    __slots__ = ("state", "change", "actor")
    STATE_FIELD_NUMBER: _ClassVar[int]
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    ACTOR_FIELD_NUMBER: _ClassVar[int]
    state: _kill_switch_pb2.KillSwitchState
    change: str
    actor: str
    def __init__(self, state: _Optional[_Union[_kill_switch_pb2.KillSwitchState, _Mapping]] = ..., change: _Optional[str] = ..., actor: _Optional[str] = ...) -> None: ...

class MarginChanged(_message.Message):
    __slots__ = ("standing", "previous_state", "close_out")
    STANDING_FIELD_NUMBER: _ClassVar[int]
    PREVIOUS_STATE_FIELD_NUMBER: _ClassVar[int]
    CLOSE_OUT_FIELD_NUMBER: _ClassVar[int]
    standing: _margin_call_pb2.MarginStanding
    previous_state: _balance_pb2.MarginState
    close_out: _margin_call_pb2.CloseOut
    def __init__(self, standing: _Optional[_Union[_margin_call_pb2.MarginStanding, _Mapping]] = ..., previous_state: _Optional[_Union[_balance_pb2.MarginState, str]] = ..., close_out: _Optional[_Union[_margin_call_pb2.CloseOut, _Mapping]] = ...) -> None: ...
