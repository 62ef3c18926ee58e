from buf.validate import validate_pb2 as _validate_pb2
from crossrate.api.policy.v1 import policy_pb2 as _policy_pb2
from crossrate.api.risk.v1 import limit_pb2 as _limit_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GetLimitsRequest(_message.Message):
    __slots__ = ("version",)
    VERSION_FIELD_NUMBER: _ClassVar[int]
    version: int
    def __init__(self, version: _Optional[int] = ...) -> None: ...

class GetLimitsResponse(_message.Message):
    __slots__ = ("limits",)
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    limits: _limit_pb2.LimitSet
    def __init__(self, limits: _Optional[_Union[_limit_pb2.LimitSet, _Mapping]] = ...) -> None: ...

class ListLimitVersionsRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListLimitVersionsResponse(_message.Message):
    __slots__ = ("versions", "next_page_token")
    VERSIONS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    versions: _containers.RepeatedCompositeFieldContainer[_limit_pb2.LimitSet]
    next_page_token: str
    def __init__(self, versions: _Optional[_Iterable[_Union[_limit_pb2.LimitSet, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ListLimitUsageRequest(_message.Message):
    __slots__ = ("scope", "page_size")
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    scope: str
    page_size: int
    def __init__(self, scope: _Optional[str] = ..., page_size: _Optional[int] = ...) -> None: ...

class ListLimitUsageResponse(_message.Message):
    __slots__ = ("usages",)
    USAGES_FIELD_NUMBER: _ClassVar[int]
    usages: _containers.RepeatedCompositeFieldContainer[_limit_pb2.LimitUsage]
    def __init__(self, usages: _Optional[_Iterable[_Union[_limit_pb2.LimitUsage, _Mapping]]] = ...) -> None: ...

class ProposeLimitsRequest(_message.Message):
    __slots__ = ("request_id", "put", "remove", "base_version", "comment", "validate_only")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    PUT_FIELD_NUMBER: _ClassVar[int]
    REMOVE_FIELD_NUMBER: _ClassVar[int]
    BASE_VERSION_FIELD_NUMBER: _ClassVar[int]
    COMMENT_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    put: _containers.RepeatedCompositeFieldContainer[_limit_pb2.Limit]
    remove: _containers.RepeatedCompositeFieldContainer[_limit_pb2.LimitKey]
    base_version: int
    comment: str
    validate_only: bool
    def __init__(self, request_id: _Optional[str] = ..., put: _Optional[_Iterable[_Union[_limit_pb2.Limit, _Mapping]]] = ..., remove: _Optional[_Iterable[_Union[_limit_pb2.LimitKey, _Mapping]]] = ..., base_version: _Optional[int] = ..., comment: _Optional[str] = ..., validate_only: _Optional[bool] = ...) -> None: ...

class ProposeLimitsResponse(_message.Message):
    __slots__ = ("proposal", "effects")
    PROPOSAL_FIELD_NUMBER: _ClassVar[int]
    EFFECTS_FIELD_NUMBER: _ClassVar[int]
    proposal: _limit_pb2.LimitProposal
    effects: _containers.RepeatedCompositeFieldContainer[_limit_pb2.LimitUsage]
    def __init__(self, proposal: _Optional[_Union[_limit_pb2.LimitProposal, _Mapping]] = ..., effects: _Optional[_Iterable[_Union[_limit_pb2.LimitUsage, _Mapping]]] = ...) -> None: ...

class ApproveLimitsRequest(_message.Message):
    __slots__ = ("request_id", "proposal_id", "validate_only")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    PROPOSAL_ID_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    proposal_id: str
    validate_only: bool
    def __init__(self, request_id: _Optional[str] = ..., proposal_id: _Optional[str] = ..., validate_only: _Optional[bool] = ...) -> None: ...

class ApproveLimitsResponse(_message.Message):
    __slots__ = ("limits",)
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    limits: _limit_pb2.LimitSet
    def __init__(self, limits: _Optional[_Union[_limit_pb2.LimitSet, _Mapping]] = ...) -> None: ...

class WithdrawLimitsRequest(_message.Message):
    __slots__ = ("request_id", "proposal_id", "validate_only")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    PROPOSAL_ID_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    proposal_id: str
    validate_only: bool
    def __init__(self, request_id: _Optional[str] = ..., proposal_id: _Optional[str] = ..., validate_only: _Optional[bool] = ...) -> None: ...

class WithdrawLimitsResponse(_message.Message):
    __slots__ = ("proposal",)
    PROPOSAL_FIELD_NUMBER: _ClassVar[int]
    proposal: _limit_pb2.LimitProposal
    def __init__(self, proposal: _Optional[_Union[_limit_pb2.LimitProposal, _Mapping]] = ...) -> None: ...

class ListLimitProposalsRequest(_message.Message):
    __slots__ = ("pending", "page_size", "page_token")
    PENDING_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    pending: bool
    page_size: int
    page_token: str
    def __init__(self, pending: _Optional[bool] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListLimitProposalsResponse(_message.Message):
    __slots__ = ("proposals", "next_page_token")
    PROPOSALS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    proposals: _containers.RepeatedCompositeFieldContainer[_limit_pb2.LimitProposal]
    next_page_token: str
    def __init__(self, proposals: _Optional[_Iterable[_Union[_limit_pb2.LimitProposal, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...
