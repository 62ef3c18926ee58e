from buf.validate import validate_pb2 as _validate_pb2
from crossrate.api.trading.v1 import order_pb2 as _order_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class PositionState(_message.Message):
    __slots__ = ("instrument", "position_id", "quantity", "counter_amount", "strategy")
    INSTRUMENT_FIELD_NUMBER: _ClassVar[int]
    POSITION_ID_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    COUNTER_AMOUNT_FIELD_NUMBER: _ClassVar[int]
    STRATEGY_FIELD_NUMBER: _ClassVar[int]
    instrument: str
    position_id: str
    quantity: str
    counter_amount: str
    strategy: str
    def __init__(self, instrument: _Optional[str] = ..., position_id: _Optional[str] = ..., quantity: _Optional[str] = ..., counter_amount: _Optional[str] = ..., strategy: _Optional[str] = ...) -> None: ...

class AccountState(_message.Message):
    __slots__ = ("account", "sequence", "working", "positions")
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    WORKING_FIELD_NUMBER: _ClassVar[int]
    POSITIONS_FIELD_NUMBER: _ClassVar[int]
    account: str
    sequence: int
    working: _containers.RepeatedCompositeFieldContainer[_order_pb2.Order]
    positions: _containers.RepeatedCompositeFieldContainer[PositionState]
    def __init__(self, account: _Optional[str] = ..., sequence: _Optional[int] = ..., working: _Optional[_Iterable[_Union[_order_pb2.Order, _Mapping]]] = ..., positions: _Optional[_Iterable[_Union[PositionState, _Mapping]]] = ...) -> None: ...
