"""Jobs as they are declared: what is taken, what is refused and with which words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from crossrate.cli.pipeline_jobs import read
from crossrate.cli.show import CommandError
from services.pipeline.domain.specification import Refused, Specification, parse

ROOT = Path(__file__).resolve().parents[3]
FILES = {"kind": "files", "paths": ["/quotes/a.csv"]}
GOOD: dict[str, Any] = {
    "name": "a-job",
    "source": FILES,
    "shape": "generic",
    "target": {"dataset": "some", "venue": "VENUE"},
}


def problems(**changes: Any) -> list[tuple[str, str]]:
    """What is wrong with a job that has these fields instead."""
    with pytest.raises(Refused) as caught:
        parse(json.dumps({**GOOD, **changes}), "json")
    return caught.value.problems


def test_a_job_has_defaults_and_a_version() -> None:
    """Only what differs is declared; the digest is of all of it, so that another default is another version."""
    made = parse(json.dumps(GOOD), "json")
    assert made.quality.crossed_share_max == 0.2
    assert not made.quality.overlap_allowed
    assert Specification.from_json(made.to_json()) == made
    other = parse(json.dumps({**GOOD, "quality": {"rows_min": 2}}), "json")
    assert other.digest != made.digest
    assert other.recipe == made.recipe


@pytest.mark.parametrize(
    "changes",
    [
        {"map": {"clock": "UTC-05:00"}},
        {"map": {"instrument": "EUR/USD"}},
        {"shape": "parquet"},
        {"target": {"dataset": "some", "venue": "OTHER"}},
        {"map": {"symbols": {"FIBER": "EUR/USD"}}},
    ],
)
def test_what_decides_over_rows_is_in_the_recipe(changes: dict[str, Any]) -> None:
    """A content that is read in another way becomes other rows, and is not taken for the same."""
    recipes = [parse(json.dumps({**GOOD, **each}), "json").recipe for each in ({}, changes)]
    assert recipes[0] != recipes[1]


@pytest.mark.parametrize(
    ("changes", "path", "words"),
    [
        ({"name": "A Job"}, "name", "pattern"),
        ({"sorce": 1}, "sorce", "there is no such field"),
        ({"source": {"kind": "ftp"}}, "source", "files"),
        ({"source": {"kind": "files", "paths": []}}, "source.paths", "at least 1"),
        ({"source": {"kind": "files", "paths": ["a.csv"]}}, "source.paths", "absolute"),
        ({"source": {"kind": "files", "paths": ["/a/../b"]}}, "source.paths", "goes up"),
        ({"source": {"kind": "http", "urls": ["ftp://a/b"]}}, "source.urls", "no http"),
        ({"source": {"kind": "http", "urls": ["http://me:secret@a/b"]}}, "source.urls", "password"),
        ({"source": {"kind": "http", "urls": ["http://a/b/"]}}, "source.urls", "names no file"),
        ({"source": {"kind": "object_store", "urls": ["http://a/b"]}}, "source.urls", "s3://"),
        ({"source": {"kind": "object_store", "urls": ["s3://key:secret@a/b"]}}, "source.urls", "keys"),
        ({"source": {"kind": "object_store", "urls": ["file:///a/../b"]}}, "source.urls", "goes up"),
        ({"shape": "unheard_of"}, "shape", "is no shape"),
        ({"shape": {"name": "generic", "delimiter": ""}}, "shape.delimiter", "at least 1"),
        ({"shape": "histdata_m1"}, "shape", "bars"),
        ({"map": {"instrument": "EURO"}}, "map.instrument", ""),
        ({"map": {"clock": "Mars"}}, "map.clock", "zone"),
        ({"quality": {"crossed_share_max": 2}}, "quality.crossed_share_max", "less than or equal to 1"),
        ({"target": {"dataset": "live", "venue": "V"}}, "target.dataset", "feeds"),
        ({"target": {"dataset": "some", "venue": "composite"}}, "target.venue", "best of the feeds"),
        ({"target": {"dataset": "some"}}, "target.venue", "required"),
    ],
)
def test_a_wrong_field_is_named(changes: dict[str, Any], path: str, words: str) -> None:
    """The path is that of the job's file, and the words say what would be right."""
    ((found, said),) = problems(**changes)
    assert found == path
    assert words in said


def test_what_is_no_job_at_all_is_told() -> None:
    """Broken text, a list, and nesting without end."""
    for text, form in (("a =", "toml"), ("{", "json"), ("[1]", "json"), ("[" * 100_000, "json")):
        with pytest.raises(Refused):
            parse(text, form)


@pytest.mark.parametrize("file", sorted((ROOT / "mesh" / "jobs").glob("*.toml")), ids=lambda file: file.name)
def test_every_example_is_a_job(file: Path) -> None:
    """The files of mesh/jobs, as the command line reads them."""
    made = parse(read(file), "json")
    assert made.name


def test_paths_count_from_the_jobs_file(tmp_path: Path) -> None:
    """Relative ones become absolute without `..`; a file that is no TOML is refused with a remedy."""
    file = tmp_path / "jobs" / "a.toml"
    file.parent.mkdir()
    file.write_text('source = {kind = "files", paths = ["../a.csv", "/b.csv", "sub/*.zip"]}')
    paths = json.loads(read(file))["source"]["paths"]
    assert paths == [f"{tmp_path}/a.csv", "/b.csv", f"{tmp_path}/jobs/sub/*.zip"]
    file.write_text("a =")
    with pytest.raises(CommandError, match="is no job"):
        read(file)
