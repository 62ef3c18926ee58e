"""What the C library does with memory that was freed."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

from crossrate.runtime.allocator import keep_freed_memory

BLOCKS_MIB = 12
ROUNDS = 20
PROGRAM = f"""
import resource, sys
from crossrate.runtime.allocator import keep_freed_memory
if sys.argv[1:]:
    assert keep_freed_memory()
def round():
    blocks = [b"x" * (1 << 20) for _ in range({BLOCKS_MIB})]
round()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range({ROUNDS}):
    round()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def _faults(*arguments: str) -> int:
    done = subprocess.run([sys.executable, "-c", PROGRAM, *arguments], capture_output=True, text=True, check=True)
    return int(done.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="a setting of glibc; others have none to test")
def test_memory_that_was_freed_is_used_again() -> None:
    """Large blocks that come and go cost page faults once, not every time."""
    kept, returned = _faults("keep"), _faults()
    assert kept * 10 < returned


@pytest.mark.parametrize("kept_bytes_max", [-1, 1 << 31])
def test_a_size_that_is_none_is_refused(kept_bytes_max) -> None:
    """What does not fit the C library's setting is named, with what would."""
    with pytest.raises(ValueError, match=f"kept_bytes_max is {kept_bytes_max}; give 0 to 2147483647 bytes"):
        keep_freed_memory(kept_bytes_max)
