"""Where things are: the folders of one mesh on one machine, and the names of what lies in them.

`state` survives restarts (keys, credentials, databases); `run` does not (sockets, registrations) and is short, because
the path of a Unix socket may not be longer than 107 bytes.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[3]


def http_twin(socket: str) -> str:
    """The HTTP socket of the instance that serves gRPC on `socket`."""
    return socket.removesuffix(".sock") + ".http.sock"


@dataclass(frozen=True, slots=True)
class Place:
    """The folders of one mesh. All are 0700: whoever owns them is the mesh's local operator."""

    state: Path
    run: Path

    def service_socket(self, instance: str) -> Path:
        """Where an instance ("reference-1") serves gRPC to its proxy."""
        return self.run / "s" / f"{instance}.sock"

    def http_socket(self, instance: str) -> Path:
        """Where an instance answers paths of its own over plain HTTP, if its service has any."""
        return Path(http_twin(str(self.service_socket(instance))))

    def outbound_socket(self, service: str) -> Path:
        """Where the proxy takes a service's calls to others."""
        return self.run / "o" / f"{service}.sock"

    def registration(self, instance: str) -> Path:
        """The file by which an instance makes itself known: JSON, there from ready to exit."""
        return self.run / "instances" / f"{instance}.json"

    @property
    def registrations(self) -> Path:
        """The folder of all registrations."""
        return self.run / "instances"

    @property
    def xds_socket(self) -> Path:
        """Where control serves xDS to the proxies."""
        return self.run / "xds.sock"

    @property
    def ports(self) -> Path:
        """JSON of the TCP ports that this start took: {"edge": …, "inbound": {service: …}, "nats": …, …}."""
        return self.run / "ports.json"

    def edge_port(self) -> int | None:
        """The edge's port of this start; None before it is known."""
        try:
            return int(json.loads(self.ports.read_text())["edge"])
        except (OSError, ValueError, KeyError):
            return None

    def credentials(self, service: str) -> Path:
        """A service's credentials: JSON {"nats": {"url", "seed"}, "postgres": {"dsn"} or null}, mode 0600."""
        return self.state / "credentials" / f"{service}.json"

    @property
    def ca_bundle(self) -> Path:
        """The roots that clients of the edge trust, PEM."""
        return self.state / "ca.pem"

    def client_certificate(self, client: str) -> Path:
        """The certificate and key of a client of the edge, PEM, mode 0600."""
        return self.state / "clients" / client / "client.pem"

    def log(self, process: str) -> Path:
        """A process's log."""
        return self.state / "logs" / f"{process}.log"

    def make(self) -> Place:
        """Creates the folders, readable by their owner alone."""
        for folder in (self.state, self.run):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder.chmod(0o700)
        for name in ("s", "o", "instances"):
            (self.run / name).mkdir(mode=0o700, exist_ok=True)
        for name in ("credentials", "logs"):
            (self.state / name).mkdir(mode=0o700, exist_ok=True)
        return self


def place() -> Place:
    """The place of this process's mesh.

    CROSSRATE_STATE names the state folder (default: .crossrate in the checkout), CROSSRATE_RUN the run folder (default:
    below XDG_RUNTIME_DIR or the temporary folder, named after the state folder).
    """
    state = Path(os.environ.get("CROSSRATE_STATE") or REPOSITORY / ".crossrate").resolve()
    if run := os.environ.get("CROSSRATE_RUN"):
        return Place(state, Path(run))
    short = hashlib.sha256(str(state).encode()).hexdigest()[:10]
    base = os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir()
    return Place(state, Path(base) / f"crossrate-{os.getuid()}-{short}")
