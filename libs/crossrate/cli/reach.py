"""Where the command line's calls go: the edge, a service's way out, an instance's own socket, or control's."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from crossrate.cli.show import CommandError
from crossrate.runtime.place import place

if TYPE_CHECKING:
    from crossrate.client.tokens import StoredLogin
    from crossrate.rpc.client import ContractChannel
    from crossrate.runtime.topology import Topology

S = TypeVar("S")
T = TypeVar("T")
NOT_RUNNING = "start the mesh with `crossrate up`"


def topology() -> Topology:
    """The topology of this mesh: the file in CROSSRATE_TOPOLOGY, else mesh/topology.toml."""
    from crossrate.runtime import topology as topologies

    path = Path(os.environ.get("CROSSRATE_TOPOLOGY") or topologies.DEFAULT_PATH)
    try:
        return topologies.load(path)
    except (OSError, ValueError) as error:
        raise CommandError(f"{path} is not a topology: {error}", "correct the file") from None


def _socket(path: Path, what: str, remedy: str) -> ContractChannel:
    from crossrate.rpc.client import channel_to_socket

    if not path.exists():
        raise CommandError(f"{what} does not answer: there is no {path}", remedy)
    return channel_to_socket(path)


def control() -> ContractChannel:
    """Control's own socket: its owner is the mesh's local operator."""
    registrations = list(place().registrations.glob("*.json"))
    if registrations and not any(path.stem.startswith("control-") for path in registrations):
        remedy = "it is started again by itself: `crossrate status` shows how it does; then repeat this"
        raise CommandError("the control plane does not serve now", remedy)
    return instance("control-1")


def ask(make_stub: Callable[[ContractChannel], S], question: Callable[[S], Awaitable[T]]) -> T:
    """Asks one of control's services one thing."""

    async def run() -> T:
        async with control() as channel:
            return await question(make_stub(channel))

    return asyncio.run(run())


def instance(name: str) -> ContractChannel:
    """An instance's own socket, as the local operator. After a restart the instance is called <service>-2, -3 …"""
    where = place()
    service = name.rsplit("-", 1)[0]
    running = sorted(path.stem for path in where.registrations.glob("*.json"))
    if name not in running:
        others = [n for n in running if n.rsplit("-", 1)[0] == service]
        if others:
            name = others[-1]
        elif running:
            raise CommandError(f"there is no instance {name!r}", f"there are {', '.join(running)}")
    return _socket(where.service_socket(name), name, NOT_RUNNING)


def as_service(service: str) -> ContractChannel:
    """A service's way out: the mesh sees that service as the caller."""
    known = topology().services
    if service not in known:
        raise CommandError(f"there is no service {service!r}", f"there are {', '.join(known)}")
    return _socket(place().outbound_socket(service), f"the way out of {service}", NOT_RUNNING)


def people() -> ContractChannel:
    """Identity: as who is logged in, else on its instance's own socket, as the local operator."""
    return instance("identity-1") if logged_in(None) is None else edge()


def logged_in(client: str | None, target: str = "") -> StoredLogin | None:
    """Who is logged in here, for calls that name no client of their own; None if nobody is.

    Raises:
        CommandError: no target is named, and no mesh runs here.
    """
    from crossrate.client.find import NoMesh
    from crossrate.client.tokens import stored_login

    try:
        return stored_login(target or None) if client is None else None
    except NoMesh as error:
        raise CommandError(str(error)) from None


def edge(target: str = "", ca: Path | None = None, client: str | None = None) -> ContractChannel:
    """The edge, over TLS, as a client of the topology, "" for nobody; None for who is logged in, else for "local" where
    no target is named."""
    from crossrate.client.find import NoMesh, client_certificate, local_target, roots
    from crossrate.rpc.client import channel_to_edge

    source = logged_in(client, target)
    try:
        if source is not None:
            return channel_to_edge(target or local_target(), roots(ca), tokens=source)
        proof = client_certificate("" if target and client is None else client)
        return channel_to_edge(target or local_target(), roots(ca), client_pem=proof)
    except NoMesh as error:
        raise CommandError(str(error)) from None
