"""Tests of the whole repository.

They start processes of another user (PostgreSQL refuses root), which takes a full fork, while gRPC's threads run. gRPC
then prepares its children for going on with gRPC, in handlers of fork that crash now and then: of 1,500 children 289
died before they were the program that they should be, without a word. Nothing here goes on with gRPC in a fork, so the
handlers are off, as they are in a mesh; what matters is that it is said before gRPC is imported.
"""

import os

os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"
