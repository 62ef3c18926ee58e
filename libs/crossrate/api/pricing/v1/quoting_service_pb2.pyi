import datetime

from buf.validate import validate_pb2 as _validate_pb2
from crossrate.api.policy.v1 import policy_pb2 as _policy_pb2
from crossrate.api.pricing.v1 import product_pb2 as _product_pb2
from crossrate.api.pricing.v1 import quote_pb2 as _quote_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class RequestQuoteRequest(_message.Message):
    __slots__ = ("request_id", "product", "side", "amount", "client_class", "validity", "validate_only")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    PRODUCT_FIELD_NUMBER: _ClassVar[int]
    SIDE_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    CLIENT_CLASS_FIELD_NUMBER: _ClassVar[int]
    VALIDITY_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    product: _product_pb2.Product
    side: _quote_pb2.QuoteSide
    amount: str
    client_class: str
    validity: _duration_pb2.Duration
    validate_only: bool
    def __init__(self, request_id: _Optional[str] = ..., product: _Optional[_Union[_product_pb2.Product, _Mapping]] = ..., side: _Optional[_Union[_quote_pb2.QuoteSide, str]] = ..., amount: _Optional[str] = ..., client_class: _Optional[str] = ..., validity: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., validate_only: _Optional[bool] = ...) -> None: ...

class RequestQuoteResponse(_message.Message):
    __slots__ = ("quote",)
    QUOTE_FIELD_NUMBER: _ClassVar[int]
    quote: _quote_pb2.ExecutableQuote
    def __init__(self, quote: _Optional[_Union[_quote_pb2.ExecutableQuote, _Mapping]] = ...) -> None: ...

class GetQuoteTermsRequest(_message.Message):
    __slots__ = ("quote_id",)
    QUOTE_ID_FIELD_NUMBER: _ClassVar[int]
    quote_id: str
    def __init__(self, quote_id: _Optional[str] = ...) -> None: ...

class GetQuoteTermsResponse(_message.Message):
    __slots__ = ("quote",)
    QUOTE_FIELD_NUMBER: _ClassVar[int]
    quote: _quote_pb2.ExecutableQuote
    def __init__(self, quote: _Optional[_Union[_quote_pb2.ExecutableQuote, _Mapping]] = ...) -> None: ...

class TakeQuoteRequest(_message.Message):
    __slots__ = ("request_id", "quote_id", "side", "comment")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    QUOTE_ID_FIELD_NUMBER: _ClassVar[int]
    SIDE_FIELD_NUMBER: _ClassVar[int]
    COMMENT_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    quote_id: str
    side: _quote_pb2.QuoteSide
    comment: str
    def __init__(self, request_id: _Optional[str] = ..., quote_id: _Optional[str] = ..., side: _Optional[_Union[_quote_pb2.QuoteSide, str]] = ..., comment: _Optional[str] = ...) -> None: ...

class TakeQuoteResponse(_message.Message):
    __slots__ = ("quote",)
    QUOTE_FIELD_NUMBER: _ClassVar[int]
    quote: _quote_pb2.ExecutableQuote
    def __init__(self, quote: _Optional[_Union[_quote_pb2.ExecutableQuote, _Mapping]] = ...) -> None: ...

class CancelQuoteRequest(_message.Message):
    __slots__ = ("request_id", "quote_id", "comment")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    QUOTE_ID_FIELD_NUMBER: _ClassVar[int]
    COMMENT_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    quote_id: str
    comment: str
    def __init__(self, request_id: _Optional[str] = ..., quote_id: _Optional[str] = ..., comment: _Optional[str] = ...) -> None: ...

class CancelQuoteResponse(_message.Message):
    __slots__ = ("quote",)
    QUOTE_FIELD_NUMBER: _ClassVar[int]
    quote: _quote_pb2.ExecutableQuote
    def __init__(self, quote: _Optional[_Union[_quote_pb2.ExecutableQuote, _Mapping]] = ...) -> None: ...
