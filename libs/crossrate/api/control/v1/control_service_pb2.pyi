from buf.validate import validate_pb2 as _validate_pb2
from crossrate.api.control.v1 import mesh_pb2 as _mesh_pb2
from crossrate.api.control.v1 import tap_pb2 as _tap_pb2
from crossrate.api.policy.v1 import policy_pb2 as _policy_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.protobuf import struct_pb2 as _struct_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class RotationScope(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ROTATION_SCOPE_UNSPECIFIED: _ClassVar[RotationScope]
    ROTATION_SCOPE_WORKLOADS: _ClassVar[RotationScope]
    ROTATION_SCOPE_ROOT_BEGIN: _ClassVar[RotationScope]
    ROTATION_SCOPE_ROOT_FINISH: _ClassVar[RotationScope]
ROTATION_SCOPE_UNSPECIFIED: RotationScope
ROTATION_SCOPE_WORKLOADS: RotationScope
ROTATION_SCOPE_ROOT_BEGIN: RotationScope
ROTATION_SCOPE_ROOT_FINISH: RotationScope

class GetMeshStatusRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetMeshStatusResponse(_message.Message):
    __slots__ = ("proxies", "instances", "snapshot_version")
    PROXIES_FIELD_NUMBER: _ClassVar[int]
    INSTANCES_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_VERSION_FIELD_NUMBER: _ClassVar[int]
    proxies: _containers.RepeatedCompositeFieldContainer[_mesh_pb2.Proxy]
    instances: _containers.RepeatedCompositeFieldContainer[_mesh_pb2.Instance]
    snapshot_version: int
    def __init__(self, proxies: _Optional[_Iterable[_Union[_mesh_pb2.Proxy, _Mapping]]] = ..., instances: _Optional[_Iterable[_Union[_mesh_pb2.Instance, _Mapping]]] = ..., snapshot_version: _Optional[int] = ...) -> None: ...

class ListSnapshotsRequest(_message.Message):
    __slots__ = ("page_size",)
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    def __init__(self, page_size: _Optional[int] = ...) -> None: ...

class ListSnapshotsResponse(_message.Message):
    __slots__ = ("snapshots",)
    SNAPSHOTS_FIELD_NUMBER: _ClassVar[int]
    snapshots: _containers.RepeatedCompositeFieldContainer[_mesh_pb2.Snapshot]
    def __init__(self, snapshots: _Optional[_Iterable[_Union[_mesh_pb2.Snapshot, _Mapping]]] = ...) -> None: ...

class ListRoutesRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListRoutesResponse(_message.Message):
    __slots__ = ("routes",)
    ROUTES_FIELD_NUMBER: _ClassVar[int]
    routes: _containers.RepeatedCompositeFieldContainer[_mesh_pb2.Route]
    def __init__(self, routes: _Optional[_Iterable[_Union[_mesh_pb2.Route, _Mapping]]] = ...) -> None: ...

class ApplyRouteRequest(_message.Message):
    __slots__ = ("request_id", "grpc_route", "service", "validate_only")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    GRPC_ROUTE_FIELD_NUMBER: _ClassVar[int]
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    grpc_route: _struct_pb2.Struct
    service: str
    validate_only: bool
    def __init__(self, request_id: _Optional[str] = ..., grpc_route: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., service: _Optional[str] = ..., validate_only: _Optional[bool] = ...) -> None: ...

class ApplyRouteResponse(_message.Message):
    __slots__ = ("route", "snapshot_version")
    ROUTE_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_VERSION_FIELD_NUMBER: _ClassVar[int]
    route: _mesh_pb2.Route
    snapshot_version: int
    def __init__(self, route: _Optional[_Union[_mesh_pb2.Route, _Mapping]] = ..., snapshot_version: _Optional[int] = ...) -> None: ...

class ListCertificatesRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListCertificatesResponse(_message.Message):
    __slots__ = ("certificates", "roots")
    CERTIFICATES_FIELD_NUMBER: _ClassVar[int]
    ROOTS_FIELD_NUMBER: _ClassVar[int]
    certificates: _containers.RepeatedCompositeFieldContainer[_mesh_pb2.Certificate]
    roots: _containers.RepeatedCompositeFieldContainer[_mesh_pb2.Certificate]
    def __init__(self, certificates: _Optional[_Iterable[_Union[_mesh_pb2.Certificate, _Mapping]]] = ..., roots: _Optional[_Iterable[_Union[_mesh_pb2.Certificate, _Mapping]]] = ...) -> None: ...

class RotateCertificatesRequest(_message.Message):
    __slots__ = ("request_id", "scope", "validate_only")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    scope: RotationScope
    validate_only: bool
    def __init__(self, request_id: _Optional[str] = ..., scope: _Optional[_Union[RotationScope, str]] = ..., validate_only: _Optional[bool] = ...) -> None: ...

class RotateCertificatesResponse(_message.Message):
    __slots__ = ("certificates", "snapshot_version")
    CERTIFICATES_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_VERSION_FIELD_NUMBER: _ClassVar[int]
    certificates: _containers.RepeatedCompositeFieldContainer[_mesh_pb2.Certificate]
    snapshot_version: int
    def __init__(self, certificates: _Optional[_Iterable[_Union[_mesh_pb2.Certificate, _Mapping]]] = ..., snapshot_version: _Optional[int] = ...) -> None: ...

class GetConfigRequest(_message.Message):
    __slots__ = ("service",)
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    service: str
    def __init__(self, service: _Optional[str] = ...) -> None: ...

class GetConfigResponse(_message.Message):
    __slots__ = ("config",)
    CONFIG_FIELD_NUMBER: _ClassVar[int]
    config: _mesh_pb2.ConfigVersion
    def __init__(self, config: _Optional[_Union[_mesh_pb2.ConfigVersion, _Mapping]] = ...) -> None: ...

class SetConfigRequest(_message.Message):
    __slots__ = ("request_id", "service", "values", "rollback_to_version", "comment", "expected_version", "validate_only")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    ROLLBACK_TO_VERSION_FIELD_NUMBER: _ClassVar[int]
    COMMENT_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    service: str
    values: _struct_pb2.Struct
    rollback_to_version: int
    comment: str
    expected_version: int
    validate_only: bool
    def __init__(self, request_id: _Optional[str] = ..., service: _Optional[str] = ..., values: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., rollback_to_version: _Optional[int] = ..., comment: _Optional[str] = ..., expected_version: _Optional[int] = ..., validate_only: _Optional[bool] = ...) -> None: ...

class SetConfigResponse(_message.Message):
    __slots__ = ("config",)
    CONFIG_FIELD_NUMBER: _ClassVar[int]
    config: _mesh_pb2.ConfigVersion
    def __init__(self, config: _Optional[_Union[_mesh_pb2.ConfigVersion, _Mapping]] = ...) -> None: ...

class ListConfigVersionsRequest(_message.Message):
    __slots__ = ("service",)
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    service: str
    def __init__(self, service: _Optional[str] = ...) -> None: ...

class ListConfigVersionsResponse(_message.Message):
    __slots__ = ("versions",)
    VERSIONS_FIELD_NUMBER: _ClassVar[int]
    versions: _containers.RepeatedCompositeFieldContainer[_mesh_pb2.ConfigVersion]
    def __init__(self, versions: _Optional[_Iterable[_Union[_mesh_pb2.ConfigVersion, _Mapping]]] = ...) -> None: ...
