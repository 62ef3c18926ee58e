from buf.validate import validate_pb2 as _validate_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class PutOrCall(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PUT_OR_CALL_UNSPECIFIED: _ClassVar[PutOrCall]
    PUT_OR_CALL_PUT: _ClassVar[PutOrCall]
    PUT_OR_CALL_CALL: _ClassVar[PutOrCall]

class ExpiryCut(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    EXPIRY_CUT_UNSPECIFIED: _ClassVar[ExpiryCut]
    EXPIRY_CUT_NEW_YORK: _ClassVar[ExpiryCut]
    EXPIRY_CUT_TOKYO: _ClassVar[ExpiryCut]

class StrategyKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    STRATEGY_KIND_UNSPECIFIED: _ClassVar[StrategyKind]
    STRATEGY_KIND_STRADDLE: _ClassVar[StrategyKind]
    STRATEGY_KIND_STRANGLE: _ClassVar[StrategyKind]
    STRATEGY_KIND_RISK_REVERSAL: _ClassVar[StrategyKind]
    STRATEGY_KIND_BUTTERFLY: _ClassVar[StrategyKind]
    STRATEGY_KIND_CALL_SPREAD: _ClassVar[StrategyKind]
    STRATEGY_KIND_PUT_SPREAD: _ClassVar[StrategyKind]

class KnockType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    KNOCK_TYPE_UNSPECIFIED: _ClassVar[KnockType]
    KNOCK_TYPE_OUT: _ClassVar[KnockType]
    KNOCK_TYPE_IN: _ClassVar[KnockType]

class TouchCondition(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TOUCH_CONDITION_UNSPECIFIED: _ClassVar[TouchCondition]
    TOUCH_CONDITION_TOUCH: _ClassVar[TouchCondition]
    TOUCH_CONDITION_NO_TOUCH: _ClassVar[TouchCondition]

class PayoutStyle(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PAYOUT_STYLE_UNSPECIFIED: _ClassVar[PayoutStyle]
    PAYOUT_STYLE_IMMEDIATE: _ClassVar[PayoutStyle]
    PAYOUT_STYLE_DEFERRED: _ClassVar[PayoutStyle]
PUT_OR_CALL_UNSPECIFIED: PutOrCall
PUT_OR_CALL_PUT: PutOrCall
PUT_OR_CALL_CALL: PutOrCall
EXPIRY_CUT_UNSPECIFIED: ExpiryCut
EXPIRY_CUT_NEW_YORK: ExpiryCut
EXPIRY_CUT_TOKYO: ExpiryCut
STRATEGY_KIND_UNSPECIFIED: StrategyKind
STRATEGY_KIND_STRADDLE: StrategyKind
STRATEGY_KIND_STRANGLE: StrategyKind
STRATEGY_KIND_RISK_REVERSAL: StrategyKind
STRATEGY_KIND_BUTTERFLY: StrategyKind
STRATEGY_KIND_CALL_SPREAD: StrategyKind
STRATEGY_KIND_PUT_SPREAD: StrategyKind
KNOCK_TYPE_UNSPECIFIED: KnockType
KNOCK_TYPE_OUT: KnockType
KNOCK_TYPE_IN: KnockType
TOUCH_CONDITION_UNSPECIFIED: TouchCondition
TOUCH_CONDITION_TOUCH: TouchCondition
TOUCH_CONDITION_NO_TOUCH: TouchCondition
PAYOUT_STYLE_UNSPECIFIED: PayoutStyle
PAYOUT_STYLE_IMMEDIATE: PayoutStyle
PAYOUT_STYLE_DEFERRED: PayoutStyle

class Spot(_message.Message):
    __slots__ = ("notional", "rate")
    NOTIONAL_FIELD_NUMBER: _ClassVar[int]
    RATE_FIELD_NUMBER: _ClassVar[int]
    notional: float
    rate: float
    def __init__(self, notional: _Optional[float] = ..., rate: _Optional[float] = ...) -> None: ...

class Forward(_message.Message):
    __slots__ = ("value_date", "notional", "rate")
    VALUE_DATE_FIELD_NUMBER: _ClassVar[int]
    NOTIONAL_FIELD_NUMBER: _ClassVar[int]
    RATE_FIELD_NUMBER: _ClassVar[int]
    value_date: str
    notional: float
    rate: float
    def __init__(self, value_date: _Optional[str] = ..., notional: _Optional[float] = ..., rate: _Optional[float] = ...) -> None: ...

class Swap(_message.Message):
    __slots__ = ("near_date", "far_date", "notional", "near_rate", "far_rate")
    NEAR_DATE_FIELD_NUMBER: _ClassVar[int]
    FAR_DATE_FIELD_NUMBER: _ClassVar[int]
    NOTIONAL_FIELD_NUMBER: _ClassVar[int]
    NEAR_RATE_FIELD_NUMBER: _ClassVar[int]
    FAR_RATE_FIELD_NUMBER: _ClassVar[int]
    near_date: str
    far_date: str
    notional: float
    near_rate: float
    far_rate: float
    def __init__(self, near_date: _Optional[str] = ..., far_date: _Optional[str] = ..., notional: _Optional[float] = ..., near_rate: _Optional[float] = ..., far_rate: _Optional[float] = ...) -> None: ...

class Ndf(_message.Message):
    __slots__ = ("value_date", "notional", "rate")
    VALUE_DATE_FIELD_NUMBER: _ClassVar[int]
    NOTIONAL_FIELD_NUMBER: _ClassVar[int]
    RATE_FIELD_NUMBER: _ClassVar[int]
    value_date: str
    notional: float
    rate: float
    def __init__(self, value_date: _Optional[str] = ..., notional: _Optional[float] = ..., rate: _Optional[float] = ...) -> None: ...

class Vanilla(_message.Message):
    __slots__ = ("put_or_call", "expiry", "cut", "strike", "notional")
    PUT_OR_CALL_FIELD_NUMBER: _ClassVar[int]
    EXPIRY_FIELD_NUMBER: _ClassVar[int]
    CUT_FIELD_NUMBER: _ClassVar[int]
    STRIKE_FIELD_NUMBER: _ClassVar[int]
    NOTIONAL_FIELD_NUMBER: _ClassVar[int]
    put_or_call: PutOrCall
    expiry: str
    cut: ExpiryCut
    strike: float
    notional: float
    def __init__(self, put_or_call: _Optional[_Union[PutOrCall, str]] = ..., expiry: _Optional[str] = ..., cut: _Optional[_Union[ExpiryCut, str]] = ..., strike: _Optional[float] = ..., notional: _Optional[float] = ...) -> None: ...

class Strategy(_message.Message):
    __slots__ = ("kind", "expiry", "cut", "strikes", "notional")
    KIND_FIELD_NUMBER: _ClassVar[int]
    EXPIRY_FIELD_NUMBER: _ClassVar[int]
    CUT_FIELD_NUMBER: _ClassVar[int]
    STRIKES_FIELD_NUMBER: _ClassVar[int]
    NOTIONAL_FIELD_NUMBER: _ClassVar[int]
    kind: StrategyKind
    expiry: str
    cut: ExpiryCut
    strikes: _containers.RepeatedScalarFieldContainer[float]
    notional: float
    def __init__(self, kind: _Optional[_Union[StrategyKind, str]] = ..., expiry: _Optional[str] = ..., cut: _Optional[_Union[ExpiryCut, str]] = ..., strikes: _Optional[_Iterable[float]] = ..., notional: _Optional[float] = ...) -> None: ...

class Digital(_message.Message):
    __slots__ = ("put_or_call", "expiry", "cut", "strike", "payout_currency", "payout")
    PUT_OR_CALL_FIELD_NUMBER: _ClassVar[int]
    EXPIRY_FIELD_NUMBER: _ClassVar[int]
    CUT_FIELD_NUMBER: _ClassVar[int]
    STRIKE_FIELD_NUMBER: _ClassVar[int]
    PAYOUT_CURRENCY_FIELD_NUMBER: _ClassVar[int]
    PAYOUT_FIELD_NUMBER: _ClassVar[int]
    put_or_call: PutOrCall
    expiry: str
    cut: ExpiryCut
    strike: float
    payout_currency: str
    payout: float
    def __init__(self, put_or_call: _Optional[_Union[PutOrCall, str]] = ..., expiry: _Optional[str] = ..., cut: _Optional[_Union[ExpiryCut, str]] = ..., strike: _Optional[float] = ..., payout_currency: _Optional[str] = ..., payout: _Optional[float] = ...) -> None: ...

class Barrier(_message.Message):
    __slots__ = ("put_or_call", "expiry", "cut", "strike", "notional", "knock", "lower_barrier", "upper_barrier", "rebate")
    PUT_OR_CALL_FIELD_NUMBER: _ClassVar[int]
    EXPIRY_FIELD_NUMBER: _ClassVar[int]
    CUT_FIELD_NUMBER: _ClassVar[int]
    STRIKE_FIELD_NUMBER: _ClassVar[int]
    NOTIONAL_FIELD_NUMBER: _ClassVar[int]
    KNOCK_FIELD_NUMBER: _ClassVar[int]
    LOWER_BARRIER_FIELD_NUMBER: _ClassVar[int]
    UPPER_BARRIER_FIELD_NUMBER: _ClassVar[int]
    REBATE_FIELD_NUMBER: _ClassVar[int]
    put_or_call: PutOrCall
    expiry: str
    cut: ExpiryCut
    strike: float
    notional: float
    knock: KnockType
    lower_barrier: float
    upper_barrier: float
    rebate: float
    def __init__(self, put_or_call: _Optional[_Union[PutOrCall, str]] = ..., expiry: _Optional[str] = ..., cut: _Optional[_Union[ExpiryCut, str]] = ..., strike: _Optional[float] = ..., notional: _Optional[float] = ..., knock: _Optional[_Union[KnockType, str]] = ..., lower_barrier: _Optional[float] = ..., upper_barrier: _Optional[float] = ..., rebate: _Optional[float] = ...) -> None: ...

class Touch(_message.Message):
    __slots__ = ("condition", "expiry", "cut", "lower_barrier", "upper_barrier", "payout_currency", "payout", "payout_style")
    CONDITION_FIELD_NUMBER: _ClassVar[int]
    EXPIRY_FIELD_NUMBER: _ClassVar[int]
    CUT_FIELD_NUMBER: _ClassVar[int]
    LOWER_BARRIER_FIELD_NUMBER: _ClassVar[int]
    UPPER_BARRIER_FIELD_NUMBER: _ClassVar[int]
    PAYOUT_CURRENCY_FIELD_NUMBER: _ClassVar[int]
    PAYOUT_FIELD_NUMBER: _ClassVar[int]
    PAYOUT_STYLE_FIELD_NUMBER: _ClassVar[int]
    condition: TouchCondition
    expiry: str
    cut: ExpiryCut
    lower_barrier: float
    upper_barrier: float
    payout_currency: str
    payout: float
    payout_style: PayoutStyle
    def __init__(self, condition: _Optional[_Union[TouchCondition, str]] = ..., expiry: _Optional[str] = ..., cut: _Optional[_Union[ExpiryCut, str]] = ..., lower_barrier: _Optional[float] = ..., upper_barrier: _Optional[float] = ..., payout_currency: _Optional[str] = ..., payout: _Optional[float] = ..., payout_style: _Optional[_Union[PayoutStyle, str]] = ...) -> None: ...

class Asian(_message.Message):
    __slots__ = ("put_or_call", "expiry", "cut", "strike", "notional", "next_fixing", "fixings", "past_fixings")
    PUT_OR_CALL_FIELD_NUMBER: _ClassVar[int]
    EXPIRY_FIELD_NUMBER: _ClassVar[int]
    CUT_FIELD_NUMBER: _ClassVar[int]
    STRIKE_FIELD_NUMBER: _ClassVar[int]
    NOTIONAL_FIELD_NUMBER: _ClassVar[int]
    NEXT_FIXING_FIELD_NUMBER: _ClassVar[int]
    FIXINGS_FIELD_NUMBER: _ClassVar[int]
    PAST_FIXINGS_FIELD_NUMBER: _ClassVar[int]
    put_or_call: PutOrCall
    expiry: str
    cut: ExpiryCut
    strike: float
    notional: float
    next_fixing: str
    fixings: int
    past_fixings: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, put_or_call: _Optional[_Union[PutOrCall, str]] = ..., expiry: _Optional[str] = ..., cut: _Optional[_Union[ExpiryCut, str]] = ..., strike: _Optional[float] = ..., notional: _Optional[float] = ..., next_fixing: _Optional[str] = ..., fixings: _Optional[int] = ..., past_fixings: _Optional[_Iterable[float]] = ...) -> None: ...

class American(_message.Message):
    __slots__ = ("put_or_call", "expiry", "cut", "strike", "notional")
    PUT_OR_CALL_FIELD_NUMBER: _ClassVar[int]
    EXPIRY_FIELD_NUMBER: _ClassVar[int]
    CUT_FIELD_NUMBER: _ClassVar[int]
    STRIKE_FIELD_NUMBER: _ClassVar[int]
    NOTIONAL_FIELD_NUMBER: _ClassVar[int]
    put_or_call: PutOrCall
    expiry: str
    cut: ExpiryCut
    strike: float
    notional: float
    def __init__(self, put_or_call: _Optional[_Union[PutOrCall, str]] = ..., expiry: _Optional[str] = ..., cut: _Optional[_Union[ExpiryCut, str]] = ..., strike: _Optional[float] = ..., notional: _Optional[float] = ...) -> None: ...

class Product(_message.Message):
    __slots__ = ("instrument", "spot", "forward", "swap", "ndf", "vanilla", "strategy", "digital", "barrier", "touch", "asian", "american")
    INSTRUMENT_FIELD_NUMBER: _ClassVar[int]
    SPOT_FIELD_NUMBER: _ClassVar[int]
    FORWARD_FIELD_NUMBER: _ClassVar[int]
    SWAP_FIELD_NUMBER: _ClassVar[int]
    NDF_FIELD_NUMBER: _ClassVar[int]
    VANILLA_FIELD_NUMBER: _ClassVar[int]
    STRATEGY_FIELD_NUMBER: _ClassVar[int]
    DIGITAL_FIELD_NUMBER: _ClassVar[int]
    BARRIER_FIELD_NUMBER: _ClassVar[int]
    TOUCH_FIELD_NUMBER: _ClassVar[int]
    ASIAN_FIELD_NUMBER: _ClassVar[int]
    AMERICAN_FIELD_NUMBER: _ClassVar[int]
    instrument: str
    spot: Spot
    forward: Forward
    swap: Swap
    ndf: Ndf
    vanilla: Vanilla
    strategy: Strategy
    digital: Digital
    barrier: Barrier
    touch: Touch
    asian: Asian
    american: American
    def __init__(self, instrument: _Optional[str] = ..., spot: _Optional[_Union[Spot, _Mapping]] = ..., forward: _Optional[_Union[Forward, _Mapping]] = ..., swap: _Optional[_Union[Swap, _Mapping]] = ..., ndf: _Optional[_Union[Ndf, _Mapping]] = ..., vanilla: _Optional[_Union[Vanilla, _Mapping]] = ..., strategy: _Optional[_Union[Strategy, _Mapping]] = ..., digital: _Optional[_Union[Digital, _Mapping]] = ..., barrier: _Optional[_Union[Barrier, _Mapping]] = ..., touch: _Optional[_Union[Touch, _Mapping]] = ..., asian: _Optional[_Union[Asian, _Mapping]] = ..., american: _Optional[_Union[American, _Mapping]] = ...) -> None: ...
