from crossrate.api.policy.v1 import policy_pb2 as _policy_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CurrencyExposure(_message.Message):
    __slots__ = ("currency", "amount", "reporting_amount")
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    REPORTING_AMOUNT_FIELD_NUMBER: _ClassVar[int]
    currency: str
    amount: float
    reporting_amount: float
    def __init__(self, currency: _Optional[str] = ..., amount: _Optional[float] = ..., reporting_amount: _Optional[float] = ...) -> None: ...

class PairExposure(_message.Message):
    __slots__ = ("instrument", "delta", "gamma", "vega", "present_value", "reporting_delta")
    INSTRUMENT_FIELD_NUMBER: _ClassVar[int]
    DELTA_FIELD_NUMBER: _ClassVar[int]
    GAMMA_FIELD_NUMBER: _ClassVar[int]
    VEGA_FIELD_NUMBER: _ClassVar[int]
    PRESENT_VALUE_FIELD_NUMBER: _ClassVar[int]
    REPORTING_DELTA_FIELD_NUMBER: _ClassVar[int]
    instrument: str
    delta: float
    gamma: float
    vega: float
    present_value: float
    reporting_delta: float
    def __init__(self, instrument: _Optional[str] = ..., delta: _Optional[float] = ..., gamma: _Optional[float] = ..., vega: _Optional[float] = ..., present_value: _Optional[float] = ..., reporting_delta: _Optional[float] = ...) -> None: ...

class BookExposure(_message.Message):
    __slots__ = ("currencies", "pairs", "reporting_value", "net_open_position")
    CURRENCIES_FIELD_NUMBER: _ClassVar[int]
    PAIRS_FIELD_NUMBER: _ClassVar[int]
    REPORTING_VALUE_FIELD_NUMBER: _ClassVar[int]
    NET_OPEN_POSITION_FIELD_NUMBER: _ClassVar[int]
    currencies: _containers.RepeatedCompositeFieldContainer[CurrencyExposure]
    pairs: _containers.RepeatedCompositeFieldContainer[PairExposure]
    reporting_value: float
    net_open_position: float
    def __init__(self, currencies: _Optional[_Iterable[_Union[CurrencyExposure, _Mapping]]] = ..., pairs: _Optional[_Iterable[_Union[PairExposure, _Mapping]]] = ..., reporting_value: _Optional[float] = ..., net_open_position: _Optional[float] = ...) -> None: ...

class AccountExposure(_message.Message):
    __slots__ = ("account", "exposure")
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    EXPOSURE_FIELD_NUMBER: _ClassVar[int]
    account: str
    exposure: BookExposure
    def __init__(self, account: _Optional[str] = ..., exposure: _Optional[_Union[BookExposure, _Mapping]] = ...) -> None: ...
