from buf.validate import validate_pb2 as _validate_pb2
from crossrate.api.ledger.v1 import account_pb2 as _account_pb2
from crossrate.api.policy.v1 import policy_pb2 as _policy_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class OpenAccountRequest(_message.Message):
    __slots__ = ("request_id", "account", "validate_only")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    account: _account_pb2.Account
    validate_only: bool
    def __init__(self, request_id: _Optional[str] = ..., account: _Optional[_Union[_account_pb2.Account, _Mapping]] = ..., validate_only: _Optional[bool] = ...) -> None: ...

class OpenAccountResponse(_message.Message):
    __slots__ = ("account",)
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    account: _account_pb2.Account
    def __init__(self, account: _Optional[_Union[_account_pb2.Account, _Mapping]] = ...) -> None: ...

class ChangeAccountRequest(_message.Message):
    __slots__ = ("request_id", "account", "validate_only")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    account: _account_pb2.Account
    validate_only: bool
    def __init__(self, request_id: _Optional[str] = ..., account: _Optional[_Union[_account_pb2.Account, _Mapping]] = ..., validate_only: _Optional[bool] = ...) -> None: ...

class ChangeAccountResponse(_message.Message):
    __slots__ = ("account",)
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    account: _account_pb2.Account
    def __init__(self, account: _Optional[_Union[_account_pb2.Account, _Mapping]] = ...) -> None: ...

class SetDeskMarginRequest(_message.Message):
    __slots__ = ("request_id", "desk_margin", "validate_only")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    DESK_MARGIN_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    desk_margin: _account_pb2.DeskMargin
    validate_only: bool
    def __init__(self, request_id: _Optional[str] = ..., desk_margin: _Optional[_Union[_account_pb2.DeskMargin, _Mapping]] = ..., validate_only: _Optional[bool] = ...) -> None: ...

class SetDeskMarginResponse(_message.Message):
    __slots__ = ("desk_margin",)
    DESK_MARGIN_FIELD_NUMBER: _ClassVar[int]
    desk_margin: _account_pb2.DeskMargin
    def __init__(self, desk_margin: _Optional[_Union[_account_pb2.DeskMargin, _Mapping]] = ...) -> None: ...

class ListDeskMarginsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListDeskMarginsResponse(_message.Message):
    __slots__ = ("desk_margins", "platform")
    DESK_MARGINS_FIELD_NUMBER: _ClassVar[int]
    PLATFORM_FIELD_NUMBER: _ClassVar[int]
    desk_margins: _containers.RepeatedCompositeFieldContainer[_account_pb2.DeskMargin]
    platform: _account_pb2.MarginLevels
    def __init__(self, desk_margins: _Optional[_Iterable[_Union[_account_pb2.DeskMargin, _Mapping]]] = ..., platform: _Optional[_Union[_account_pb2.MarginLevels, _Mapping]] = ...) -> None: ...

class GetAccountRequest(_message.Message):
    __slots__ = ("account",)
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    account: str
    def __init__(self, account: _Optional[str] = ...) -> None: ...

class GetAccountResponse(_message.Message):
    __slots__ = ("account",)
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    account: _account_pb2.Account
    def __init__(self, account: _Optional[_Union[_account_pb2.Account, _Mapping]] = ...) -> None: ...

class ListAccountsRequest(_message.Message):
    __slots__ = ("desk", "page_size", "page_token")
    DESK_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    desk: str
    page_size: int
    page_token: str
    def __init__(self, desk: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListAccountsResponse(_message.Message):
    __slots__ = ("accounts", "next_page_token")
    ACCOUNTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    accounts: _containers.RepeatedCompositeFieldContainer[_account_pb2.Account]
    next_page_token: str
    def __init__(self, accounts: _Optional[_Iterable[_Union[_account_pb2.Account, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...
