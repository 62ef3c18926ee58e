"""Small meshes in which services are released."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from tests.mesh import Mesh

RELEASING = """
trust_domain = "crossrate"
layout = "node"

[edge]
address = "127.0.0.1"
port = 8443
anonymous_roles = []
cors_origins = []
connections_max = 1000
streams_per_connection_max = 100

[clients.local]
roles = ["viewer", "trader", "quant", "risk_officer", "operator", "auditor"]
accounts = ["*"]
step_up = true

[clients.viewer]
roles = ["viewer"]

[certificates]
workload_lifetime_s = 3600
root_lifetime_s = 31536000

[services.control]
calls = []
publishes = ["crossrate.control.v1.>"]
database = false

[services.reference]
calls = []
publishes = ["crossrate.reference.v1.>"]
database = true

[streams.control]
owner = "control"
subjects = ["crossrate.control.v1.release_decided.*"]
max_age_s = 2592000
max_mib = 64

[streams.reference]
owner = "reference"
subjects = ["crossrate.reference.v1.>"]
max_age_s = 2592000
max_mib = 64
"""
"""Control and reference. What a test needs beside them comes after it."""
MARKETDATA = """
[services.marketdata]
calls = ["reference"]
publishes = ["crossrate.marketdata.v1.>"]
consumes = ["reference", "quotes", "books"]
database = false

[streams.quotes]
owner = "marketdata"
subjects = ["crossrate.marketdata.v1.quotes_published.>"]
max_age_s = 315360000
max_mib = 32
forget_oldest = true

[streams.quotes_latest]
owner = "marketdata"
subjects = ["crossrate.marketdata.v1.quote.*"]
max_age_s = 315360000
max_mib = 8
latest_only = true

[streams.books]
owner = "marketdata"
subjects = ["crossrate.marketdata.v1.books_published.>"]
max_age_s = 315360000
max_mib = 32
forget_oldest = true
"""
"""Marketdata, to come after them."""
LEDGER = """
[services.ledger]
calls = ["marketdata"]
publishes = ["crossrate.ledger.v1.>"]
consumes = ["quotes_latest"]
database = true

[streams.ledger]
owner = "ledger"
subjects = ["crossrate.ledger.v1.>"]
max_age_s = 315360000
max_mib = 64
"""
"""Ledger, with marketdata before it."""


@contextlib.contextmanager
def releasing(folder: Path, topology: str) -> Iterator[Mesh]:
    """A mesh of a topology that is up, with `releases/` for specifications beside it in a folder; gone afterwards."""
    (folder / "topology.toml").write_text(topology)
    (folder / "releases").mkdir()
    with Mesh(folder / "topology.toml") as mesh:
        mesh.up()
        yield mesh
