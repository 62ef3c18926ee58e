"""What proxies log to control (Envoy's access-log service), given to who reads which log."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import grpc

from services.control.access_log import CALLS
from services.control.envoy_api import message_class

SERVICE, METHOD = "envoy.service.accesslog.v3.AccessLogService", "StreamAccessLogs"


class ProxyLogs:
    """The service that proxies log to.

    Args:
        failed: each takes the name of a listener and a call that was refused, lost or delayed there.
        released: takes a call that was answered under a release.
    """

    def __init__(self, failed: Sequence[Callable[[str, Any], None]], released: Callable[[Any], None]) -> None:
        self._failed, self._released = failed, released
        self._answer = message_class("envoy.service.accesslog.v3.StreamAccessLogsResponse")

    def handler(self) -> grpc.GenericRpcHandler:
        """For the server that proxies know."""
        receive = grpc.stream_unary_rpc_method_handler(
            self._receive,
            request_deserializer=message_class("envoy.service.accesslog.v3.StreamAccessLogsMessage").FromString,
            response_serializer=lambda response: response.SerializeToString(),
        )
        return grpc.method_handlers_generic_handler(SERVICE, {METHOD: receive})

    async def _receive(self, requests: AsyncIterator[Any], _context: grpc.aio.ServicerContext) -> Any:
        log = ""
        async for message in requests:
            # Only the first message of a stream says which log it is.
            if message.HasField("identifier"):
                log = message.identifier.log_name
            for entry in message.http_logs.log_entry:
                if log.startswith(CALLS):
                    self._released(entry)
                else:
                    for take in self._failed:
                        take(log, entry)
        return self._answer()
