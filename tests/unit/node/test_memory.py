"""Memory of processes and of what they started."""

import os
import subprocess
import sys

from crossrate.node.memory import Taken, pss_kib, taken_by_root


def test_a_process_includes_what_it_started() -> None:
    """The size of a process has its children's in it, except those that are asked for by themselves."""
    child = subprocess.Popen(
        [sys.executable, "-S", "-c", "print(flush=True); input()"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert child.stdin is not None
    assert child.stdout is not None
    with child.stdin, child.stdout:
        child.stdout.readline()
        together = taken_by_root([os.getpid()])
        apart = taken_by_root([os.getpid(), child.pid])
    child.wait()
    assert set(apart) == {os.getpid(), child.pid}
    assert apart[child.pid].pss_kib > 1000
    assert together[os.getpid()].pss_kib > apart[os.getpid()].pss_kib
    assert together[os.getpid()].processor_s >= apart[os.getpid()].processor_s > 0


def test_a_process_that_is_gone_has_no_size() -> None:
    """What is not there takes nothing."""
    assert pss_kib(2**22 + 1) == 0
    assert taken_by_root([2**22 + 1]) == {2**22 + 1: Taken()}
