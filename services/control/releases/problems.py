"""What is wrong with a specification's fields: pydantic's findings, as field and remedy."""

from __future__ import annotations

from pydantic import ValidationError

WORDS = {
    "tuple_type": "must be a list, in [ ]",
    "dict_type": "must be a table, in { } or under its own heading",
    "model_type": "must be a table, in { } or under its own heading",
    "string_type": "must be a text, in quotes",
}
"""What is said of a value of another kind, by pydantic's name of the error."""
GATES = 'must be "none", "manual" or { schedule = "Mon-Fri 08:00-16:00 Europe/London" }'


def problems_of_fields(error: ValidationError) -> list[tuple[str, str]]:
    """Each field that cannot be used, and what to do about it, in the words of whoever wrote the file."""
    found = []
    for entry in error.errors():
        where = list(entry["loc"])
        why = WORDS.get(entry["type"]) or entry["msg"].removeprefix("Value error, ").replace("Input should", "must")
        if "gate" in where[:-1]:
            # Behind it stands which kind it was taken for.
            why = GATES if where.pop(where.index("gate") + 1) == "word" else why
        path = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in where).lstrip(".")
        if entry["type"] == "extra_forbidden":
            why = "there is no such field: take it out, or correct its name"
        elif entry["type"] == "missing":
            why = "is missing: give it"
        field, _, rest = why.partition(": ")
        if not path and field.partition("[")[0] in ("steps", "business", "services", "rolling", "pins"):
            path, why = field, rest
        found.append((path or "specification", why))
    if any(path.startswith("services") for path, _ in found):
        # They are the first service's, and told there.
        found = [(path, why) for path, why in found if path.partition(".")[0] not in ("service", "candidate")]
    return found
