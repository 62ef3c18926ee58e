"""Finds the mesh that runs on this machine: its edge and the roots to trust."""

from __future__ import annotations

import json
from pathlib import Path

from crossrate.runtime.place import Place, place

DEFAULT_CLIENT = "local"
"""The client that a program on the mesh's own machine is, unless it names another."""


class NoMesh(Exception):
    """There is nothing to connect to; the message says what to do."""


def local_target(where: Place | None = None) -> str:
    """The edge of the mesh of a place (default: this process's), as "localhost:8443".

    Raises:
        NoMesh: none runs there.
    """
    where = where or place()
    try:
        return f"localhost:{json.loads(where.ports.read_text())['edge']}"
    except (OSError, ValueError, KeyError):
        raise NoMesh(f"no mesh is running in {where.state}: start it with `crossrate up`, or name a target") from None


def client_certificate(client: str | Path | bytes | None, where: Place | None = None) -> bytes | None:
    """The certificate and key of a client of the edge, PEM, or None to prove nothing.

    Args:
        client: a client of the topology by its name, whose file lies in the mesh's place; the file's path; its bytes;
            "" to prove nothing; None for "local" if this machine has it, else nothing.

    Raises:
        NoMesh: the file cannot be read.
    """
    if client == "" or isinstance(client, bytes):
        return client or None
    where = where or place()
    path = client if isinstance(client, Path) else where.client_certificate(client or DEFAULT_CLIENT)
    try:
        return path.read_bytes()
    except OSError as error:
        if client is None:
            return None
        words = f"the certificate of client {client} cannot be read ({error.strerror})"
        raise NoMesh(f"{words}: [clients] of mesh/topology.toml names those that there are") from None


def roots(ca: bytes | str | Path | None, where: Place | None = None) -> bytes:
    """The roots to trust, PEM: given as bytes or as a file's path, or those of the mesh of a place.

    Raises:
        NoMesh: the file cannot be read.
    """
    if isinstance(ca, bytes):
        return ca
    path = Path(ca) if ca is not None else (where or place()).ca_bundle
    try:
        return path.read_bytes()
    except OSError as error:
        raise NoMesh(f"the roots in {path} cannot be read ({error.strerror}): name them with ca=…") from None
