import datetime

from buf.validate import validate_pb2 as _validate_pb2
from crossrate.api.policy.v1 import policy_pb2 as _policy_pb2
from crossrate.api.pricing.v1 import batch_pb2 as _batch_pb2
from crossrate.api.pricing.v1 import market_pb2 as _market_pb2
from crossrate.api.pricing.v1 import product_pb2 as _product_pb2
from crossrate.api.pricing.v1 import strike_pb2 as _strike_pb2
from crossrate.api.pricing.v1 import valuation_pb2 as _valuation_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.rpc import status_pb2 as _status_pb2
from google.type import date_pb2 as _date_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class PriceRequest(_message.Message):
    __slots__ = ("product", "snapshot_id", "flat_market", "reporting_currency")
    PRODUCT_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_ID_FIELD_NUMBER: _ClassVar[int]
    FLAT_MARKET_FIELD_NUMBER: _ClassVar[int]
    REPORTING_CURRENCY_FIELD_NUMBER: _ClassVar[int]
    product: _product_pb2.Product
    snapshot_id: str
    flat_market: _market_pb2.FlatMarket
    reporting_currency: str
    def __init__(self, product: _Optional[_Union[_product_pb2.Product, _Mapping]] = ..., snapshot_id: _Optional[str] = ..., flat_market: _Optional[_Union[_market_pb2.FlatMarket, _Mapping]] = ..., reporting_currency: _Optional[str] = ...) -> None: ...

class PriceResponse(_message.Message):
    __slots__ = ("valuation", "legs", "par_rate", "par_points", "unit_price", "reporting_currency", "reporting_rate", "reporting_value", "trade_date", "spot_date", "snapshot_id", "as_of", "model", "deltas", "reporting_valuation")
    VALUATION_FIELD_NUMBER: _ClassVar[int]
    LEGS_FIELD_NUMBER: _ClassVar[int]
    PAR_RATE_FIELD_NUMBER: _ClassVar[int]
    PAR_POINTS_FIELD_NUMBER: _ClassVar[int]
    UNIT_PRICE_FIELD_NUMBER: _ClassVar[int]
    REPORTING_CURRENCY_FIELD_NUMBER: _ClassVar[int]
    REPORTING_RATE_FIELD_NUMBER: _ClassVar[int]
    REPORTING_VALUE_FIELD_NUMBER: _ClassVar[int]
    TRADE_DATE_FIELD_NUMBER: _ClassVar[int]
    SPOT_DATE_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_ID_FIELD_NUMBER: _ClassVar[int]
    AS_OF_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    DELTAS_FIELD_NUMBER: _ClassVar[int]
    REPORTING_VALUATION_FIELD_NUMBER: _ClassVar[int]
    valuation: _valuation_pb2.Valuation
    legs: _containers.RepeatedCompositeFieldContainer[_valuation_pb2.PricedLeg]
    par_rate: float
    par_points: float
    unit_price: float
    reporting_currency: str
    reporting_rate: float
    reporting_value: float
    trade_date: _date_pb2.Date
    spot_date: _date_pb2.Date
    snapshot_id: str
    as_of: _timestamp_pb2.Timestamp
    model: _valuation_pb2.Model
    deltas: _valuation_pb2.Deltas
    reporting_valuation: _valuation_pb2.Valuation
    def __init__(self, valuation: _Optional[_Union[_valuation_pb2.Valuation, _Mapping]] = ..., legs: _Optional[_Iterable[_Union[_valuation_pb2.PricedLeg, _Mapping]]] = ..., par_rate: _Optional[float] = ..., par_points: _Optional[float] = ..., unit_price: _Optional[float] = ..., reporting_currency: _Optional[str] = ..., reporting_rate: _Optional[float] = ..., reporting_value: _Optional[float] = ..., trade_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., spot_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., snapshot_id: _Optional[str] = ..., as_of: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., model: _Optional[_Union[_valuation_pb2.Model, str]] = ..., deltas: _Optional[_Union[_valuation_pb2.Deltas, _Mapping]] = ..., reporting_valuation: _Optional[_Union[_valuation_pb2.Valuation, _Mapping]] = ...) -> None: ...

class ProductOnMarket(_message.Message):
    __slots__ = ("product", "flat_market")
    PRODUCT_FIELD_NUMBER: _ClassVar[int]
    FLAT_MARKET_FIELD_NUMBER: _ClassVar[int]
    product: _product_pb2.Product
    flat_market: _market_pb2.FlatMarket
    def __init__(self, product: _Optional[_Union[_product_pb2.Product, _Mapping]] = ..., flat_market: _Optional[_Union[_market_pb2.FlatMarket, _Mapping]] = ...) -> None: ...

class PriceProductsRequest(_message.Message):
    __slots__ = ("snapshot_id", "products", "reporting_currency")
    SNAPSHOT_ID_FIELD_NUMBER: _ClassVar[int]
    PRODUCTS_FIELD_NUMBER: _ClassVar[int]
    REPORTING_CURRENCY_FIELD_NUMBER: _ClassVar[int]
    snapshot_id: str
    products: _containers.RepeatedCompositeFieldContainer[ProductOnMarket]
    reporting_currency: str
    def __init__(self, snapshot_id: _Optional[str] = ..., products: _Optional[_Iterable[_Union[ProductOnMarket, _Mapping]]] = ..., reporting_currency: _Optional[str] = ...) -> None: ...

