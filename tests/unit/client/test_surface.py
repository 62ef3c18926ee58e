"""The types of the SDK are those of its methods."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import crossrate.api
from crossrate.client.aio import public_services
from crossrate.client.blocking import Loop, blocking
from crossrate.client.methods import Method, method_of

STUB = Path(crossrate.api.__path__[0]) / "sdk.pyi"


def declared() -> dict[str, dict[str, str]]:
    """What the stub file says: by class the kind of each method."""
    classes = [node for node in ast.parse(STUB.read_text()).body if isinstance(node, ast.ClassDef)]
    return {
        each.name: {
            ast.unparse(node.target): ast.unparse(node.annotation)
            for node in each.body
            if isinstance(node, ast.AnnAssign)
        }
        for each in classes
    }


@pytest.mark.parametrize("word", public_services())
def test_types_say_what_is_there(word: str) -> None:
    """Every method stands in the stub with the kind, the request and the answer that a client makes; no other does."""
    loop = Loop()
    try:
        stub, waiting = declared()[word.capitalize()], declared()[f"{word.capitalize()}Blocking"]
        assert set(stub) == {contract.name for contract in public_services()[word]}
        for contract in public_services()[word]:
            made = method_of(lambda *_, **__: None, contract)
            if not isinstance(made, Method):
                assert stub[contract.name] == "Any"
                assert contract.name not in waiting
                continue
            kind, _, types = stub[contract.name].partition("[")
            assert kind == type(made).__name__
            assert f".{contract.input.name}, " in types
            assert waiting[contract.name].partition("[")[0] == type(blocking(loop, made)).__name__
    finally:
        loop.close()


def test_a_client_loads_neither_telemetry_nor_numpy() -> None:
    """A program that trades does not wait for what it does not use."""
    text = "import sys, crossrate.client; print([n for n in HEAVY if n in sys.modules])"
    heavy = ("numpy", "opentelemetry.sdk", "structlog", "rich", "pyarrow", "pandas", "polars", "httpx")
    command = [sys.executable, "-c", text.replace("HEAVY", repr(heavy))]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
