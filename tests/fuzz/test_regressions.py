"""What fuzzing has found once stays found, and the harness of the fuzzer works."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from crossrate.rpc.lean.control import Control
from crossrate.rpc.lean.stream import Stream
from tests.fuzz.shapes import Action
from tests.fuzz.subjects import TARGETS, Bench

CRASHES = sorted((Path(__file__).parent / "crashes").glob("*.txt"))
INPUTS = {"server": 2500, "client": 1500, "fields": 3000, "messages": 1500}


@pytest.fixture
def bench() -> Iterator[Bench]:
    """Runs inputs."""
    made = Bench()
    yield made
    made.close()


def inputs(target: str) -> Iterator[bytes]:
    """Random inputs, the same ones each time; most of them make frames."""
    chance = random.Random(target)
    for _ in range(INPUTS[target]):
        frames = target in ("server", "client") and chance.random() < 0.9
        yield bytes((chance.randrange(128 if frames else 256),)) + chance.randbytes(chance.randrange(400))


def actions(path: Path) -> Iterator[Action]:
    """What a file lets happen."""
    for line in path.read_text().split():
        yield line if line.isalpha() and not set(line) <= set("abcdef") else bytes.fromhex(line)


@pytest.mark.parametrize("target", TARGETS)
def test_random_inputs(target: str, bench: Bench) -> None:
    """Whatever comes, nothing escapes, nothing is left behind, and what is written is frames within the windows."""
    run_all(target, bench)


def run_all(target: str, bench: Bench) -> None:
    """Runs the inputs of a target."""
    for raw in inputs(target):
        bench.run(target, raw)


@pytest.mark.parametrize("path", CRASHES, ids=lambda path: path.stem)
def test_what_was_found(path: Path, bench: Bench) -> None:
    """Each input that has ever broken a connection leaves it whole."""
    for with_error in (False, True):
        bench.replay(path.stem.partition("-")[0], actions(path), with_error)


def _open_nothing(self: Stream) -> None:
    self.window_out += 1_000_000


@pytest.mark.parametrize("target", ["server", "client"])
@pytest.mark.parametrize("broken", ["parts stay", "a window grows", "a frame escapes"])
def test_the_harness_notices(target: str, broken: str, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """A transport that leaves bytes behind, sends past a window or lets an error escape fails on some of the inputs."""
    if broken == "parts stay":
        monkeypatch.setattr(Stream, "_drop_parts", lambda self: None)
    elif broken == "a window grows":
        pump = Stream.pump
        monkeypatch.setattr(Stream, "pump", lambda self, *turn: (_open_nothing(self), pump(self, *turn))[1])
    else:
        monkeypatch.setattr(Control, "_stream_reset", lambda self, stream_id, code: {}[code])
    with pytest.raises((AssertionError, KeyError)):
        run_all(target, bench)
