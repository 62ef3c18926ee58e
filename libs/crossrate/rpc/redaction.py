"""Messages as people may see them: JSON with every field shown, hashed or removed as its policy says.

Logs, taps and comparisons show messages only through here. The policy of a field holds wherever its message appears:
nested, repeated, in a map, in an Any. A field with a policy is replaced as a whole.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from typing import Any

from google.protobuf import descriptor_pool, json_format
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from crossrate.api.policy.v1 import policy_pb2

REMOVED = "REDACTED"
HASH_DIGITS = 16
_ANY = "google.protobuf.Any"
_OWN_JSON = ("google.protobuf.",)


class Redaction:
    """Shows messages. `key` makes hashes: processes with the same key give equal values equal hashes."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._sensitive: dict[str, bool] = {}

    @classmethod
    def from_environment(cls) -> Redaction:
        """With the key in CROSSRATE_REDACTION_KEY (hexadecimal), else with one that only this process knows.

        Raises:
            ValueError: the setting is not hexadecimal.
        """
        return cls(bytes.fromhex(os.environ.get("CROSSRATE_REDACTION_KEY", "")) or os.urandom(32))

    def to_json(self, message: Message) -> str:
        """The message as one line of JSON, redacted."""
        return json.dumps(self.to_dict(message), ensure_ascii=False, separators=(",", ":"))

    def to_dict(self, message: Message) -> Any:
        """The message in its JSON form, redacted."""
        shown = json_format.MessageToDict(message)
        if self._is_sensitive(message.DESCRIPTOR):
            self._redact(shown, message.DESCRIPTOR)
        return shown

    def _is_sensitive(self, message: Descriptor) -> bool:
        known = self._sensitive.get(message.full_name)
        if known is None:
            known = self._sensitive[message.full_name] = _sensitive(message, set())
        return known

    def _redact(self, shown: Any, message: Descriptor) -> None:
        if message.full_name == _ANY:
            self._redact_any(shown)
            return
        if not isinstance(shown, dict) or message.full_name.startswith(_OWN_JSON):
            return
        for field in message.fields:
            if field.json_name not in shown:
                continue
            value = shown[field.json_name]
            match _policy(field):
                case policy_pb2.REDACTION_REMOVE:
                    shown[field.json_name] = REMOVED
                case policy_pb2.REDACTION_HASH:
                    shown[field.json_name] = self._hash(value)
                case _ if field.message_type is not None and self._is_sensitive(field.message_type):
                    self._redact_inside(value, field)

    def _redact_inside(self, value: Any, field: FieldDescriptor) -> None:
        kind = field.message_type
        if kind.GetOptions().map_entry:
            kind = kind.fields_by_name["value"].message_type
            values = list(value.values())
        else:
            values = value if field.is_repeated else [value]
        for each in values:
            if kind is not None:
                self._redact(each, kind)

    def _redact_any(self, shown: Any) -> None:
        name = str(shown.get("@type", "")).rpartition("/")[2] if isinstance(shown, dict) else ""
        try:
            inner = descriptor_pool.Default().FindMessageTypeByName(name)
        except KeyError:
            return
        self._redact(shown.get("value") if inner.full_name == _ANY else shown, inner)

    def _hash(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._hash(each) for each in value]
        text = value if isinstance(value, str) else json.dumps(value, sort_keys=True)
        return "#" + hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()[:HASH_DIGITS]


def _policy(field: FieldDescriptor) -> int:
    options = field.GetOptions()
    if not options.HasExtension(policy_pb2.field):
        return policy_pb2.REDACTION_NONE
    return options.Extensions[policy_pb2.field].redaction


def _sensitive(message: Descriptor, seen: set[str]) -> bool:
    if message.full_name == _ANY:
        return True
    if message.full_name in seen:
        return False
    seen.add(message.full_name)
    return any(
        _policy(field) in (policy_pb2.REDACTION_HASH, policy_pb2.REDACTION_REMOVE)
        or (field.message_type is not None and _sensitive(field.message_type, seen))
        for field in message.fields
    )
