"""The JSON guard: the script that lets no REST body through the edge with a field that its contract does not know.

Envoy's transcoder drops unknown JSON fields and has no option not to, which would turn a misspelt stop-loss into none.
The script (json_guard.lua, an `envoy.filters.http.lua` filter before the transcoder) reads each REST body once, against
tables that are compiled here from the descriptors, and answers 400 with every field that it does not know. It refuses
as well what protobuf's JSON calls an error and Envoy does not: a field given twice, two members of a oneof, a field
that the path gives already, text that is not strict JSON, a body where the method takes none. A query that names a
field which the path or the body gives is refused too: to Envoy it would override the path.

```
REST ─ is it gRPC? ─no─ which binding? ─ query apart? ─ body ≤ max_request_bytes? ─ strict, known names ─▶ transcoder
         │ yes             │ none          │ no: 400       │ no: 413                  │ no: 400
         ▼                 ▼               ▼               ▼                          ▼
      untouched         untouched             google.rpc.Status with ErrorInfo and BadRequest
```

Three things in the edge's configuration belong to it:

- `local_reply_mapper()` is the first of the mappers, or the others would wrap its answers;
- the listener's buffer (`per_connection_buffer_limit_bytes`) holds the largest request of any method;
- the transcoder's `auto_mapping` stays off: the guard knows the paths that the contracts state, and no others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from crossrate.rpc.contract import ContractError, MethodContract, RestBinding
from crossrate.rpc.rest import read_template

SCRIPT_BYTES_MAX = 1 << 20
"""A script that is larger than this is a mistake: it is sent to the edge with every change of its listener."""

METADATA = "crossrate.json_guard"
"""Where the script leaves `refused: true` in a request's dynamic metadata; access logs can show it."""

_LUA = Path(__file__).with_name("json_guard.lua")
_FREE = frozenset({"google.protobuf.Struct", "google.protobuf.Value", "google.protobuf.ListValue"})


def guard_script(contracts: Mapping[str, MethodContract]) -> str:
    """The Lua source of the guard for some contracts; the same contracts give the same bytes.

    Every method that has a REST path is guarded, whoever may call it.

    Raises:
        ContractError: a request of a REST method contains google.protobuf.Any, whose fields no table can list, or the
            script would be larger than SCRIPT_BYTES_MAX.
    """
    messages = _Messages()
    routes: dict[str, list[str]] = {}
    for contract in contracts.values():
        for binding in contract.rest:
            routes.setdefault(binding.verb, []).append(_route(contract, binding, messages))
    lines = [f"  [{_quoted(verb)}] = {{{', '.join(entries)}}}," for verb, entries in sorted(routes.items())]
    tables = ["MESSAGES = {", *messages.rendered(), "}", "ROUTES = {", *lines, "}"]
    script = _LUA.read_text() + "\n" + "\n".join(tables) + "\n"
    if len(script.encode()) > SCRIPT_BYTES_MAX:
        raise ContractError(f"the JSON guard's script has {len(script.encode())} bytes, more than {SCRIPT_BYTES_MAX}")
    return script


def local_reply_mapper() -> dict:
    """The mapper that keeps a refusal as the guard wrote it, as protobuf JSON.

    Envoy takes the script's answer for a local reply. This mapper (of `local_reply_config.mappers`) stands before all
    that turn Envoy's own errors into JSON: the first that fits is the only one that acts.
    """
    metadata = {"filter": METADATA, "path": [{"key": "refused"}], "value": {"bool_match": True}}
    untouched = {"inline_string": "%LOCAL_REPLY_BODY%"}
    return {
        "filter": {"metadata_filter": {"matcher": metadata, "match_if_key_not_found": False}},
        "body_format_override": {"text_format_source": untouched, "content_type": "application/json"},
    }


