"""Envoy's API: its messages from a descriptor set in a pool of their own.

The package that carries them (xds-protos) replaces files of two others, so it is never installed; `scripts/generate
--envoy` reads the descriptors out of it.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory
from google.protobuf.message import Message

DESCRIPTORS = Path(__file__).with_name("envoy_api.binpb")
TYPE_PREFIX = "type.googleapis.com/"


class ResourceError(ValueError):
    """A resource is not what Envoy's API says; the message names the field."""


@functools.cache
def pool() -> descriptor_pool.DescriptorPool:
    """The pool with Envoy's API."""
    files = descriptor_pb2.FileDescriptorSet.FromString(DESCRIPTORS.read_bytes())
    result = descriptor_pool.DescriptorPool()
    for file in files.file:
        result.Add(file)
    return result


@functools.cache
def message_class(full_name: str) -> type[Message]:
    """The class of a message ("envoy.config.cluster.v3.Cluster").

    Raises:
        KeyError: the descriptor set does not have it; add its file to scripts/extract_envoy_api.py.
    """
    return message_factory.GetMessageClass(pool().FindMessageTypeByName(full_name))


def parse(full_name: str, document: Mapping[str, Any]) -> Message:
    """A message from its JSON form, messages in Any included.

    Raises:
        ResourceError: a field does not exist or has a value of another type.
    """
    try:
        return json_format.ParseDict(document, message_class(full_name)(), descriptor_pool=pool())
    except (json_format.ParseError, TypeError) as error:
        raise ResourceError(f"{full_name}: {error}") from error


def extension(name: str, type_name: str, config: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """An extension in JSON form: its registered name and its configuration in Any."""
    return {"name": name, "typed_config": {"@type": TYPE_PREFIX + type_name, **(config or {})}}
