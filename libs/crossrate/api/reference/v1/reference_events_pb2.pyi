from crossrate.api.reference.v1 import instrument_pb2 as _instrument_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class InstrumentStatusChanged(_message.Message):
    __slots__ = ("instrument", "previous_status", "comment", "request_id")
    INSTRUMENT_FIELD_NUMBER: _ClassVar[int]
    PREVIOUS_STATUS_FIELD_NUMBER: _ClassVar[int]
    COMMENT_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    instrument: _instrument_pb2.Instrument
    previous_status: _instrument_pb2.InstrumentStatus
    comment: str
    request_id: str
    def __init__(self, instrument: _Optional[_Union[_instrument_pb2.Instrument, _Mapping]] = ..., previous_status: _Optional[_Union[_instrument_pb2.InstrumentStatus, str]] = ..., comment: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...
