"""Holds what is there against what was told. Each check returns what is wrong, in words; nothing if all is well."""

from __future__ import annotations

import contextlib
import enum
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

SHOWN_MAX = 3


class Broken(enum.Enum):
    """Which promise was not kept."""

    LOST = "lost"
    TWICE = "twice"
    DIFFERS = "differs"
    HALF_WRITTEN = "half-written"
    GAP = "gap"
    REPEAT = "repeat"
    APART = "apart"
    STUCK = "stuck"
    PHANTOM = "phantom"
    ADMITTED = "admitted after a kill"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Problem:
    """A promise that was not kept: which one, to whom, and what shows it."""

    broken: Broken
    whose: str
    what: str

    def __str__(self) -> str:
        return f"{self.broken.value}: {self.whose}: {self.what}"


def _some(keys: Iterable[Any]) -> str:
    listed = list(keys)
    return f"{len(listed)}, as {', '.join(map(str, listed[:SHOWN_MAX]))}"


def kept(whose: str, promised: Mapping[Hashable, Any], found: Mapping[Hashable, Any]) -> list[Problem]:
    """Everything that was acknowledged is there, as it was acknowledged; more may be."""
    lost = [key for key in promised if key not in found]
    differs = [key for key, value in promised.items() if value is not None and key in found and found[key] != value]
    problems = [Problem(Broken.LOST, whose, _some(lost))] if lost else []
    return problems + ([Problem(Broken.DIFFERS, whose, _some(differs))] if differs else [])


def once(whose: str, expected: Sequence[Hashable], found: Sequence[Hashable]) -> list[Problem]:
    """What is there is what should be there, each once, in no order."""
    wanted, there = set(expected), set(found)
    problems = []
    if len(there) < len(found):
        seen: set[Hashable] = set()
        again = [key for key in found if key in seen or seen.add(key)]
        problems.append(Problem(Broken.TWICE, whose, _some(again)))
    if lost := sorted(wanted - there, key=str):
        problems.append(Problem(Broken.LOST, whose, _some(lost)))
    if more := sorted(there - wanted, key=str):
        problems.append(Problem(Broken.DIFFERS, whose, f"nobody wrote {_some(more)}"))
    return problems


def continuous(whose: str, numbers: Sequence[int], first: int | None = 1) -> list[Problem]:
    """Numbers go up one by one, from `first` on if it is said."""
    expected = first if first is not None else numbers[0] if numbers else None
    for number in numbers:
        if number != expected:
            assert expected is not None
            broken = Broken.REPEAT if number < expected else Broken.GAP
            return [Problem(broken, whose, f"{expected} was due, {number} came")]
        expected += 1
    return []


def whole_files(folder: Path, known: set[Path]) -> list[Problem]:
    """Every Parquet file can be read to its end, also those that were never committed; notes in `known` which were."""
    problems = []
    for path in folder.glob("venue=*/**/*.parquet"):
        if path in known:
            continue
        try:
            # Compaction may take it away.
            with contextlib.suppress(FileNotFoundError), pq.ParquetFile(path) as file:
                file.read()
        except (pa.ArrowException, OSError) as wrong:
            problems.append(Problem(Broken.HALF_WRITTEN, path.name, str(wrong)[:200]))
        known.add(path)
    return problems


def all_of(checks: Iterable[Callable[[], list[Problem]]]) -> list[Problem]:
    """What all checks find."""
    return [problem for check in checks for problem in check()]
