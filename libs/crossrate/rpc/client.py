"""The one client builder: channels on which generated stubs keep to the contract by themselves.

What it adds to a channel of grpc.aio or of the lean transport, for every method by its contract:

- a deadline: the contract's, never more; less when the caller asks for less or when the call is made while serving
  another one that has less time left;
- the request id of the call being served, or a new one, and the W3C trace context of the call being served;
- repetition, only of methods whose contract says that repeating them is safe, only for failures that may pass, within
  attempts, a budget and the deadline; methods that are not idempotent are sent once;
- failures as `CallError`, with the reason and everything else that the server said.

It wraps the multi-callables instead of using grpc.aio's interceptors, which cost an extra task for each call.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc

from crossrate.rpc.bearer import Tokens
from crossrate.rpc.call_error import CallError, Violation
from crossrate.rpc.contract import contracts
from crossrate.rpc.outgoing import StreamCallable, UnaryCallable
from crossrate.rpc.plan import Metadata, Plan
from crossrate.rpc.resilience import RetryBudget, RetryLimits

if TYPE_CHECKING:
    from crossrate.runtime.process import Runtime

__all__ = ["CallError", "ContractChannel", "Violation", "channel_to_edge", "channel_to_mesh", "channel_to_socket"]

ANSWER_BYTES_MAX = 16 << 20
"""Largest answer that a client takes."""

_KEEPALIVE = [("grpc.keepalive_time_ms", 60_000), ("grpc.keepalive_timeout_ms", 10_000)]
_OPTIONS = [
    ("grpc.max_receive_message_length", ANSWER_BYTES_MAX),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 2_000),
]


def channel_to_mesh(runtime: Runtime, *, retries: RetryLimits | None = None) -> ContractChannel:
    """A service's channel to all services that the topology lets it call, through its own proxy.

    Calls wait for the proxy within their deadline, since the two start together.
    """
    socket = runtime.place.outbound_socket(runtime.service)
    return channel_to_socket(socket, retries=retries, wait_for_ready=True, transport=runtime.settings.transport)


def channel_to_socket(
    path: Path, *, retries: RetryLimits | None = None, wait_for_ready: bool = False, transport: str = "grpcio"
) -> ContractChannel:
    """A channel to a Unix socket: an instance's own, control's, or a service's way out.

    `transport` is "lean" or "grpcio".
    """
    if transport == "lean":
        from crossrate.rpc.lean.channel import LeanChannel  # a mere client of the edge does not need it

        channel: grpc.aio.Channel = LeanChannel(path, answer_bytes_max=ANSWER_BYTES_MAX)
    else:
        channel = grpc.aio.insecure_channel(f"unix:{path}", options=_OPTIONS)
    return ContractChannel(channel, retries=retries, wait_for_ready=wait_for_ready)


def channel_to_edge(
    target: str,
    ca_pem: bytes,
    *,
    client_pem: bytes | None = None,
    retries: RetryLimits | None = None,
    metadata: Metadata = (),
    tokens: Tokens | None = None,
) -> ContractChannel:
    """A client's channel to the edge ("localhost:8443") over TLS.

    `ca_pem` are the roots to trust, `client_pem` the certificate and key by which the client proves itself, None for
    nobody in particular; `metadata` goes with every call, and so does a token of `tokens`.
    """
    # Of one file: gRPC looks for the key and for certificates by their headings.
    credentials = grpc.ssl_channel_credentials(ca_pem, client_pem, client_pem)
    channel = grpc.aio.secure_channel(target, credentials, options=_OPTIONS + _KEEPALIVE)
    return ContractChannel(channel, retries=retries, metadata=metadata, tokens=tokens)


class ContractChannel(grpc.aio.Channel):
    """A channel that keeps to the contract; generated stubs take it as it is."""

    def __init__(
        self,
        channel: grpc.aio.Channel,
        *,
        retries: RetryLimits | None = None,
        wait_for_ready: bool = False,
        metadata: Metadata = (),
        tokens: Tokens | None = None,
    ) -> None:
        self._channel = channel
        self._tokens = tokens
        self._retries = retries or RetryLimits()
        self._budget = RetryBudget(self._retries)
        self._wait_for_ready = wait_for_ready
        self._metadata = tuple(metadata)

    def unary_unary(self, method: str, *args: Any, **kwargs: Any) -> UnaryCallable:
        """As in grpc.aio."""
        return UnaryCallable(self._plan(method, replayable=True), self._channel.unary_unary(method, *args, **kwargs))

    def unary_stream(self, method: str, *args: Any, **kwargs: Any) -> StreamCallable:
        """As in grpc.aio."""
        return StreamCallable(self._plan(method, replayable=True), self._channel.unary_stream(method, *args, **kwargs))

    def stream_unary(self, method: str, *args: Any, **kwargs: Any) -> UnaryCallable:
        """As in grpc.aio. Never repeated: the requests that were read are gone."""
        inner = self._channel.stream_unary(method, *args, **kwargs)
        return UnaryCallable(self._plan(method, replayable=False), inner)

    def stream_stream(self, method: str, *args: Any, **kwargs: Any) -> StreamCallable:
        """As in grpc.aio. Never repeated: the requests that were read are gone."""
        inner = self._channel.stream_stream(method, *args, **kwargs)
        return StreamCallable(self._plan(method, replayable=False), inner)

    def _plan(self, method: str, *, replayable: bool) -> Plan:
        return Plan(
            method,
            contracts().get(method),
            replayable=replayable,
            limits=self._retries,
            budget=self._budget,
            wait_for_ready=self._wait_for_ready,
            metadata=self._metadata,
            tokens=self._tokens,
        )

    async def close(self, grace: float | None = None) -> None:
        """Ends all calls, after `grace` seconds if given."""
        await self._channel.close(grace)

    def get_state(self, try_to_connect: bool = False) -> grpc.ChannelConnectivity:
        """As in grpc.aio."""
        return self._channel.get_state(try_to_connect)

    async def wait_for_state_change(self, last_observed_state: grpc.ChannelConnectivity) -> None:
        """As in grpc.aio."""
        await self._channel.wait_for_state_change(last_observed_state)

    async def channel_ready(self) -> None:
        """As in grpc.aio."""
        await self._channel.channel_ready()

    async def __aenter__(self) -> ContractChannel:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
