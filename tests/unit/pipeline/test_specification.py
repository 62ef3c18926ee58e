"""Jobs as they are declared: what is taken, what is refused and with which words."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from crossrate.cli.data_import import Said, job_of, job_of_file
from crossrate.cli.show import CommandError
from services.pipeline.domain.specification import Files, Refused, Specification, parse

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
        ({"quality": {"bar_difference_p95_pips_max": 0}}, "quality.bar_difference_p95_pips_max", "greater than 0"),
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


@pytest.mark.parametrize("file", sorted((ROOT / "mesh" / "jobs").iterdir()), ids=lambda file: file.name)
def test_every_example_is_a_job(file: Path) -> None:
    """The files of mesh/jobs, as the command line reads them."""
    made = parse(job_of_file(file).text, "json")
    assert made.name


def test_paths_count_from_the_jobs_file(tmp_path: Path) -> None:
    """Relative ones become absolute without `..`; a file that is no TOML is refused with a remedy."""
    file = tmp_path / "jobs" / "a.toml"
    file.parent.mkdir()
    file.write_text('source = {kind = "files", paths = ["../a.csv", "/b.csv", "sub/*.zip"]}')
    paths = json.loads(job_of_file(file).text)["source"]["paths"]
    assert paths == [f"{tmp_path}/a.csv", "/b.csv", f"{tmp_path}/jobs/sub/*.zip"]
    file.write_text("a =")
    with pytest.raises(CommandError, match="is no job"):
        job_of_file(file)


def test_files_and_urls_are_a_job_of_their_own(tmp_path: Path) -> None:
    """Named after the first; of one kind; whose rows they are has to be said."""
    file = tmp_path / "EUR USD 2024.csv.gz"
    file.write_text("")
    said = Said(venue="LMAX", instrument="EUR/USD", recursive=True)
    made = parse(job_of([str(file), str(tmp_path)], said).text, "json")
    assert made.source == Files(kind="files", paths=(str(file), str(tmp_path)), recursive=True)
    assert (made.target.dataset, made.target.venue, made.map.instrument) == ("eur-usd-2024", "LMAX", "EUR/USD")
    web = parse(job_of(["https://quotes.example.com/a/EURUSD.csv"], Said(venue="LMAX", dataset="web")).text, "json")
    assert (web.source.kind, web.target.dataset) == ("http", "web")
    assert parse(job_of(["s3://bucket/quotes/"], said).text, "json").source.kind == "object_store"
    for what, words in (
        ([str(tmp_path / "none.csv")], "is not there"),
        ([str(file), "s3://bucket/a"], "several imports"),
        (["ftp://host/a.csv"], "no source"),
        (["s3://bucket/"], "no name"),
    ):
        with pytest.raises(CommandError, match=words):
            job_of(what, Said(venue="LMAX"))
    with pytest.raises(CommandError, match="whose rows"):
        job_of([str(file)], Said())
    job_file = tmp_path / "a.yaml"
    job_file.write_text("name: a\nsource: {kind: files, paths: [x.csv]}\n")
    with pytest.raises(CommandError, match="a job says all of that itself"):
        job_of([str(job_file)], said)
    assert job_of([str(job_file)], Said()).line_of("specification.source.paths[0]") == 2


def test_a_job_in_yaml_is_the_same_job() -> None:
    """Words that YAML 1.1 would take for something else are text; anything wrong is told with its line."""
    text = """# a job
name: some-job
source:
  kind: files
  paths:
    - /data/12:30
shape: generic
map:
  symbols: {NO: USD/NOK, on: EUR/USD}
quality:
  crossed_share_max: 1e-1
target:
  dataset: some
  venue: "2024"
"""
    made = parse(text, "yaml")
    same = {
        "name": "some-job",
        "source": {"kind": "files", "paths": ["/data/12:30"]},
        "shape": "generic",
        "map": {"symbols": {"NO": "USD/NOK", "on": "EUR/USD"}},
        "quality": {"crossed_share_max": 0.1},
        "target": {"dataset": "some", "venue": "2024"},
    }
    assert made == parse(json.dumps(same), "json")
    with pytest.raises(Refused) as caught:
        parse(text.replace("paths:", "pathz:").replace("crossed_share_max: 1e-1", "crossed_share_max: many"), "yaml")
    assert {path: words.rpartition(" (")[2] for path, words in caught.value.problems} == {
        "source.paths": "line 3)",
        "source.pathz": "line 5)",
        "quality.crossed_share_max": "line 11)",
    }


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name: a\nshape: b\nname: c\n", "line 3: the field 'name' stands a second time"),
        ("a: &x [1]\nb: *x\n", "line 1: 'x' is an anchor"),
        ("a: 1\nb: !!python/object/apply:os.system [ls]\n", "line 2: 'tag:yaml.org,2002:python"),
        ("a: [1\nb: 2\n", "is no YAML: line 2"),
        ("a:\n  b: 1\n c: 2\n", "is no YAML: line 3"),
        ("? [a]\n: 1\n", "line 1: a field's name is text"),
        ("- 1\n", "is not a table of fields"),
        ("", "is not a table of fields"),
        ("[" * 5_000, "levels"),
        ("a: 1\n---\nb: 2\n", "is no YAML: line 2"),
    ],
)
def test_yaml_that_means_more_than_it_says_is_refused(text: str, words: str) -> None:
    """With the line."""
    with pytest.raises(Refused, match=re.escape(words)):
        parse(text, "yaml")


def test_a_field_that_stands_twice_is_refused_in_json_as_well() -> None:
    """Of two values nobody can say which is meant."""
    with pytest.raises(Refused, match="'name' twice"):
        parse('{"name": "a", "name": "b"}', "json")
