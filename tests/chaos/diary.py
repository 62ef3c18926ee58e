"""What clients of orders asked for and were told: a file of JSON lines, each on disk before the client goes on.

what     is written
sent     before a call: nobody can be told of an order that is not here
answered after its answer: from here on it is promised
refused  after an error that says that nothing was done
silent   after an attempt whose outcome the client does not know
"""

from __future__ import annotations

import collections
import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from google.protobuf.message import Message


def digest(message: Message) -> str:
    """What tells one message from another."""
    return hashlib.sha256(message.SerializeToString(deterministic=True)).hexdigest()


@dataclass
class Asked:
    """One operation of a client, all its attempts together.

    Attributes:
        call: "place", "list", "cancel", "amend", "cancel all".
        account: whose.
        orders: client ids of the orders that it is about.
        told: order ids and statuses by client id, as answered.
        answers: digests of all answers.
        errors: names of the errors, final and not.
        silent: how many attempts had no outcome.
        round: in which it was begun.
    """

    call: str
    account: str
    orders: list[str]
    round: int
    told: dict[str, tuple[str, int]] = field(default_factory=dict)
    answers: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    silent: int = 0


class Diary:
    """See the module."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("ab", buffering=0)
        self.path = path
        self.round = 0

    def write(self, what: str, op: str, **content: Any) -> None:
        """One line, on disk when this returns."""
        line = json.dumps({"what": what, "op": op, "round": self.round, **content}, separators=(",", ":"))
        self._file.write(line.encode() + b"\n")
        os.fdatasync(self._file.fileno())

    def close(self) -> None:
        """Ends it."""
        self._file.close()


class Promises:
    """What a diary says, read line by line as it grows."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._at = 0
        self.asked: dict[str, Asked] = {}
        self.events: collections.Counter[str] = collections.Counter()
        self.silences: list[str] = []
        """What attempts without an outcome were told, in their order."""

    def read(self) -> None:
        """Takes what was written since."""
        for line in self._lines():
            entry = json.loads(line)
            what, op = entry["what"], entry["op"]
            self.events[what] += 1
            if what == "sent":
                new = Asked(entry["call"], entry["account"], entry["orders"], entry["round"])
                self.asked.setdefault(op, new)
            elif what == "answered":
                self.asked[op].told |= {name: (order, status) for name, order, status in entry["told"]}
                self.asked[op].answers.append(entry["digest"])
            else:
                self.asked[op].errors.append(entry["error"])
                if what == "silent":
                    self.asked[op].silent += 1
                    self.silences.append(f"{self.asked[op].call}: {entry['error']}")

    def _lines(self) -> Iterator[bytes]:
        with self._path.open("rb") as file:
            file.seek(self._at)
            yield from file
            self._at = file.tell()

    def sent(self) -> set[tuple[str, str]]:
        """Accounts and client ids of all orders that were ever sent."""
        return {(ask.account, name) for ask in self.asked.values() if ask.call in ENTRIES for name in ask.orders}

    def promised(self) -> dict[tuple[str, str], tuple[str, int]]:
        """Order ids and statuses of all orders whose entry was answered, by account and client id."""
        return {
            (ask.account, name): told
            for ask in self.asked.values()
            if ask.call in ENTRIES
            for name, told in ask.told.items()
        }


ENTRIES = ("place", "list")
"""The calls that enter orders."""
