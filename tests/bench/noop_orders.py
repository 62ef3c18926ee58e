"""An instance of trading whose PlaceOrder does nothing; tests/bench/orders.py runs it to see what the way costs."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "libs"), str(ROOT)]

from crossrate.api.trading.v1 import order_entry_pb2 as pb  # noqa: E402
from crossrate.api.trading.v1 import trading_service_pb2_grpc as trading_grpc  # noqa: E402
from crossrate.rpc.server import Server  # noqa: E402
from crossrate.runtime.process import Runtime, run  # noqa: E402


class Nothing(trading_grpc.TradingServiceServicer):
    """Answers at once."""

    async def PlaceOrder(self, request, context):
        return pb.PlaceOrderResponse()


async def serve(runtime: Runtime) -> None:
    """Serves one instance."""
    server = Server(runtime, concurrency_max=4096)
    server.add(trading_grpc.add_TradingServiceServicer_to_server, Nothing())
    await server.serve()


if __name__ == "__main__":
    run(serve)
