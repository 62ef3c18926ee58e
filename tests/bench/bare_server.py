"""The peer of the mesh benchmark: plain grpc.aio with uvloop, one prebuilt answer, nothing around it.

Arguments: the port, and the answer as hexadecimal bytes of a GetInstrumentResponse. Ends with its parent.
"""

import asyncio
import sys

import grpc
import uvloop

from crossrate.api.reference.v1 import reference_service_pb2, reference_service_pb2_grpc


class Servicer(reference_service_pb2_grpc.ReferenceServiceServicer):
    """Answers GetInstrument with the message it was given."""

    def __init__(self, answer: bytes) -> None:
        self._answer = reference_service_pb2.GetInstrumentResponse.FromString(answer)

    async def GetInstrument(self, request, context):
        """The prebuilt answer."""
        return self._answer


async def main() -> None:
    """Serves until standard input closes."""
    server = grpc.aio.server()
    reference_service_pb2_grpc.add_ReferenceServiceServicer_to_server(Servicer(bytes.fromhex(sys.argv[2])), server)
    server.add_insecure_port(f"127.0.0.1:{sys.argv[1]}")
    await server.start()
    print("ready", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await server.stop(0)


uvloop.run(main())