class PricedProduct(_message.Message):
    __slots__ = ("price", "error")
    PRICE_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    price: PriceResponse
    error: _status_pb2.Status
    def __init__(self, price: _Optional[_Union[PriceResponse, _Mapping]] = ..., error: _Optional[_Union[_status_pb2.Status, _Mapping]] = ...) -> None: ...

class PriceProductsResponse(_message.Message):
    __slots__ = ("results",)
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[PricedProduct]
    def __init__(self, results: _Optional[_Iterable[_Union[PricedProduct, _Mapping]]] = ...) -> None: ...

class PriceBatchRequest(_message.Message):
    __slots__ = ("put_or_call", "strike", "time", "given", "snapshot", "price_only")
    PUT_OR_CALL_FIELD_NUMBER: _ClassVar[int]
    STRIKE_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    GIVEN_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_FIELD_NUMBER: _ClassVar[int]
    PRICE_ONLY_FIELD_NUMBER: _ClassVar[int]
    put_or_call: _containers.RepeatedScalarFieldContainer[int]
    strike: _containers.RepeatedScalarFieldContainer[float]
    time: _containers.RepeatedScalarFieldContainer[float]
    given: _batch_pb2.BatchMarket
    snapshot: _batch_pb2.BatchSnapshot
    price_only: bool
    def __init__(self, put_or_call: _Optional[_Iterable[int]] = ..., strike: _Optional[_Iterable[float]] = ..., time: _Optional[_Iterable[float]] = ..., given: _Optional[_Union[_batch_pb2.BatchMarket, _Mapping]] = ..., snapshot: _Optional[_Union[_batch_pb2.BatchSnapshot, _Mapping]] = ..., price_only: _Optional[bool] = ...) -> None: ...

class PriceBatchResponse(_message.Message):
    __slots__ = ("price", "delta", "gamma", "vega", "theta", "rho_domestic", "rho_foreign")
    PRICE_FIELD_NUMBER: _ClassVar[int]
    DELTA_FIELD_NUMBER: _ClassVar[int]
    GAMMA_FIELD_NUMBER: _ClassVar[int]
    VEGA_FIELD_NUMBER: _ClassVar[int]
    THETA_FIELD_NUMBER: _ClassVar[int]
    RHO_DOMESTIC_FIELD_NUMBER: _ClassVar[int]
    RHO_FOREIGN_FIELD_NUMBER: _ClassVar[int]
    price: _containers.RepeatedScalarFieldContainer[float]
    delta: _containers.RepeatedScalarFieldContainer[float]
    gamma: _containers.RepeatedScalarFieldContainer[float]
    vega: _containers.RepeatedScalarFieldContainer[float]
    theta: _containers.RepeatedScalarFieldContainer[float]
    rho_domestic: _containers.RepeatedScalarFieldContainer[float]
    rho_foreign: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, price: _Optional[_Iterable[float]] = ..., delta: _Optional[_Iterable[float]] = ..., gamma: _Optional[_Iterable[float]] = ..., vega: _Optional[_Iterable[float]] = ..., theta: _Optional[_Iterable[float]] = ..., rho_domestic: _Optional[_Iterable[float]] = ..., rho_foreign: _Optional[_Iterable[float]] = ...) -> None: ...

class ImplyVolatilityRequest(_message.Message):
    __slots__ = ("put_or_call", "strike", "time", "price", "spot", "domestic_rate", "foreign_rate", "skip_unsolved")
    PUT_OR_CALL_FIELD_NUMBER: _ClassVar[int]
    STRIKE_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    PRICE_FIELD_NUMBER: _ClassVar[int]
    SPOT_FIELD_NUMBER: _ClassVar[int]
    DOMESTIC_RATE_FIELD_NUMBER: _ClassVar[int]
    FOREIGN_RATE_FIELD_NUMBER: _ClassVar[int]
    SKIP_UNSOLVED_FIELD_NUMBER: _ClassVar[int]
    put_or_call: _containers.RepeatedScalarFieldContainer[int]
    strike: _containers.RepeatedScalarFieldContainer[float]
    time: _containers.RepeatedScalarFieldContainer[float]
    price: _containers.RepeatedScalarFieldContainer[float]
    spot: _containers.RepeatedScalarFieldContainer[float]
    domestic_rate: _containers.RepeatedScalarFieldContainer[float]
    foreign_rate: _containers.RepeatedScalarFieldContainer[float]
    skip_unsolved: bool
    def __init__(self, put_or_call: _Optional[_Iterable[int]] = ..., strike: _Optional[_Iterable[float]] = ..., time: _Optional[_Iterable[float]] = ..., price: _Optional[_Iterable[float]] = ..., spot: _Optional[_Iterable[float]] = ..., domestic_rate: _Optional[_Iterable[float]] = ..., foreign_rate: _Optional[_Iterable[float]] = ..., skip_unsolved: _Optional[bool] = ...) -> None: ...

class ImplyVolatilityResponse(_message.Message):
    __slots__ = ("volatility", "unsolved")
    VOLATILITY_FIELD_NUMBER: _ClassVar[int]
    UNSOLVED_FIELD_NUMBER: _ClassVar[int]
    volatility: _containers.RepeatedScalarFieldContainer[float]
    unsolved: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, volatility: _Optional[_Iterable[float]] = ..., unsolved: _Optional[_Iterable[int]] = ...) -> None: ...
