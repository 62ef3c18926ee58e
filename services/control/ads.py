"""The aggregated discovery service: state of the world over one stream a proxy.

A change goes out kind by kind (clusters, endpoints, listeners, routes, secrets), each after the proxy has answered the
one before; a cluster that goes away is taken back last, when no route leads to it. What a proxy refuses is remembered
with its words: it keeps what it had, and the next snapshot in which that kind differs is offered again.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc

from crossrate.runtime.ending import end
from services.control.envoy_api import message_class
from services.control.snapshots import KINDS, TYPE_URLS, TYPES, Resource, Snapshots

METHOD = "/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources"
ANSWER_S_MAX = 2.0
"""How long a proxy may take to answer one kind before the next is sent all the same."""
PROXIES_MAX = 1024
MESSAGE_BYTES_MAX = 64 << 20
_WILDCARD = ("clusters", "listeners")
_FOLLOWERS = {"clusters": "endpoints", "listeners": "routes"}
"""A cluster or listener that changed warms up with these, so they follow it even when they did not change."""


@dataclass(slots=True)
class Acknowledgement:
    """What a proxy said last about one kind: versions of snapshots, and its words when it refused."""

    acknowledged_version: int = 0
    refused_version: int = 0
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A proxy's refusal of one kind of a snapshot."""

    proxy: str
    kind: str
    version: int
    words: str


class RefusedError(Exception):
    """At least one proxy refused a snapshot; the message has its words."""

    def __init__(self, refusals: list[Refusal]) -> None:
        super().__init__("; ".join(f"{r.proxy} refuses the {r.kind}: {r.words}" for r in refusals))
        self.refusals = refusals


class NotAcknowledgedError(Exception):
    """A connected proxy has not answered in time; the message names it."""


@dataclass(slots=True)
class Proxy:
    """A proxy that is or was connected."""

    name: str
    streams: int = 0
    acknowledgements: dict[str, Acknowledgement] = field(
        default_factory=lambda: {kind: Acknowledgement() for kind in TYPES}
    )

    @property
    def connected(self) -> bool:
        """Whether its stream is open."""
        return self.streams > 0


@dataclass(slots=True)
class _Subscription:
    names: frozenset[str] = frozenset()
    wildcard: bool = False
    due: bool = True
    nonce: str = ""
    outstanding: bool = False
    sent_version: int = 0
    sent: Mapping[str, Resource] = field(default_factory=dict)


class _Stream:
    """One open stream."""

    def __init__(self, server: AdsServer) -> None:
        self._server = server
        self._nonces = itertools.count(1)
        self.subscriptions: dict[str, _Subscription] = {}
        self.proxy: Proxy | None = None
        self.settled_version = -1
        self.wake = asyncio.Event()

    def receive(self, request: Any) -> None:
        """Takes a request: a subscription, an acknowledgement or a refusal."""
        kind = KINDS.get(request.type_url)
        if kind is None:
            return
        known = self.subscriptions.get(kind)
        if known is not None and request.response_nonce != known.nonce:
            return  # It answers a response that a newer one has overtaken.
        names = frozenset(request.resource_names)
        if known is None:
            known = self.subscriptions[kind] = _Subscription(names, kind in _WILDCARD and not names)
        else:
            if known.outstanding:
                known.outstanding = False
                self._answered(kind, known, request)
            if names - known.names:
                known.due = True
            known.names = names
        self.wake.set()

    def _answered(self, kind: str, subscription: _Subscription, request: Any) -> None:
        assert self.proxy is not None
        answer = self.proxy.acknowledgements[kind]
        if request.HasField("error_detail"):
            answer.refused_version = subscription.sent_version
            answer.refusal = request.error_detail.message
            self._server.log.error(
                "a proxy refuses its configuration",
                proxy=self.proxy.name,
                kind=kind,
                version=subscription.sent_version,
                words=answer.refusal,
            )
        else:
            answer.acknowledged_version = subscription.sent_version

    def _wanted(self, kind: str) -> dict[str, Resource]:
        assert self.proxy is not None
        subscription = self.subscriptions[kind]
        offered = self._server.snapshots.current.table(self.proxy.name)[kind]
        if subscription.wildcard:
            return dict(offered)
        return {name: offered[name] for name in sorted(subscription.names) if name in offered}

    def _is_due(self, kind: str) -> bool:
        subscription = self.subscriptions.get(kind)
        if subscription is None:
            return False
        # Names that the proxy no longer asks for are no reason to send the others again.
        asked = subscription.sent
        if not subscription.wildcard:
            asked = {name: r for name, r in asked.items() if name in subscription.names}
        return subscription.due or self._wanted(kind) != asked

    def next_response(self) -> tuple[str, Any] | None:
        """The next response and its kind, or None while nothing is to be sent."""
        for kind in TYPES:
            subscription = self.subscriptions.get(kind)
            if subscription is None:
                continue
            if subscription.outstanding:
                return None
            if not self._is_due(kind):
                continue
            wanted = self._wanted(kind)
            if kind == "clusters":
                going = {n: r for n, r in subscription.sent.items() if n not in wanted}
                if going and any(self._is_due(k) for k in TYPES if k != kind):
                    wanted |= going
                    if not subscription.due and wanted == subscription.sent:
                        continue
            return kind, self._response(kind, subscription, wanted)
        self.settled_version = self._server.snapshots.current.version
        return None

    def _response(self, kind: str, subscription: _Subscription, wanted: dict[str, Resource]) -> Any:
        response = message_class("envoy.service.discovery.v3.DiscoveryResponse")()
        subscription.sent_version = self._server.snapshots.current.version
        subscription.nonce = response.nonce = f"{kind}-{next(self._nonces)}"
        response.version_info = str(subscription.sent_version)
        response.type_url = TYPE_URLS[kind]
        for resource in wanted.values():
            response.resources.add(type_url=TYPE_URLS[kind], value=resource.data)
        follower = self.subscriptions.get(_FOLLOWERS.get(kind, ""))
        if follower is not None and wanted != subscription.sent:
            follower.due = True
        subscription.sent, subscription.due, subscription.outstanding = wanted, False, True
        return response

    def give_up_waiting(self) -> None:
        """Goes on although the proxy has not answered."""
        for kind, subscription in self.subscriptions.items():
            if subscription.outstanding:
                subscription.outstanding = False
                proxy = self.proxy.name if self.proxy else ""
                self._server.log.warning("a proxy does not answer", proxy=proxy, kind=kind)

    @property
    def waits(self) -> bool:
        """Whether an answer is outstanding."""
        return any(s.outstanding for s in self.subscriptions.values())


