from buf.validate import validate_pb2 as _validate_pb2
from crossrate.api.pricing.v1 import product_pb2 as _product_pb2
from google.type import date_pb2 as _date_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class DeltaType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DELTA_TYPE_UNSPECIFIED: _ClassVar[DeltaType]
    DELTA_TYPE_SPOT: _ClassVar[DeltaType]
    DELTA_TYPE_FORWARD: _ClassVar[DeltaType]
    DELTA_TYPE_SPOT_PREMIUM_ADJUSTED: _ClassVar[DeltaType]
    DELTA_TYPE_FORWARD_PREMIUM_ADJUSTED: _ClassVar[DeltaType]

class AtmType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ATM_TYPE_UNSPECIFIED: _ClassVar[AtmType]
    ATM_TYPE_FORWARD: _ClassVar[AtmType]
    ATM_TYPE_DELTA_NEUTRAL_STRADDLE: _ClassVar[AtmType]
    ATM_TYPE_SPOT: _ClassVar[AtmType]

class ButterflyType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    BUTTERFLY_TYPE_UNSPECIFIED: _ClassVar[ButterflyType]
    BUTTERFLY_TYPE_MARKET_STRANGLE: _ClassVar[ButterflyType]
    BUTTERFLY_TYPE_SMILE_STRANGLE: _ClassVar[ButterflyType]

