"""The assembly of `risk`, top to bottom."""

from __future__ import annotations

import time

from crossrate.api.risk.v1.risk_service_pb2_grpc import add_RiskServiceServicer_to_server
from crossrate.kernel import path
from crossrate.rpc.client import channel_to_mesh
from crossrate.rpc.server import Server
from crossrate.runtime.process import Runtime
from services.risk.peers import MarketData
from services.risk.service import RiskService
from services.risk.settings import Settings
from services.risk.worker import Worker


async def serve(runtime: Runtime) -> None:
    """Serves one instance until the runtime is stopping."""
    settings = Settings()
    runtime.log.info("kernel", build=path.current(), why_not_compiled=path.why_not_compiled())
    channel = channel_to_mesh(runtime)
    cells = settings.slice_cells_numpy if path.is_numpy() else settings.slice_cells
    worker = Worker(settings.threads, cells, settings.heartbeat_interval_s)
    try:
        server = Server(runtime)
        rates = MarketData(channel, settings.rates_kept_s, time.monotonic)
        server.add(add_RiskServiceServicer_to_server, RiskService(rates, worker))
        # Marketdata is not named as a dependency of health: while it is away, books with spot rates and scenarios of
        # their own are calculated, and what needs reference rates says so.
        await server.serve()
    finally:
        worker.close()
        await channel.close()