class AdsServer:
    """Serves the current snapshot to every proxy that connects. Create it in the running event loop."""

    def __init__(self, snapshots: Snapshots, log: Any) -> None:
        self.snapshots = snapshots
        self.log = log
        self.proxies: dict[str, Proxy] = {}
        self._streams: set[_Stream] = set()
        self._changed = asyncio.Event()
        self._server: grpc.aio.Server | None = None

    def wake(self) -> None:
        """There is a new snapshot."""
        for stream in self._streams:
            stream.wake.set()

    def _notify(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    def _connect(self, stream: _Stream, node_id: str) -> None:
        if node_id not in self.proxies and len(self.proxies) >= PROXIES_MAX:
            raise ValueError(f"more than {PROXIES_MAX} proxies")
        proxy = self.proxies.setdefault(node_id, Proxy(node_id))
        proxy.streams += 1
        stream.proxy = proxy
        self._streams.add(stream)
        self.log.info("a proxy connected", proxy=node_id)

    async def _read(self, stream: _Stream, requests: AsyncIterator[Any]) -> None:
        async for request in requests:
            if stream.proxy is None:
                self._connect(stream, request.node.id)
            stream.receive(request)
            self._notify()

    async def _write(self, stream: _Stream, context: grpc.aio.ServicerContext) -> None:
        while True:
            stream.wake.clear()
            while (following := stream.next_response()) is not None:
                await context.write(following[1])
            self._notify()
            try:
                async with asyncio.timeout(ANSWER_S_MAX if stream.waits else None):
                    await stream.wake.wait()
            except TimeoutError:
                stream.give_up_waiting()

    async def _serve_stream(self, requests: AsyncIterator[Any], context: grpc.aio.ServicerContext) -> None:
        stream = _Stream(self)
        writer = asyncio.create_task(self._write(stream, context), name="ads writer")
        try:
            await self._read(stream, requests)
        finally:
            self._streams.discard(stream)
            await end({writer})
            if stream.proxy is not None:
                stream.proxy.streams -= 1
                self.log.info("a proxy disconnected", proxy=stream.proxy.name)
            self._notify()

    def has_settled(self, version: int) -> bool:
        """Whether every connected proxy has answered everything of a snapshot, or of a later one."""
        return all(s.settled_version >= version for s in self._streams)

    async def acknowledged(self, version: int, timeout_s: float) -> None:
        """Returns when every connected proxy has answered everything of a snapshot, or of a later one.

        Raises:
            RefusedError: a proxy refused part of it.
            NotAcknowledgedError: a proxy has not answered within `timeout_s` seconds.
        """
        try:
            async with asyncio.timeout(timeout_s):
                while waiting := [s for s in self._streams if s.settled_version < version]:
                    changed = self._changed
                    await changed.wait()
        except TimeoutError:
            names = ", ".join(sorted(s.proxy.name for s in waiting if s.proxy))
            raise NotAcknowledgedError(f"not acknowledged within {timeout_s:g} s by {names}") from None
        if refusals := self.refusals(version):
            raise RefusedError(refusals)

    def refusals(self, since_version: int) -> list[Refusal]:
        """What connected proxies refused of a snapshot or a later one."""
        return [
            Refusal(proxy.name, kind, answer.refused_version, answer.refusal)
            for proxy in self.proxies.values()
            if proxy.connected
            for kind, answer in proxy.acknowledgements.items()
            if answer.refused_version >= max(1, since_version)
        ]

    async def start(self, socket: Path, *others: grpc.GenericRpcHandler) -> None:
        """Listens on a Unix socket.

        Args:
            others: what proxies find there as well.

        Raises:
            RuntimeError: the socket cannot be bound.
        """
        request = message_class("envoy.service.discovery.v3.DiscoveryRequest")
        handler = grpc.stream_stream_rpc_method_handler(
            self._serve_stream,
            request_deserializer=request.FromString,
            response_serializer=lambda response: response.SerializeToString(),
        )
        service, _, name = METHOD[1:].partition("/")
        options = (
            ("grpc.max_send_message_length", MESSAGE_BYTES_MAX),
            ("grpc.max_receive_message_length", MESSAGE_BYTES_MAX),
            ("grpc.http2.min_ping_interval_without_data_ms", 1_000),
            ("grpc.so_reuseport", 0),
        )
        self._server = grpc.aio.server(options=options)
        self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, {name: handler}), *others))
        socket.unlink(missing_ok=True)
        self._server.add_insecure_port(f"unix:{socket}")
        socket.chmod(0o600)
        await self._server.start()

    async def stop(self) -> None:
        """Ends every stream; the proxies go on with what they have."""
        if self._server is not None:
            await self._server.stop(0)
