"""Any stream of the platform, resumed where it broke, as its contract alone describes it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from types import SimpleNamespace
from typing import Any

from google.protobuf.descriptor import Descriptor

from crossrate.client.resuming import ResumingStream, Resumption
from crossrate.rpc.contract import MethodContract

_BEGINS = ("start_time", "first_index", "after_sequence")
"""Fields that say where a stream begins: begun anew, it would send everything again."""


def _oneof(answer: Descriptor) -> str:
    oneof = answer.fields_by_name["end"].containing_oneof
    assert oneof is not None, "the end of a stream is one of what its messages carry"
    return oneof.name


class Followed(ResumingStream[Any]):
    """The state of one reader of any stream: the cursor, and how many messages are still asked for.

    Args:
        contract: the method.
        request: what is asked for; it is copied.
        resumption: how a broken stream is resumed.
    """

    def __init__(self, contract: MethodContract, request: Any, resumption: Resumption | None = None) -> None:
        asked = type(request)()
        asked.CopyFrom(request)
        self.oneof = _oneof(contract.output)
        self._bounded = bool(getattr(asked, "max_messages", 0))
        self.begins_anew = not any(name in contract.input.fields_by_name for name in _BEGINS)
        super().__init__(contract.path, asked, resumption or Resumption())

    def messages(self, open_call: Callable[..., Any]) -> AsyncIterator[Any]:
        """The answers that carry something, and gaps, until the stream is complete."""
        return self.events(SimpleNamespace(**{self._method.rpartition("/")[2]: open_call}))

    def _taken(self, message: Any) -> list[Any]:
        return [message]

    def _moved(self, message: Any) -> None:
        super()._moved(message)
        if self._bounded and message.WhichOneof(self.oneof) not in ("heartbeat", "end"):
            self._request.max_messages -= 1
            # 0 would ask for a stream without end.
            self.complete = not self._request.max_messages

    def _forget(self) -> None:
        """Nothing but the cursor is kept."""
