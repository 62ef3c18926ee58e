"""Programs that the zygote of a test forks."""

import json
import os
import sys
from pathlib import Path

from crossrate.runtime.process import Runtime


async def serve(runtime: Runtime) -> None:
    """A service that serves nothing: it says who it is and waits for its end."""
    about = {"instance": runtime.instance, "parent": os.getppid(), "title": Path("/proc/self/cmdline").read_text()}
    runtime.place.registration(runtime.instance).write_text(json.dumps(about))
    await runtime.stopping.wait()
    runtime.place.registration(runtime.instance).unlink()


async def fail(runtime: Runtime) -> None:
    """A service that breaks at once."""
    raise RuntimeError("no market today")


def report(output: int) -> None:
    """A helper that reports one thing."""
    os.write(output, json.dumps({"from": "report", "modules": len(sys.modules)}).encode() + b"\n")
