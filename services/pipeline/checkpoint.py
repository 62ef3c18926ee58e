"""How far the load of a large file has come, as bytes: numbers as JSON, columns as numpy's own format, nothing else."""

from __future__ import annotations

import io
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from crossrate.history.writing import Pending

FORMAT = 1
STATE_BYTES_MAX = 32 << 20
"""A larger state is not kept: its load is begun anew, as before there were checkpoints."""
_SAID = "said"


class Unreadable(ValueError):
    """The state is of another version, or damaged: the load is begun anew."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What another attempt goes on with.

    Attributes:
        rows: that were read.
        state: of the pass over the file; see `packed`.
        pending: the files that have these rows, of no commit yet.
    """

    rows: int
    state: bytes
    pending: list[Pending]


def packed(said: dict[str, Any], arrays: Mapping[str, NDArray]) -> bytes | None:
    """A state as bytes; None if it is too large to be kept."""
    if sum(each.nbytes for each in arrays.values()) > 4 * STATE_BYTES_MAX:
        return None
    target = io.BytesIO()
    text = json.dumps({"format": FORMAT} | said, default=int).encode()
    np.savez(target, allow_pickle=False, **{_SAID: np.frombuffer(text, np.uint8)}, **arrays)
    made = zlib.compress(target.getbuffer(), 1)
    return made if len(made) <= STATE_BYTES_MAX else None


def unpacked(content: bytes) -> tuple[dict[str, Any], dict[str, NDArray]]:
    """The state of some bytes.

    Raises:
        Unreadable: they are none of this version's.
    """
    try:
        with np.load(io.BytesIO(zlib.decompress(content)), allow_pickle=False) as found:
            arrays = {name: found[name] for name in found.files}
        said = json.loads(arrays.pop(_SAID).tobytes())
    except (ValueError, KeyError, OSError, zlib.error) as wrong:
        raise Unreadable(f"a checkpoint cannot be read: {wrong}") from wrong
    if not isinstance(said, dict) or said.pop("format", None) != FORMAT:
        raise Unreadable("a checkpoint is of another version")
    return said, arrays
