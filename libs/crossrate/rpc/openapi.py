"""The OpenAPI 3.1 document of what the edge offers as REST, from the contracts' descriptor set alone.

```
contracts.binpb ── comments, google.api.http ──▶ paths ── request and answer messages ──▶ components
                └─ policy ──▶ x-crossrate-policy          (json_schema: buf.validate as keywords)
```

The same descriptors give the same bytes. A method that no role may call is not reachable at the edge and is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from google.protobuf import descriptor_pb2, descriptor_pool
from google.protobuf.descriptor import Descriptor

from crossrate.rpc.contract import ContractError, MethodContract, RestBinding, field_at, read_contracts
from crossrate.rpc.json_schema import Schema, Schemas, is_required
from crossrate.rpc.rest import ambiguities, read_template

_STRINGS_IN_QUERIES = frozenset(
    f"google.protobuf.{name}"
    for name in (
        *("Timestamp", "Duration", "FieldMask", "DoubleValue", "FloatValue", "Int64Value", "UInt64Value"),
        *("Int32Value", "UInt32Value", "BoolValue", "StringValue", "BytesValue"),
    )
)
_ERROR_DETAILS = ("google.rpc.ErrorInfo", "google.rpc.BadRequest", "google.rpc.RetryInfo")
_ERROR_REASON = "crossrate.api.common.v1.ErrorReason"
_VARIABLE = re.compile(r"\{([^}]*)\}")
"""A path's variable. Two paths that differ in the names of theirs alone are one path (OpenAPI 3.1, "Paths Object")."""


def openapi_document(described: descriptor_pb2.FileDescriptorSet) -> dict:
    """The document.

    Args:
        described: every contract with everything that it imports and with its comments (`--include_source_info`).

    Raises:
        ContractError: a contract breaks a rule of the house, two REST paths are ambiguous, or a request has a field
            that neither its path, its query nor its body can carry.
    """
    pool = descriptor_pool.DescriptorPool()
    for file in described.file:
        pool.Add(file)
    contracts = read_contracts(pool.FindFileByName(file.name) for file in described.file if file.service)
    if problems := ambiguities(contracts):
        raise ContractError("\n".join(problems))
    comments = dict(comments_of(described))
    schemas = Schemas(comments)
    status = _status(pool, schemas)
    reachable = [contract for contract in contracts.values() if contract.roles]
    paths: dict[str, dict] = {}
    alike: dict[str, str] = {}
    for contract in reachable:
        for number, binding in enumerate(contract.rest, start=1):
            path = _path(binding.template)
            path = alike.setdefault(_VARIABLE.sub("{}", path), path)
            operation = _operation(contract, binding, path, comments, schemas)
            if number > 1:
                operation["operationId"] += f"_{number}"
            paths.setdefault(path, {})[binding.verb.lower()] = operation
    services = sorted({contract.service for contract in reachable})
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "crossrate",
            "version": "v1",
            "summary": "An FX and multi-asset trading platform that is a gRPC service mesh",
            "description": _INTRODUCTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/", "description": "the edge that served this document"}],
        "tags": [{"name": _word(name), "description": comments.get(name, "")} for name in services],
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": dict(sorted(schemas.components.items())),
            "responses": {"Error": status},
            "securitySchemes": SECURITY_SCHEMES,
        },
        "security": [{name: []} for name in SECURITY_SCHEMES],
    }


SECURITY_SCHEMES: Mapping[str, Schema] = {
    "accessToken": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "at+jwt",
        "description": "An access token of this mesh (RFC 9068), for at most five minutes. What is not accepted is "
        "answered 401; a method whose `x-crossrate-policy` says `stepUp` also takes a second factor that was proved "
        "lately, and answers 403 with STEP_UP_REQUIRED without one.",
    },
    "clientCertificate": {
        "type": "mutualTLS",
        "description": "The certificate of a client of this mesh's topology.",
    },
}
"""How a client proves itself: by one of the two. A token, where there is one, decides alone."""


