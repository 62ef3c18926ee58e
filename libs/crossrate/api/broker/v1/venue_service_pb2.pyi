from buf.validate import validate_pb2 as _validate_pb2
from crossrate.api.broker.v1 import venue_pb2 as _venue_pb2
from crossrate.api.policy.v1 import policy_pb2 as _policy_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ListVenuesRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListVenuesResponse(_message.Message):
    __slots__ = ("venues",)
    VENUES_FIELD_NUMBER: _ClassVar[int]
    venues: _containers.RepeatedCompositeFieldContainer[_venue_pb2.Venue]
    def __init__(self, venues: _Optional[_Iterable[_Union[_venue_pb2.Venue, _Mapping]]] = ...) -> None: ...

class GetVenueRequest(_message.Message):
    __slots__ = ("venue",)
    VENUE_FIELD_NUMBER: _ClassVar[int]
    venue: str
    def __init__(self, venue: _Optional[str] = ...) -> None: ...

class GetVenueResponse(_message.Message):
    __slots__ = ("venue",)
    VENUE_FIELD_NUMBER: _ClassVar[int]
    venue: _venue_pb2.Venue
    def __init__(self, venue: _Optional[_Union[_venue_pb2.Venue, _Mapping]] = ...) -> None: ...

class SetVenueStateRequest(_message.Message):
    __slots__ = ("request_id", "venue", "state", "reason", "expected_version", "validate_only")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    VENUE_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    venue: str
    state: _venue_pb2.VenueState
    reason: str
    expected_version: int
    validate_only: bool
    def __init__(self, request_id: _Optional[str] = ..., venue: _Optional[str] = ..., state: _Optional[_Union[_venue_pb2.VenueState, str]] = ..., reason: _Optional[str] = ..., expected_version: _Optional[int] = ..., validate_only: _Optional[bool] = ...) -> None: ...

class SetVenueStateResponse(_message.Message):
    __slots__ = ("venue",)
    VENUE_FIELD_NUMBER: _ClassVar[int]
    venue: _venue_pb2.Venue
    def __init__(self, venue: _Optional[_Union[_venue_pb2.Venue, _Mapping]] = ...) -> None: ...
