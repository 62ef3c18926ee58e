from crossrate.api.policy.v1 import policy_pb2 as _policy_pb2
from google.type import date_pb2 as _date_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Model(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    MODEL_UNSPECIFIED: _ClassVar[Model]
    MODEL_DISCOUNTED_FORWARD: _ClassVar[Model]
    MODEL_BLACK: _ClassVar[Model]
    MODEL_BLACK_SMILE_SLOPE: _ClassVar[Model]
    MODEL_BLACK_SCHOLES_BARRIER: _ClassVar[Model]
    MODEL_BLACK_SCHOLES_TOUCH: _ClassVar[Model]
    MODEL_LEVY_TURNBULL_WAKEMAN: _ClassVar[Model]
    MODEL_AMERICAN_ANDERSEN_LAKE: _ClassVar[Model]
MODEL_UNSPECIFIED: Model
MODEL_DISCOUNTED_FORWARD: Model
MODEL_BLACK: Model
MODEL_BLACK_SMILE_SLOPE: Model
MODEL_BLACK_SCHOLES_BARRIER: Model
MODEL_BLACK_SCHOLES_TOUCH: Model
MODEL_LEVY_TURNBULL_WAKEMAN: Model
MODEL_AMERICAN_ANDERSEN_LAKE: Model

class Valuation(_message.Message):
    __slots__ = ("present_value", "delta", "gamma", "vega", "theta", "rho_domestic", "rho_foreign", "vanna", "volga", "charm")
    PRESENT_VALUE_FIELD_NUMBER: _ClassVar[int]
    DELTA_FIELD_NUMBER: _ClassVar[int]
    GAMMA_FIELD_NUMBER: _ClassVar[int]
    VEGA_FIELD_NUMBER: _ClassVar[int]
    THETA_FIELD_NUMBER: _ClassVar[int]
    RHO_DOMESTIC_FIELD_NUMBER: _ClassVar[int]
    RHO_FOREIGN_FIELD_NUMBER: _ClassVar[int]
    VANNA_FIELD_NUMBER: _ClassVar[int]
    VOLGA_FIELD_NUMBER: _ClassVar[int]
    CHARM_FIELD_NUMBER: _ClassVar[int]
    present_value: float
    delta: float
    gamma: float
    vega: float
    theta: float
    rho_domestic: float
    rho_foreign: float
    vanna: float
    volga: float
    charm: float
    def __init__(self, present_value: _Optional[float] = ..., delta: _Optional[float] = ..., gamma: _Optional[float] = ..., vega: _Optional[float] = ..., theta: _Optional[float] = ..., rho_domestic: _Optional[float] = ..., rho_foreign: _Optional[float] = ..., vanna: _Optional[float] = ..., volga: _Optional[float] = ..., charm: _Optional[float] = ...) -> None: ...

class Deltas(_message.Message):
    __slots__ = ("forward", "premium_adjusted", "premium_adjusted_forward")
    FORWARD_FIELD_NUMBER: _ClassVar[int]
    PREMIUM_ADJUSTED_FIELD_NUMBER: _ClassVar[int]
    PREMIUM_ADJUSTED_FORWARD_FIELD_NUMBER: _ClassVar[int]
    forward: float
    premium_adjusted: float
    premium_adjusted_forward: float
    def __init__(self, forward: _Optional[float] = ..., premium_adjusted: _Optional[float] = ..., premium_adjusted_forward: _Optional[float] = ...) -> None: ...

class PricedLeg(_message.Message):
    __slots__ = ("name", "notional", "value_date", "expiry_date", "rate", "forward", "volatility", "valuation", "smile_slope")
    NAME_FIELD_NUMBER: _ClassVar[int]
    NOTIONAL_FIELD_NUMBER: _ClassVar[int]
    VALUE_DATE_FIELD_NUMBER: _ClassVar[int]
    EXPIRY_DATE_FIELD_NUMBER: _ClassVar[int]
    RATE_FIELD_NUMBER: _ClassVar[int]
    FORWARD_FIELD_NUMBER: _ClassVar[int]
    VOLATILITY_FIELD_NUMBER: _ClassVar[int]
    VALUATION_FIELD_NUMBER: _ClassVar[int]
    SMILE_SLOPE_FIELD_NUMBER: _ClassVar[int]
    name: str
    notional: float
    value_date: _date_pb2.Date
    expiry_date: _date_pb2.Date
    rate: float
    forward: float
    volatility: float
    valuation: Valuation
    smile_slope: float
    def __init__(self, name: _Optional[str] = ..., notional: _Optional[float] = ..., value_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., expiry_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., rate: _Optional[float] = ..., forward: _Optional[float] = ..., volatility: _Optional[float] = ..., valuation: _Optional[_Union[Valuation, _Mapping]] = ..., smile_slope: _Optional[float] = ...) -> None: ...