class RiskReversalSign(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RISK_REVERSAL_SIGN_UNSPECIFIED: _ClassVar[RiskReversalSign]
    RISK_REVERSAL_SIGN_CALL_MINUS_PUT: _ClassVar[RiskReversalSign]
    RISK_REVERSAL_SIGN_PUT_MINUS_CALL: _ClassVar[RiskReversalSign]

class SmileInterpolation(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SMILE_INTERPOLATION_UNSPECIFIED: _ClassVar[SmileInterpolation]
    SMILE_INTERPOLATION_POLYNOMIAL_IN_DELTA: _ClassVar[SmileInterpolation]
    SMILE_INTERPOLATION_VANNA_VOLGA: _ClassVar[SmileInterpolation]
    SMILE_INTERPOLATION_SABR: _ClassVar[SmileInterpolation]

class ArbitrageKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ARBITRAGE_KIND_UNSPECIFIED: _ClassVar[ArbitrageKind]
    ARBITRAGE_KIND_BUTTERFLY: _ClassVar[ArbitrageKind]
    ARBITRAGE_KIND_CALENDAR: _ClassVar[ArbitrageKind]
DELTA_TYPE_UNSPECIFIED: DeltaType
DELTA_TYPE_SPOT: DeltaType
DELTA_TYPE_FORWARD: DeltaType
DELTA_TYPE_SPOT_PREMIUM_ADJUSTED: DeltaType
DELTA_TYPE_FORWARD_PREMIUM_ADJUSTED: DeltaType
ATM_TYPE_UNSPECIFIED: AtmType
ATM_TYPE_FORWARD: AtmType
ATM_TYPE_DELTA_NEUTRAL_STRADDLE: AtmType
ATM_TYPE_SPOT: AtmType
BUTTERFLY_TYPE_UNSPECIFIED: ButterflyType
BUTTERFLY_TYPE_MARKET_STRANGLE: ButterflyType
BUTTERFLY_TYPE_SMILE_STRANGLE: ButterflyType
RISK_REVERSAL_SIGN_UNSPECIFIED: RiskReversalSign
RISK_REVERSAL_SIGN_CALL_MINUS_PUT: RiskReversalSign
RISK_REVERSAL_SIGN_PUT_MINUS_CALL: RiskReversalSign
SMILE_INTERPOLATION_UNSPECIFIED: SmileInterpolation
SMILE_INTERPOLATION_POLYNOMIAL_IN_DELTA: SmileInterpolation
SMILE_INTERPOLATION_VANNA_VOLGA: SmileInterpolation
SMILE_INTERPOLATION_SABR: SmileInterpolation
ARBITRAGE_KIND_UNSPECIFIED: ArbitrageKind
ARBITRAGE_KIND_BUTTERFLY: ArbitrageKind
ARBITRAGE_KIND_CALENDAR: ArbitrageKind

class DeltaConventions(_message.Message):
    __slots__ = ("delta_type", "long_delta_type", "switch_tenor", "atm_type", "butterfly_type", "risk_reversal_sign")
    DELTA_TYPE_FIELD_NUMBER: _ClassVar[int]
    LONG_DELTA_TYPE_FIELD_NUMBER: _ClassVar[int]
    SWITCH_TENOR_FIELD_NUMBER: _ClassVar[int]
    ATM_TYPE_FIELD_NUMBER: _ClassVar[int]
    BUTTERFLY_TYPE_FIELD_NUMBER: _ClassVar[int]
    RISK_REVERSAL_SIGN_FIELD_NUMBER: _ClassVar[int]
    delta_type: DeltaType
    long_delta_type: DeltaType
    switch_tenor: str
    atm_type: AtmType
    butterfly_type: ButterflyType
    risk_reversal_sign: RiskReversalSign
    def __init__(self, delta_type: _Optional[_Union[DeltaType, str]] = ..., long_delta_type: _Optional[_Union[DeltaType, str]] = ..., switch_tenor: _Optional[str] = ..., atm_type: _Optional[_Union[AtmType, str]] = ..., butterfly_type: _Optional[_Union[ButterflyType, str]] = ..., risk_reversal_sign: _Optional[_Union[RiskReversalSign, str]] = ...) -> None: ...

class SmileQuote(_message.Message):
    __slots__ = ("expiry", "cut", "atm", "risk_reversal_25", "butterfly_25", "risk_reversal_10", "butterfly_10")
    EXPIRY_FIELD_NUMBER: _ClassVar[int]
    CUT_FIELD_NUMBER: _ClassVar[int]
    ATM_FIELD_NUMBER: _ClassVar[int]
    RISK_REVERSAL_25_FIELD_NUMBER: _ClassVar[int]
    BUTTERFLY_25_FIELD_NUMBER: _ClassVar[int]
    RISK_REVERSAL_10_FIELD_NUMBER: _ClassVar[int]
    BUTTERFLY_10_FIELD_NUMBER: _ClassVar[int]
    expiry: str
    cut: _product_pb2.ExpiryCut
    atm: float
    risk_reversal_25: float
    butterfly_25: float
    risk_reversal_10: float
    butterfly_10: float
    def __init__(self, expiry: _Optional[str] = ..., cut: _Optional[_Union[_product_pb2.ExpiryCut, str]] = ..., atm: _Optional[float] = ..., risk_reversal_25: _Optional[float] = ..., butterfly_25: _Optional[float] = ..., risk_reversal_10: _Optional[float] = ..., butterfly_10: _Optional[float] = ...) -> None: ...

class DayWeight(_message.Message):
    __slots__ = ("date", "weight")
    DATE_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_FIELD_NUMBER: _ClassVar[int]
    date: _date_pb2.Date
    weight: float
    def __init__(self, date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., weight: _Optional[float] = ...) -> None: ...

class BusinessClock(_message.Message):
    __slots__ = ("weekend_weight", "holiday_weight", "days")
    WEEKEND_WEIGHT_FIELD_NUMBER: _ClassVar[int]
    HOLIDAY_WEIGHT_FIELD_NUMBER: _ClassVar[int]
    DAYS_FIELD_NUMBER: _ClassVar[int]
    weekend_weight: float
    holiday_weight: float
    days: _containers.RepeatedCompositeFieldContainer[DayWeight]
    def __init__(self, weekend_weight: _Optional[float] = ..., holiday_weight: _Optional[float] = ..., days: _Optional[_Iterable[_Union[DayWeight, _Mapping]]] = ...) -> None: ...

class SurfaceQuotes(_message.Message):
    __slots__ = ("quotes", "conventions", "interpolation", "sabr_beta", "fit_tolerance", "clock")
    QUOTES_FIELD_NUMBER: _ClassVar[int]
    CONVENTIONS_FIELD_NUMBER: _ClassVar[int]
    INTERPOLATION_FIELD_NUMBER: _ClassVar[int]
    SABR_BETA_FIELD_NUMBER: _ClassVar[int]
    FIT_TOLERANCE_FIELD_NUMBER: _ClassVar[int]
    CLOCK_FIELD_NUMBER: _ClassVar[int]
    quotes: _containers.RepeatedCompositeFieldContainer[SmileQuote]
    conventions: DeltaConventions
    interpolation: SmileInterpolation
    sabr_beta: float
    fit_tolerance: float
    clock: BusinessClock
    def __init__(self, quotes: _Optional[_Iterable[_Union[SmileQuote, _Mapping]]] = ..., conventions: _Optional[_Union[DeltaConventions, _Mapping]] = ..., interpolation: _Optional[_Union[SmileInterpolation, str]] = ..., sabr_beta: _Optional[float] = ..., fit_tolerance: _Optional[float] = ..., clock: _Optional[_Union[BusinessClock, _Mapping]] = ...) -> None: ...

class CalibratedSmile(_message.Message):
    __slots__ = ("expiry_date", "cut", "delivery_date", "time", "forward", "delta_type", "atm_type", "delta", "strike", "volatility", "fit_error")
    EXPIRY_DATE_FIELD_NUMBER: _ClassVar[int]
    CUT_FIELD_NUMBER: _ClassVar[int]
    DELIVERY_DATE_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    FORWARD_FIELD_NUMBER: _ClassVar[int]
    DELTA_TYPE_FIELD_NUMBER: _ClassVar[int]
    ATM_TYPE_FIELD_NUMBER: _ClassVar[int]
    DELTA_FIELD_NUMBER: _ClassVar[int]
    STRIKE_FIELD_NUMBER: _ClassVar[int]
    VOLATILITY_FIELD_NUMBER: _ClassVar[int]
    FIT_ERROR_FIELD_NUMBER: _ClassVar[int]
    expiry_date: _date_pb2.Date
    cut: _product_pb2.ExpiryCut
    delivery_date: _date_pb2.Date
    time: float
    forward: float
    delta_type: DeltaType
    atm_type: AtmType
    delta: _containers.RepeatedScalarFieldContainer[float]
    strike: _containers.RepeatedScalarFieldContainer[float]
    volatility: _containers.RepeatedScalarFieldContainer[float]
    fit_error: float
    def __init__(self, expiry_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., cut: _Optional[_Union[_product_pb2.ExpiryCut, str]] = ..., delivery_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., time: _Optional[float] = ..., forward: _Optional[float] = ..., delta_type: _Optional[_Union[DeltaType, str]] = ..., atm_type: _Optional[_Union[AtmType, str]] = ..., delta: _Optional[_Iterable[float]] = ..., strike: _Optional[_Iterable[float]] = ..., volatility: _Optional[_Iterable[float]] = ..., fit_error: _Optional[float] = ...) -> None: ...

class Arbitrage(_message.Message):
    __slots__ = ("kind", "instrument", "field", "time", "strike", "size")
    KIND_FIELD_NUMBER: _ClassVar[int]
    INSTRUMENT_FIELD_NUMBER: _ClassVar[int]
    FIELD_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    STRIKE_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    kind: ArbitrageKind
    instrument: str
    field: str
    time: float
    strike: float
    size: float
    def __init__(self, kind: _Optional[_Union[ArbitrageKind, str]] = ..., instrument: _Optional[str] = ..., field: _Optional[str] = ..., time: _Optional[float] = ..., strike: _Optional[float] = ..., size: _Optional[float] = ...) -> None: ...
