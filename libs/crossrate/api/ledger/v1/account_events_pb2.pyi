from crossrate.api.ledger.v1 import account_pb2 as _account_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AccountChanged(_message.Message):
    __slots__ = ("account", "request_id")
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    account: _account_pb2.Account
    request_id: str
    def __init__(self, account: _Optional[_Union[_account_pb2.Account, _Mapping]] = ..., request_id: _Optional[str] = ...) -> None: ...

class DeskMarginChanged(_message.Message):
    __slots__ = ("desk_margin", "request_id")
    DESK_MARGIN_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    desk_margin: _account_pb2.DeskMargin
    request_id: str
    def __init__(self, desk_margin: _Optional[_Union[_account_pb2.DeskMargin, _Mapping]] = ..., request_id: _Optional[str] = ...) -> None: ...
