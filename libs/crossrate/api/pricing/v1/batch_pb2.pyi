from buf.validate import validate_pb2 as _validate_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class BatchMarket(_message.Message):
    __slots__ = ("spot", "volatility", "domestic_rate", "foreign_rate")
    SPOT_FIELD_NUMBER: _ClassVar[int]
    VOLATILITY_FIELD_NUMBER: _ClassVar[int]
    DOMESTIC_RATE_FIELD_NUMBER: _ClassVar[int]
    FOREIGN_RATE_FIELD_NUMBER: _ClassVar[int]
    spot: _containers.RepeatedScalarFieldContainer[float]
    volatility: _containers.RepeatedScalarFieldContainer[float]
    domestic_rate: _containers.RepeatedScalarFieldContainer[float]
    foreign_rate: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, spot: _Optional[_Iterable[float]] = ..., volatility: _Optional[_Iterable[float]] = ..., domestic_rate: _Optional[_Iterable[float]] = ..., foreign_rate: _Optional[_Iterable[float]] = ...) -> None: ...

class BatchSnapshot(_message.Message):
    __slots__ = ("snapshot_id", "instruments", "instrument_index")
    SNAPSHOT_ID_FIELD_NUMBER: _ClassVar[int]
    INSTRUMENTS_FIELD_NUMBER: _ClassVar[int]
    INSTRUMENT_INDEX_FIELD_NUMBER: _ClassVar[int]
    snapshot_id: str
    instruments: _containers.RepeatedScalarFieldContainer[str]
    instrument_index: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, snapshot_id: _Optional[str] = ..., instruments: _Optional[_Iterable[str]] = ..., instrument_index: _Optional[_Iterable[int]] = ...) -> None: ...
