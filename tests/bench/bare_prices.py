"""The peer of the pricing benchmark: plain grpc.aio with uvloop, one prebuilt answer, nothing around it.

Arguments: the port, and how many options the answer is for. Ends with its parent.
"""

import asyncio
import sys

import grpc
import numpy as np
import uvloop

from crossrate.api.pricing.v1 import pricing_service_pb2, pricing_service_pb2_grpc
from crossrate.kernel.vanilla import Greeks
from crossrate.rpc import arrays


class Servicer(pricing_service_pb2_grpc.PricingServiceServicer):
    """Answers PriceBatch with arrays of the right length."""

    def __init__(self, count: int) -> None:
        columns = {name: np.linspace(0.0, 1.0, count) for name in Greeks.__slots__}
        self._answer = arrays.put(pricing_service_pb2.PriceBatchResponse(), **columns)

    async def PriceBatch(self, request, context):
        """The prebuilt answer."""
        return self._answer


async def main() -> None:
    """Serves until standard input closes."""
    server = grpc.aio.server()
    pricing_service_pb2_grpc.add_PricingServiceServicer_to_server(Servicer(int(sys.argv[2])), server)
    server.add_insecure_port(f"127.0.0.1:{sys.argv[1]}")
    await server.start()
    print("ready", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await server.stop(0)


uvloop.run(main())
