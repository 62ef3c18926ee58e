"""The SDK as type checkers and editors see it: what `scripts/generate` writes as `crossrate/api/sdk.pyi`.

Methods are made from descriptors when a client is made, which no checker runs. This says the same in types: of each
method its kind, its request, its answer, what it lists, and the first sentence of its comment.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from google.protobuf import descriptor_pb2, descriptor_pool
from google.protobuf.descriptor import Descriptor

from crossrate.rpc.contract import MethodContract, read_contracts
from crossrate.rpc.openapi import comments_of
from crossrate.rpc.shapes import Shape, items_field, shape_of

_HEADER = '''"""The SDK's services in types, generated from the contracts by scripts/generate.

There is no module of it: methods are made when a client is made.
"""

from typing import Any

'''
_KINDS = {
    Shape.CALL: ("Method", "BlockingMethod"),
    Shape.PAGES: ("PagedMethod", "BlockingPages"),
    Shape.STREAM: ("Method", "BlockingStream"),
    Shape.FOLLOW: ("StreamMethod", "BlockingFollow"),
}
"""The class of a method with asyncio and without, by its shape."""


def surface(described: descriptor_pb2.FileDescriptorSet) -> str:
    """The stub file, from every contract with what it imports and its comments."""
    pool = descriptor_pool.DescriptorPool()
    for file in described.file:
        pool.Add(file)
    contracts = read_contracts(pool.FindFileByName(file.name) for file in described.file if file.service)
    services: dict[str, list[MethodContract]] = {}
    for contract in contracts.values():
        if contract.roles:
            services.setdefault(contract.workload, []).append(contract)
    comments = dict(comments_of(described))
    classes = [*_classes(services, comments, blocking=False), *_classes(services, comments, blocking=True)]
    imports = sorted({_import(message) for contract in _all(services) for message in _messages(contract)})
    kinds = [
        "from crossrate.client.blocking import BlockingFollow, BlockingMethod, BlockingPages, BlockingStream",
        "from crossrate.client.methods import Method, PagedMethod, StreamMethod",
    ]
    return _HEADER + "\n".join([*imports, *kinds]) + "\n\n" + "\n".join(classes)


def _all(services: Mapping[str, list[MethodContract]]) -> Iterator[MethodContract]:
    for methods in services.values():
        yield from methods


def _messages(contract: MethodContract) -> Iterator[Descriptor]:
    yield contract.input
    yield contract.output
    if (item := _item(contract)) is not None:
        yield item


def _item(contract: MethodContract) -> Descriptor | None:
    """What a paged method lists."""
    if shape_of(contract) is not Shape.PAGES or not (name := items_field(contract)):
        return None
    return contract.output.fields_by_name[name].message_type


def _module(message: Descriptor) -> tuple[str, str, str]:
    """Package, module and alias of a message's generated class."""
    folder, _, name = message.file.name.removesuffix(".proto").rpartition("/")
    package = folder.replace("/", ".")
    return package, f"{name}_pb2", f"{package.split('.')[-2]}_{name}"


def _import(message: Descriptor) -> str:
    package, module, alias = _module(message)
    return f"from {package} import {module} as {alias}"


def _name(message: Descriptor) -> str:
    return f"{_module(message)[2]}.{message.full_name.removeprefix(message.file.package + '.')}"


def _classes(
    services: Mapping[str, list[MethodContract]], comments: Mapping[str, str], *, blocking: bool
) -> Iterator[str]:
    for word, methods in services.items():
        yield f"class {word.capitalize()}{'Blocking' if blocking else ''}:"
        for contract in sorted(methods, key=lambda each: each.name):
            yield from _method(contract, comments, blocking=blocking)
        yield ""


def _method(contract: MethodContract, comments: Mapping[str, str], *, blocking: bool) -> Iterable[str]:
    shape = shape_of(contract)
    if shape is Shape.SESSION:
        return [] if blocking else [f"    {contract.name}: Any"]
    types = [_name(contract.input), _name(contract.output)]
    if shape is Shape.PAGES:
        item = _item(contract)
        types.append("Any" if item is None else _name(item))
    elif shape is Shape.STREAM and not blocking:
        types[1] = "Any"
    return [
        f"    {contract.name}: {_KINDS[shape][blocking]}[{', '.join(types)}]",
        f'    """{_sentence(contract, comments)}"""',
    ]


def _sentence(contract: MethodContract, comments: Mapping[str, str]) -> str:
    """The first sentence of the method's comment."""
    words = " ".join(comments.get(f"{contract.service}.{contract.name}", contract.path).split())
    return re.split(r"(?<=[.])\s", words, maxsplit=1)[0].replace('"', "'").replace("\\", "/")
