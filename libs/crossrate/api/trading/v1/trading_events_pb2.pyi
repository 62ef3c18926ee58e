from crossrate.api.trading.v1 import execution_pb2 as _execution_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ExecutionReported(_message.Message):
    __slots__ = ("report",)
    REPORT_FIELD_NUMBER: _ClassVar[int]
    report: _execution_pb2.ExecutionReport
    def __init__(self, report: _Optional[_Union[_execution_pb2.ExecutionReport, _Mapping]] = ...) -> None: ...
