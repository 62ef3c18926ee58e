"""Writes the descriptor set of the part of Envoy's API that the control plane uses.

Called by scripts/generate in a process of its own, because the package that it reads (xds-protos) replaces files of
packages that the platform itself needs. Arguments: the folder that xds-protos is installed in, the file to write.
"""

import importlib
import sys
from pathlib import Path

sys.path.insert(0, sys.argv[1])

from google.protobuf import descriptor_pb2

ROOTS = [
    "envoy.config.bootstrap.v3.bootstrap",
    "envoy.config.cluster.v3.cluster",
    "envoy.config.endpoint.v3.endpoint",
    "envoy.config.listener.v3.listener",
    "envoy.config.route.v3.route",
    "envoy.config.trace.v3.opentelemetry",
    "envoy.data.accesslog.v3.accesslog",
    "envoy.service.accesslog.v3.als",
    "envoy.service.discovery.v3.ads",
    "envoy.service.discovery.v3.discovery",
    "envoy.service.runtime.v3.rtds",
    "envoy.service.status.v3.csds",
    "envoy.extensions.access_loggers.file.v3.file",
    "envoy.extensions.access_loggers.grpc.v3.als",
    "envoy.extensions.clusters.aggregate.v3.cluster",
    "envoy.extensions.filters.common.fault.v3.fault",
    "envoy.extensions.filters.http.cors.v3.cors",
    "envoy.extensions.filters.http.fault.v3.fault",
    "envoy.extensions.filters.http.grpc_field_extraction.v3.config",
    "envoy.extensions.filters.http.grpc_json_transcoder.v3.transcoder",
    "envoy.extensions.filters.http.grpc_stats.v3.config",
    "envoy.extensions.filters.http.grpc_web.v3.grpc_web",
    "envoy.extensions.filters.http.header_mutation.v3.header_mutation",
    "envoy.extensions.filters.http.health_check.v3.health_check",
    "envoy.extensions.filters.http.jwt_authn.v3.config",
    "envoy.extensions.filters.http.local_ratelimit.v3.local_rate_limit",
    "envoy.extensions.filters.http.lua.v3.lua",
    "envoy.extensions.filters.http.rbac.v3.rbac",
    "envoy.extensions.filters.http.router.v3.router",
    "envoy.extensions.filters.http.set_filter_state.v3.set_filter_state",
    "envoy.extensions.filters.listener.tls_inspector.v3.tls_inspector",
    "envoy.extensions.filters.network.connection_limit.v3.connection_limit",
    "envoy.extensions.filters.network.http_connection_manager.v3.http_connection_manager",
    "envoy.extensions.filters.network.local_ratelimit.v3.local_rate_limit",
    "envoy.extensions.http.early_header_mutation.header_mutation.v3.header_mutation",
    "envoy.extensions.resource_monitors.downstream_connections.v3.downstream_connections",
    "envoy.extensions.resource_monitors.fixed_heap.v3.fixed_heap",
    "envoy.extensions.retry.host.previous_hosts.v3.previous_hosts",
    "envoy.extensions.transport_sockets.raw_buffer.v3.raw_buffer",
    "envoy.extensions.transport_sockets.tls.v3.tls",
    "envoy.extensions.transport_sockets.tls.v3.secret",
    "envoy.extensions.upstreams.http.v3.http_protocol_options",
]

files = descriptor_pb2.FileDescriptorSet()
seen = set()


def add(descriptor) -> None:
    """Adds a file after everything that it imports."""
    if descriptor.name in seen:
        return
    seen.add(descriptor.name)
    for dependency in descriptor.dependencies:
        add(dependency)
    descriptor.CopyToProto(files.file.add())


for root in ROOTS:
    add(importlib.import_module(root + "_pb2").DESCRIPTOR)
Path(sys.argv[2]).write_bytes(files.SerializeToString(deterministic=True))