class _Messages:
    """The table MESSAGES: each message and map once, by index from 1; 0 stands for "anything"."""

    def __init__(self) -> None:
        self._index: dict[str, int] = {}
        self._lines: list[str] = []

    def index(self, message: Descriptor) -> int:
        """The index of a message, which is added with all that it contains if it is not there yet."""
        if message.full_name in _FREE:
            return 0
        if message.full_name == "google.protobuf.Any":
            raise ContractError("a REST request contains google.protobuf.Any: the JSON guard cannot know its fields")
        if (known := self._index.get(message.full_name)) is not None:
            return known
        index = self._index[message.full_name] = len(self._lines) + 1
        self._lines.append("")
        if message.GetOptions().map_entry:
            self._lines[index - 1] = f"{{value = {self.child(message.fields_by_name['value'])}}}"
            return index
        entries = [entry for field in message.fields for entry in self._entries(field)]
        names = ", ".join(_quoted(field.json_name) for field in message.fields)
        self._lines[index - 1] = f"{{names = {{{names}}}, fields = {{{', '.join(entries)}}}}}"
        return index

    def child(self, field: FieldDescriptor) -> int:
        """The index of what a field holds."""
        return self.index(field.message_type) if field.message_type is not None else 0

    def _entries(self, field: FieldDescriptor) -> Iterable[str]:
        oneof = field.containing_oneof
        # A proto3 `optional` is a oneof of one member, with a name that no field has.
        is_choice = oneof is not None and len(oneof.fields) > 1
        value = f"{{{_quoted(field.name)}, {self.child(field)}{f', {_quoted(oneof.name)}' if is_choice else ''}}}"
        for name in sorted({field.json_name, field.name}):
            yield f"[{_quoted(name)}] = {value}"

    def rendered(self) -> list[str]:
        """One line a message, in order of index."""
        return [f"  {line}," for line in self._lines]


def _route(contract: MethodContract, binding: RestBinding, messages: _Messages) -> str:
    template = read_template(binding.template)
    fields = template.fields
    segments = ", ".join(map(_quoted, template.segments))
    parts = [f"segments = {{{segments}}}", f"bytes_max = {contract.request_bytes_max}"]
    if template.is_open:
        parts.append("open = true")
    # As the script compares names: without case and underscores.
    taken = [*fields, *([binding.body] if binding.body not in ("", "*") else [])]
    parts.append(f"taken = {{{', '.join(_quoted(name.replace('_', '').lower()) for name in taken)}}}")
    if binding.body == "*":
        parts.append("no_query = true")
    if binding.body == "*":
        shape = "array" if contract.client_streaming else "object"
        parts += [f"message = {messages.index(contract.input)}", 'prefix = ""', f"shape = {_quoted(shape)}"]
        if fields:
            parts.append(f"bound = {_bound(fields)}")
    elif binding.body:
        field = contract.input.fields_by_name[binding.body]
        child = messages.child(field)
        parts += [f"message = {child}", f"prefix = {_quoted(field.json_name)}"]
        if child and not field.is_repeated:
            parts.append('shape = "object"')
        below = binding.body + "."
        if inner := [name.removeprefix(below) for name in fields if name.startswith(below)]:
            parts.append(f"bound = {_bound(inner)}")
    return f"{{{', '.join(parts)}}}"


def _bound(fields: Iterable[str]) -> str:
    """The fields that a path gives, as nested tables: {["order"] = {["account"] = true}}."""
    tree: dict = {}
    for field in fields:
        *parents, last = field.split(".")
        node = tree
        for name in parents:
            node = node.setdefault(name, {})
        node[last] = True
    return _lua(tree)


def _lua(tree: Mapping | bool) -> str:
    if tree is True:
        return "true"
    return "{" + ", ".join(f"[{_quoted(name)}] = {_lua(inner)}" for name, inner in sorted(tree.items())) + "}"


def _quoted(word: str) -> str:
    """A name of a contract as a Lua string. Names are ASCII letters, digits and a few signs, never quotes."""
    assert word.isascii(), word
    assert word.isprintable(), word
    assert not set(word) & set('"\\'), word
    return f'"{word}"'
