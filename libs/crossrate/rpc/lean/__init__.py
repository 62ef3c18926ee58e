"""The lean transport: gRPC over HTTP/2 on one asyncio protocol, for the Unix socket between a proxy and its service."""

from crossrate.rpc.lean.channel import LeanChannel
from crossrate.rpc.lean.server import LeanTransport

__all__ = ["LeanChannel", "LeanTransport"]