_INTRODUCTION = """\
Every method is also a gRPC method with the same messages; this document is compiled from those contracts.

Field names are lowerCamelCase; the names of the contracts are read as well. 64-bit integers are strings. A body with a
field that is not listed here is refused. An answer leaves out what is empty, zero or false.

Every error, of a service or of the edge, is a `google.rpc.Status` whose first detail is a `google.rpc.ErrorInfo` with
the domain `crossrate` and a reason from the list of `crossrate.api.common.v1.ErrorReason`.

A stream is sent as lines of JSON (`application/x-ndjson`) or as server-sent events (`text/event-stream`), as `Accept`
says; each carries one message. `x-crossrate-policy` says who may call a method, for how long and at what cost."""


def _operation(
    contract: MethodContract, binding: RestBinding, path: str, comments: Mapping[str, str], schemas: Schemas
) -> Schema:
    comment = comments.get(f"{contract.service}.{contract.name}", "")
    template = read_template(binding.template)
    operation: Schema = {
        "operationId": f"{_word(contract.service)}_{contract.name}",
        "tags": [_word(contract.service)],
        "summary": re.split(r"(?<=\.)\s", comment, maxsplit=1)[0],
        "description": comment,
    }
    parameters = [
        _path_parameter(contract.input, field, name, schemas)
        for field, name in zip(template.fields, _VARIABLE.findall(path), strict=True)
    ]
    if binding.body != "*":
        taken = frozenset((*template.fields, binding.body))
        parameters += _query_parameters(contract.input, schemas, taken)
    if parameters:
        operation["parameters"] = parameters
    if binding.body:
        operation["requestBody"] = _request_body(contract, binding, schemas)
    answer = {"schema": schemas.message(contract.output)}
    if contract.server_streaming:
        content = {"application/x-ndjson": answer, "text/event-stream": answer}
        described = "A stream; each line or event carries one message of this schema."
    else:
        content, described = {"application/json": answer}, "The answer."
    operation["responses"] = {
        "200": {"description": described, "content": content},
        "default": {"$ref": "#/components/responses/Error"},
    }
    operation["x-crossrate-policy"] = _policy(contract)
    return operation


def _path_parameter(message: Descriptor, path: str, name: str, schemas: Schemas) -> Schema:
    field = field_at(message, path)
    if field is None or field.is_repeated or field.message_type is not None:
        raise ContractError(f"{message.full_name} has no scalar field {path}, which its REST path binds")
    schema = schemas.field(field)
    parameter = {"name": name, "in": "path", "required": True}
    return _with_description(parameter, schema)


def _query_parameters(
    message: Descriptor, schemas: Schemas, taken: frozenset[str], *, names: str = "", path: str = ""
) -> list[Schema]:
    """The fields that the query carries; those of messages by their path ("startDate.year")."""
    parameters: list[Schema] = []
    for field in message.fields:
        if path + field.name in taken:
            continue
        inner = field.message_type
        if inner is not None and inner.full_name not in _STRINGS_IN_QUERIES:
            if field.is_repeated or inner.full_name == "google.protobuf.Struct" or path.count(".") > 4:
                raise ContractError(f"{field.full_name} cannot stand in a query: give the method a body")
            below, name = f"{path}{field.name}.", f"{names}{field.json_name}."
            nested = _query_parameters(inner, schemas, taken, names=name, path=below)
            outer = schemas.field(field).get("description", "")
            for parameter in nested:
                parameter["description"] = f"{outer} {parameter.get('description', '')}".strip()
            parameters += nested
            continue
        parameter: Schema = {"name": names + field.json_name, "in": "query"}
        if is_required(field) and not names:
            parameter["required"] = True
        if field.is_repeated:
            parameter |= {"style": "form", "explode": True}
        parameters.append(_with_description(parameter, schemas.field(field)))
    return parameters


def _with_description(parameter: Schema, schema: Schema) -> Schema:
    """A parameter with its schema, whose comment becomes the parameter's own."""
    if description := schema.pop("description", None):
        parameter["description"] = description
    return parameter | {"schema": schema}


