from buf.validate import validate_pb2 as _validate_pb2
from crossrate.api.ledger.v1 import entry_pb2 as _entry_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ListTradesRequest(_message.Message):
    __slots__ = ("account", "venue", "venue_exec_ids")
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    VENUE_FIELD_NUMBER: _ClassVar[int]
    VENUE_EXEC_IDS_FIELD_NUMBER: _ClassVar[int]
    account: str
    venue: str
    venue_exec_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, account: _Optional[str] = ..., venue: _Optional[str] = ..., venue_exec_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class ListTradesResponse(_message.Message):
    __slots__ = ("trades", "fault")
    TRADES_FIELD_NUMBER: _ClassVar[int]
    FAULT_FIELD_NUMBER: _ClassVar[int]
    trades: _containers.RepeatedCompositeFieldContainer[_entry_pb2.Trade]
    fault: str
    def __init__(self, trades: _Optional[_Iterable[_Union[_entry_pb2.Trade, _Mapping]]] = ..., fault: _Optional[str] = ...) -> None: ...
