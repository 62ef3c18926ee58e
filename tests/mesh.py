"""A whole mesh of its own for a test or a benchmark: started and stopped by the command line, as a user would."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Self

import grpc

from crossrate.node.postgres import PostgresServer
from crossrate.runtime.place import Place

START_S_MAX = 120.0


class MeshError(Exception):
    """A `crossrate` command failed; the message has its output."""


class Mesh:
    """One mesh in a state folder of its own, on free ports.

    Use it as a context manager: leaving it stops every process and removes both folders.
    """

    def __init__(self, topology: Path | None = None, settings: dict[str, str] | None = None) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="crossrate-test-"))
        # How wide the caller's terminal is must not change what commands print.
        self._environment = {name: value for name, value in os.environ.items() if name != "COLUMNS"} | {
            "CROSSRATE_STATE": str(self._folder / "state"),
            "CROSSRATE_RUN": str(self._folder / "run"),
            "CROSSRATE_EDGE_PORT": "0",
            **({"CROSSRATE_TOPOLOGY": str(topology)} if topology else {}),
            **(settings or {}),
        }

    @property
    def place(self) -> Place:
        """The mesh's folders."""
        return Place((self._folder / "state").resolve(), self._folder / "run")

    def command(self, *arguments: str, timeout_s: float = START_S_MAX, check: bool = True) -> str:
        """Runs `crossrate` with some arguments and returns what it printed.

        Raises:
            MeshError: it ended with another exit code than 0 and `check` is set.
        """
        done = subprocess.run(
            [sys.executable, "-m", "crossrate.cli", *arguments],
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
        if check and done.returncode:
            raise MeshError(
                f"crossrate {' '.join(arguments)} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
            )
        return done.stdout

    def refused(self, *arguments: str) -> str:
        """What `crossrate` says on standard error when it refuses.

        Raises:
            MeshError: it does not.
        """
        done = subprocess.run(
            [sys.executable, "-m", "crossrate.cli", *arguments],
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=START_S_MAX,
            check=False,
        )
        if done.returncode != 1:
            raise MeshError(
                f"crossrate {' '.join(arguments)} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
            )
        return done.stderr

    def json(self, *arguments: str, timeout_s: float = START_S_MAX) -> Any:
        """The same with --json, parsed."""
        return json.loads(self.command(*arguments, "--json", timeout_s=timeout_s))

    def up(self) -> float:
        """Starts the mesh and returns the seconds until everything was healthy."""
        start = time.monotonic()
        self.command("up")
        return time.monotonic() - start

    def down(self) -> None:
        """Stops it."""
        self.command("down", timeout_s=60)

    @property
    def environment(self) -> dict[str, str]:
        """The environment in which this mesh's commands run."""
        return dict(self._environment)

    @property
    def edge_port(self) -> int:
        """The TLS port of the edge."""
        return json.loads(self.place.ports.read_text())["edge"]

    @property
    def roots(self) -> bytes:
        """The roots that clients of the edge trust, PEM."""
        return self.place.ca_bundle.read_bytes()

    def edge_channel(self, client: str = "viewer") -> grpc.aio.Channel:
        """A plain grpc.aio channel to the edge, of a client that only reads: no retries, no deadlines of ours."""
        proof = self.place.client_certificate(client).read_bytes()
        credentials = grpc.ssl_channel_credentials(self.roots, proof, proof)
        options = [("grpc.enable_retries", 0)]
        return grpc.aio.secure_channel(f"localhost:{self.edge_port}", credentials, options=options)

    def control_channel(self) -> grpc.aio.Channel:
        """A channel to the control plane's own socket, as the local operator."""
        return grpc.aio.insecure_channel(f"unix:{self.place.service_socket('control-1')}")

    def processes(self) -> dict[str, dict[str, Any]]:
        """Every process of the mesh by name, as `crossrate status` tells it."""
        return {p["name"]: p for p in self.json("status")["processes"]}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.command("down", timeout_s=60, check=False)
        finally:
            # Started by root, the database lies elsewhere, below an account that PostgreSQL accepts.
            PostgresServer(self.place).remove()
            shutil.rmtree(self._folder, ignore_errors=True)
