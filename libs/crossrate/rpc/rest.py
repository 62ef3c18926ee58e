"""Path templates of REST bindings, as Envoy's transcoder matches them, and which of them would match one path."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass

from crossrate.rpc.contract import MethodContract


@dataclass(frozen=True, slots=True)
class Template:
    """A path template taken apart.

    `segments` are literals and "*" for any one; a custom verb (":set") is one more literal, because the transcoder
    takes ":" before it for a slash. `is_open` says that "**" lets any number of segments follow. `fields` are the paths
    of the request's fields that the template binds, in order.
    """

    segments: tuple[str, ...]
    is_open: bool
    fields: tuple[str, ...]

    def overlaps(self, other: Template) -> bool:
        """Whether some path matches both."""
        pairs = zip(self.segments, other.segments, strict=False)
        if any(a != b and "*" not in (a, b) for a, b in pairs):
            return False
        shorter, longer = sorted((self, other), key=lambda t: len(t.segments))
        return len(shorter.segments) == len(longer.segments) or shorter.is_open


def read_template(text: str) -> Template:
    """A template as it stands in google.api.http, taken apart. A "**" counts as its last segment."""
    segments: list[str] = []
    fields: list[str] = []
    head, colon, verb = text.rpartition(":")
    if not colon or "/" in verb or "}" in verb:
        head, verb = text, ""
    rest = head.removeprefix("/")
    while rest:
        if rest.startswith("{"):
            variable, _, rest = rest[1:].partition("}")
            field, _, pattern = variable.partition("=")
            fields.append(field)
            segments += (pattern or "*").split("/")
        else:
            literal, slash, rest = rest.partition("/")
            segments.append(literal)
            rest = slash + rest
        rest = rest.removeprefix("/")
    is_open = "**" in segments
    if is_open:
        # Nothing is known of how many segments "**" takes, so neither the rest nor a verb after it is compared.
        segments, verb = segments[: segments.index("**")], ""
    return Template((*segments, *([verb] if verb else [])), is_open, tuple(fields))


def ambiguities(contracts: Mapping[str, MethodContract]) -> list[str]:
    """One sentence for each pair of bindings that some request would match both; empty if every path is clear."""
    bindings = [(contract, binding) for contract in contracts.values() for binding in contract.rest]
    return [
        f"{b.verb} {b.template} of {a_contract.path} and {c.template} of {b_contract.path} match the same path"
        for (a_contract, b), (b_contract, c) in itertools.combinations(bindings, 2)
        if b.verb == c.verb and read_template(b.template).overlaps(read_template(c.template))
    ]
