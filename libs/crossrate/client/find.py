"""Finds the mesh that runs on this machine: its edge and the roots to trust."""

from __future__ import annotations

import json
from pathlib import Path

from crossrate.runtime.place import Place, place


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
