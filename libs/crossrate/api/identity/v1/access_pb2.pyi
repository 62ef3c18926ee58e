from buf.validate import validate_pb2 as _validate_pb2
from crossrate.api.policy.v1 import policy_pb2 as _policy_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class RateClass(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RATE_CLASS_UNSPECIFIED: _ClassVar[RateClass]
    RATE_CLASS_STANDARD: _ClassVar[RateClass]
    RATE_CLASS_HIGH: _ClassVar[RateClass]
    RATE_CLASS_LOW: _ClassVar[RateClass]
RATE_CLASS_UNSPECIFIED: RateClass
RATE_CLASS_STANDARD: RateClass
RATE_CLASS_HIGH: RateClass
RATE_CLASS_LOW: RateClass

class Access(_message.Message):
    __slots__ = ("roles", "accounts", "instruments")
    ROLES_FIELD_NUMBER: _ClassVar[int]
    ACCOUNTS_FIELD_NUMBER: _ClassVar[int]
    INSTRUMENTS_FIELD_NUMBER: _ClassVar[int]
    roles: _containers.RepeatedScalarFieldContainer[_policy_pb2.Role]
    accounts: _containers.RepeatedScalarFieldContainer[str]
    instruments: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, roles: _Optional[_Iterable[_Union[_policy_pb2.Role, str]]] = ..., accounts: _Optional[_Iterable[str]] = ..., instruments: _Optional[_Iterable[str]] = ...) -> None: ...
