from crossrate.api.policy.v1 import policy_pb2 as _policy_pb2
from google.type import date_pb2 as _date_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Valuation(_message.Message):
    __slots__ = ("present_value", "delta", "gamma", "vega", "theta", "rho_domestic", "rho_foreign")
    PRESENT_VALUE_FIELD_NUMBER: _ClassVar[int]
    DELTA_FIELD_NUMBER: _ClassVar[int]
    GAMMA_FIELD_NUMBER: _ClassVar[int]
    VEGA_FIELD_NUMBER: _ClassVar[int]
    THETA_FIELD_NUMBER: _ClassVar[int]
    RHO_DOMESTIC_FIELD_NUMBER: _ClassVar[int]
    RHO_FOREIGN_FIELD_NUMBER: _ClassVar[int]
    present_value: float
    delta: float
    gamma: float
    vega: float
    theta: float
    rho_domestic: float
    rho_foreign: float
    def __init__(self, present_value: _Optional[float] = ..., delta: _Optional[float] = ..., gamma: _Optional[float] = ..., vega: _Optional[float] = ..., theta: _Optional[float] = ..., rho_domestic: _Optional[float] = ..., rho_foreign: _Optional[float] = ...) -> None: ...

class PricedLeg(_message.Message):
    __slots__ = ("name", "notional", "value_date", "expiry_date", "rate", "forward", "volatility", "valuation")
    NAME_FIELD_NUMBER: _ClassVar[int]
    NOTIONAL_FIELD_NUMBER: _ClassVar[int]
    VALUE_DATE_FIELD_NUMBER: _ClassVar[int]
    EXPIRY_DATE_FIELD_NUMBER: _ClassVar[int]
    RATE_FIELD_NUMBER: _ClassVar[int]
    FORWARD_FIELD_NUMBER: _ClassVar[int]
    VOLATILITY_FIELD_NUMBER: _ClassVar[int]
    VALUATION_FIELD_NUMBER: _ClassVar[int]
    name: str
    notional: float
    value_date: _date_pb2.Date
    expiry_date: _date_pb2.Date
    rate: float
    forward: float
    volatility: float
    valuation: Valuation
    def __init__(self, name: _Optional[str] = ..., notional: _Optional[float] = ..., value_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., expiry_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., rate: _Optional[float] = ..., forward: _Optional[float] = ..., volatility: _Optional[float] = ..., valuation: _Optional[_Union[Valuation, _Mapping]] = ...) -> None: ...