def _request_body(contract: MethodContract, binding: RestBinding, schemas: Schemas) -> Schema:
    message = contract.input
    bound = frozenset(read_template(binding.template).fields)
    if binding.body == "*":
        schema = schemas.object(message, without=bound) | {"additionalProperties": False}
        if any("." in path for path in bound):
            schema["description"] = f"{schema.get('description', '')} Without what the path gives.".strip()
        if contract.client_streaming:
            schema = {"type": "array", "items": schema}
        is_needed = bool(schema.get("required"))
    else:
        field = message.fields_by_name.get(binding.body)
        if field is None:
            raise ContractError(f"{message.full_name} has no field {binding.body}, which its REST body names")
        schema, is_needed = schemas.field(field), is_required(field)
    return {"required": is_needed, "content": {"application/json": {"schema": schema}}}


def _policy(contract: MethodContract) -> Schema:
    policy = {
        "roles": sorted(contract.roles),
        "services": sorted(contract.services),
        "deadline": _seconds(contract.deadline_s),
        "idempotency": contract.idempotency.name,
        "cost": contract.cost,
        "sideEffects": contract.side_effects,
        "maxRequestBytes": contract.request_bytes_max,
    }
    if contract.stream_idle_timeout_s is not None:
        policy["streamIdleTimeout"] = _seconds(contract.stream_idle_timeout_s)
    if contract.sticky_field:
        policy["stickyField"] = contract.sticky_field
    if contract.reserved_lane:
        policy["reservedLane"] = True
    if contract.step_up:
        policy["stepUp"] = True
    if contract.step_up_spares:
        field, _, value = contract.step_up_spares.partition("=")
        policy["stepUpUnless"] = {contract.input.fields_by_name[field].json_name: value}
    for name in ("account_fields", "instrument_fields", "desk_fields"):
        if fields := getattr(contract, name):
            policy[name.removesuffix("_fields") + "Fields"] = list(fields)
    return policy


def _status(pool: descriptor_pool.DescriptorPool, schemas: Schemas) -> Schema:
    """The answer of every failed call, with the details that the platform gives and the reasons that it knows."""
    status = schemas.message(pool.FindMessageTypeByName("google.rpc.Status"))
    schemas.enum(pool.FindEnumTypeByName(_ERROR_REASON))
    variants = []
    for name in _ERROR_DETAILS:
        detail = schemas.object(pool.FindMessageTypeByName(name))
        tag = {"@type": {"const": f"type.googleapis.com/{name}"}}
        detail["properties"] = tag | detail["properties"]
        detail["required"] = ["@type"]
        schemas.components[name] = detail
        variants.append({"$ref": f"#/components/schemas/{name}"})
    details = schemas.components["google.rpc.Status"]["properties"]["details"]
    details["items"] = {"anyOf": [*variants, details["items"]]}
    described = "The call failed; the status says why. Its code decides the HTTP status."
    return {"description": described, "content": {"application/json": {"schema": status}}}


def comments_of(described: descriptor_pb2.FileDescriptorSet) -> Iterator[tuple[str, str]]:
    """Full name and comment of everything that has one; paragraphs are kept, lines are joined."""
    for file in described.file:
        for location in file.source_code_info.location:
            if location.leading_comments and (name := _name_at(file, location.path)):
                paragraphs = re.split(r"\n\s*\n", location.leading_comments.strip())
                yield name, "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


def _name_at(file: descriptor_pb2.FileDescriptorProto, path: Iterable[int]) -> str | None:
    """The full name of what stands at a location's path; None where that is an option or a part of a declaration."""
    node, name = file, file.package
    steps = iter(path)
    for number in steps:
        field = node.DESCRIPTOR.fields_by_number[number]
        index = next(steps, None)
        if index is None or not field.is_repeated or field.message_type is None:
            return None
        node = getattr(node, field.name)[index]
        if not hasattr(node, "name"):
            return None
        name = f"{name}.{node.name}"
    return name if node is not file else None


def _path(template: str) -> str:
    """A template without what OpenAPI does not know: patterns of variables, and fields of fields as their names.

    A variable is named by the last word of its field's path, or by all of them if two variables would share it. Dots
    break readers that take a template for a format.
    """
    fields = read_template(template).fields
    words = [field.rpartition(".")[2] for field in fields]
    names = iter(words if len(set(words)) == len(words) else [field.replace(".", "_") for field in fields])
    return _VARIABLE.sub(lambda _: f"{{{next(names)}}}", template)


def _word(full_name: str) -> str:
    return full_name.rpartition(".")[2]


def _seconds(seconds: float) -> str:
    return f"{seconds:g}s"
