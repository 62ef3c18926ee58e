"""A declared document in TOML, JSON or YAML as plain values, with the line of each field where the form has lines.

Of YAML what the core schema of version 1.2 has: `no`, `on`, 12:30 and 2024-05-01 are text, as people mean them, and a
field that stands twice, an anchor or a tag is refused. The safe loader's constructor is not used at all: nothing but
mappings, lists, text, numbers, booleans and null is ever made.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    import yaml

FORMS = {".toml": "toml", ".json": "json", ".yaml": "yaml", ".yml": "yaml"}
"""The form of a file by the ending of its name."""
DEPTH_MAX = 32
"""Levels of a document."""

_NULL = ("", "~", "null", "Null", "NULL")
_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INTEGER = re.compile(r"[-+]?[0-9]{1,300}|0x[0-9a-fA-F]{1,64}|0o[0-7]{1,64}")
_NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_SPECIAL = {".inf": float("inf"), "-.inf": float("-inf"), ".nan": float("nan")}


class NotADocument(ValueError):
    """The text is not of its form; the message names the line where the form has one."""


@dataclass(frozen=True, slots=True)
class Document:
    """What a text declares.

    Attributes:
        value: tables as dict, lists, text, numbers, booleans, None.
        lines: the line of each field by its path, as `source.paths[0]`; only of YAML.
    """

    value: Any
    lines: Mapping[str, int] = field(default_factory=dict)

    def line_of(self, path: str) -> int | None:
        """The line of a field, or of the nearest that has it; None where lines are not known."""
        while path and path not in self.lines:
            path = path[: max(path.rfind("."), path.rfind("["), 0)]
        return self.lines.get(path) if path else None


def read(text: str, form: str) -> Document:
    """The document of a text.

    Args:
        text: in the form.
        form: "toml", "json" or "yaml".

    Raises:
        NotADocument: it is not of that form, a field stands twice, or it is nested too deeply.
    """
    try:
        if form == "yaml":
            return _yaml(text)
        if form == "toml":
            return Document(tomllib.loads(text))
        return Document(json.loads(text, object_pairs_hook=_once))
    except (tomllib.TOMLDecodeError, json.JSONDecodeError) as error:
        raise NotADocument(f"is no {form.upper()}: {error}") from None
    except RecursionError:
        raise NotADocument("is nested too deeply") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The fields of a JSON object, each once."""
    made: dict[str, Any] = {}
    for name, value in pairs:
        if name in made:
            raise NotADocument(f"has the field {name!r} twice in one table")
        made[name] = value
    return made


def _yaml(text: str) -> Document:
    """A document in YAML."""
    # Not at import: only who reads YAML needs it.
    import yaml

    try:
        _no_references(yaml.parse(text, yaml.SafeLoader))
        root = yaml.compose(text, yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise NotADocument(f"is no YAML: line {mark.line + 1 if mark else 1}: {error.problem}") from None
    except yaml.YAMLError as error:
        raise NotADocument(f"is no YAML: {' '.join(str(error).split())}") from None
    lines: dict[str, int] = {}
    return Document(None if root is None else _value(root, "", lines, 1), lines)


def _no_references(events: Any) -> None:
    """Refuses anchors, aliases and tags, which make a small text large or something else than it says."""
    import yaml

    depth = 0
    for event in events:
        if getattr(event, "anchor", None) is not None:
            _refuse(event, f"{event.anchor!r} is an anchor or its use; write the value out")
        tag = getattr(event, "tag", None)
        if tag is not None and not isinstance(event, yaml.DocumentStartEvent):
            _refuse(event, f"{tag!r} is a tag; write the value without")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEPTH_MAX:
            _refuse(event, f"more than {DEPTH_MAX} levels")


def _refuse(event: Any, words: str) -> NoReturn:
    raise NotADocument(f"is refused: line {event.start_mark.line + 1}: {words}")


def _value(node: yaml.Node, path: str, lines: dict[str, int], depth: int) -> Any:
    """The value of a node; notes the lines of what is in it."""
    import yaml

    if isinstance(node, yaml.MappingNode):
        made: dict[str, Any] = {}
        for key, each in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                raise NotADocument(f"is refused: line {line}: a field's name is text")
            name = str(key.value)
            if name in made:
                raise NotADocument(f"is refused: line {line}: the field {name!r} stands a second time")
            here = f"{path}.{name}" if path else name
            lines[here] = line
            made[name] = _value(each, here, lines, depth + 1)
        return made
    if isinstance(node, yaml.SequenceNode):
        items = []
        for number, each in enumerate(node.value):
            here = f"{path}[{number}]"
            lines[here] = each.start_mark.line + 1
            items.append(_value(each, here, lines, depth + 1))
        return items
    return _scalar(node) if isinstance(node, yaml.ScalarNode) else None


def _scalar(node: yaml.ScalarNode) -> Any:
    """A scalar by YAML 1.2's core schema; what stands in quotes is text."""
    text = node.value
    if node.style is not None:
        return text
    if text in _NULL:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if _INTEGER.fullmatch(text):
        return int(text, 0) if text[:2] in ("0x", "0o") else int(text)
    if _NUMBER.fullmatch(text):
        return float(text)
    return _SPECIAL.get(text.lower(), text)
