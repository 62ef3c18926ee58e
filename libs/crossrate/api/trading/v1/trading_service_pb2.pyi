from crossrate.api.policy.v1 import policy_pb2 as _policy_pb2
from crossrate.api.trading.v1 import order_entry_pb2 as _order_entry_pb2
from crossrate.api.trading.v1 import order_history_pb2 as _order_history_pb2
from crossrate.api.trading.v1 import session_pb2 as _session_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.protobuf import descriptor as _descriptor
from typing import ClassVar as _ClassVar

DESCRIPTOR: _descriptor.FileDescriptor
