"""Memory of processes and of what they started."""

import os
import subprocess
import sys

from crossrate.node.memory import Taken, processor_s, pss_kib, taken_by_root


def test_a_process_includes_what_it_started() -> None:
    """The size of a process has its children's in it, except those that are asked for by themselves."""
    child = subprocess.Popen(
        [sys.executable, "-S", "-c", "print(flush=True); input()"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert child.stdin is not None
    assert child.stdout is not None
    with child.stdin, child.stdout:
        child.stdout.readline()
        apart = taken_by_root([os.getpid(), child.pid])
        together = taken_by_root([os.getpid()])
    child.wait()
    assert set(apart) == {os.getpid(), child.pid}
    assert apart[child.pid].pss_kib > 1000
    assert together[os.getpid()].pss_kib > apart[os.getpid()].pss_kib
    assert together[os.getpid()].processor_s >= apart[os.getpid()].processor_s > 0


def test_a_process_that_is_gone_has_no_size() -> None:
    """What is not there takes nothing."""
    assert pss_kib(2**22 + 1) == 0
    assert taken_by_root([2**22 + 1]) == {2**22 + 1: Taken()}


def test_the_processor_time_of_a_process_grows_while_it_works() -> None:
    """What another process has used is told, of all its threads, finer than a tick; one that is gone has used none."""
    program = "import threading\nt = threading.Thread(target=lambda: sum(range(10**6)))\nt.start()\nt.join()\n"
    child = subprocess.Popen(
        [
            sys.executable,
            "-S",
            "-c",
            program + "print(flush=True); input(); sum(range(10**7)); print(flush=True); input()",
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert child.stdin is not None
    assert child.stdout is not None
    with child.stdin, child.stdout:
        child.stdout.readline()
        before = processor_s(child.pid)
        child.stdin.write(b"\n")
        child.stdin.flush()
        child.stdout.readline()
        after = processor_s(child.pid)
    child.wait()
    assert 0 < before < after
    assert processor_s(2**22 + 1) == 0
