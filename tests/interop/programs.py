"""The programs of others that the cases are run with: built by Go, into Go's own cache, from what go.sum pins."""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

GRPC_GO_CLIENT = "google.golang.org/grpc/interop/client"
H2SPEC = "github.com/summerwind/h2spec/cmd/h2spec"

_MODULE = Path(__file__).parent / "go"
_DOWNLOAD_S_MAX = 120
_BUILD_S_MAX = 600


class MissingError(Exception):
    """The program cannot be had here; the text says why."""


def _go(seconds: int, *arguments: str) -> subprocess.CompletedProcess[str]:
    # Neither go.mod nor the toolchain is changed to make it work.
    environment = os.environ | {"GOFLAGS": "-mod=readonly -buildvcs=false", "GOTOOLCHAIN": "local", "GOWORK": "off"}
    return subprocess.run(
        ["go", *arguments], cwd=_MODULE, env=environment, timeout=seconds, capture_output=True, text=True, check=False
    )


@cache
def _modules() -> None:
    """Makes the sources available.

    Raises:
        MissingError: there is no Go, it is too old, or the modules cannot be had.
    """
    if shutil.which("go") is None:
        raise MissingError("there is no Go on the PATH")
    try:
        done = _go(_DOWNLOAD_S_MAX, "mod", "download")
    except subprocess.TimeoutExpired:
        raise MissingError(f"the modules did not come within {_DOWNLOAD_S_MAX} s") from None
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:]
        raise MissingError(f"go mod download: {last[0] if last else done.returncode}")


@cache
def program(package: str) -> Path:
    """A program of the module in go/, built if it is not in Go's cache yet.

    Raises:
        MissingError: see `_modules`.
        RuntimeError: the sources are there and do not build.
    """
    _modules()
    done = _go(_BUILD_S_MAX, "tool", "-n", package)
    if done.returncode:
        raise RuntimeError(f"{package} does not build:\n{done.stderr[-4000:]}")
    return Path(done.stdout.strip())
