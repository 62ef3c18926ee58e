"""Children: started, watched, ended, and gone with their parent."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from crossrate.node.command import Command
from crossrate.node.process import spawn, start_ticks


def program(code: str) -> Command:
    """A Python program that imports nothing of ours."""
    return Command((sys.executable, "-S", "-c", code), Path("/"), dict(os.environ))


@pytest.fixture
def null():
    """A descriptor of /dev/null."""
    descriptor = os.open("/dev/null", os.O_WRONLY)
    yield descriptor
    os.close(descriptor)


async def test_an_exit_code_is_seen(null: int) -> None:
    """`exited` has the program's own exit code."""
    child = spawn(program("raise SystemExit(7)"), null)
    assert await child.wait() == 7
    assert not child.running


async def test_a_killed_child_has_a_negative_code(null: int) -> None:
    """A signal that ended a child is its negative exit code, and a signal after that is no error."""
    child = spawn(program("import time; time.sleep(60)"), null)
    child.send(signal.SIGKILL)
    assert await child.wait() == -signal.SIGKILL
    child.send(signal.SIGTERM)


async def test_a_child_that_ignores_sigterm_is_killed(null: int) -> None:
    """After the grace a child that stays is killed."""
    code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); open(%r, 'w'); time.sleep(60)"
    ready = Path(f"/tmp/crossrate-test-{os.getpid()}-ready")
    child = spawn(program(code % str(ready)), null)
    try:
        await until(ready.exists)
        assert await child.stop(signal.SIGTERM, 0.1) == -signal.SIGKILL
    finally:
        ready.unlink(missing_ok=True)


async def until(condition, seconds: float = 60.0) -> None:
    """Waits for a condition that another process makes true."""
    import asyncio

    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true"
        await asyncio.sleep(0.01)


PARENT = """
import asyncio, os, sys
from pathlib import Path
from crossrate.node.command import Command
from crossrate.node.process import spawn
async def main():
    command = Command(("/bin/sleep", "60"), Path("/"), {}, *(int(a) for a in sys.argv[1:]))
    print(spawn(command, 2).pid, flush=True)
    await asyncio.sleep(60)
asyncio.run(main())
"""


@pytest.mark.parametrize("identity", [(), pytest.param((65534, 65534), id="another user")])
def test_children_die_with_a_parent_that_is_killed(identity: tuple[int, ...]) -> None:
    """After SIGKILL of the parent its child is gone, also one of another user."""
    if identity and os.geteuid() != 0:
        pytest.skip("only root starts programs as another user")
    arguments = [sys.executable, "-c", PARENT, *map(str, identity)]
    parent = subprocess.Popen(arguments, stdout=subprocess.PIPE)
    assert parent.stdout is not None
    with parent.stdout:
        pid = int(parent.stdout.readline())
    assert start_ticks(pid) is not None
    parent.kill()
    parent.wait()
    deadline = time.monotonic() + 60
    while start_ticks(pid) is not None:
        assert time.monotonic() < deadline, f"{pid} outlived its parent"
        time.sleep(0.01)


def test_start_ticks_tell_a_process_from_none() -> None:
    """A running process has a start time, a process that is not there has none."""
    assert start_ticks(os.getpid()) > 0
    assert start_ticks(2**22 + 1) is None


def test_a_title_replaces_the_command_line() -> None:
    """After set_title, `ps` shows the title."""
    code = "from crossrate.node.process import set_title; set_title('crossrate x-1');"
    code += "print(open('/proc/self/cmdline').read().rstrip(chr(0)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "crossrate x-1"
