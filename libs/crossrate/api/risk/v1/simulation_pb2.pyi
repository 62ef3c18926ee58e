from buf.validate import validate_pb2 as _validate_pb2
from crossrate.api.risk.v1 import covariance_pb2 as _covariance_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class SimulatedScenarios(_message.Message):
    __slots__ = ("covariance", "count", "seed", "antithetic")
    COVARIANCE_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    ANTITHETIC_FIELD_NUMBER: _ClassVar[int]
    covariance: _covariance_pb2.Covariance
    count: int
    seed: int
    antithetic: bool
    def __init__(self, covariance: _Optional[_Union[_covariance_pb2.Covariance, _Mapping]] = ..., count: _Optional[int] = ..., seed: _Optional[int] = ..., antithetic: _Optional[bool] = ...) -> None: ...
