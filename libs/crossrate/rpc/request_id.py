"""Ids of requests, apart from the serving of them, so that a mere client does not load telemetry for one."""

from __future__ import annotations

import os
import time


def new_request_id() -> str:
    """A UUID of version 7 (RFC 9562, section 5.7): 48 bits of milliseconds, then random bits; sorts by time."""
    tail = int.from_bytes(os.urandom(10))
    value = (time.time_ns() // 1_000_000 & (1 << 48) - 1) << 80 | tail
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
