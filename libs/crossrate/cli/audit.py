"""What `crossrate audit` shows."""

from __future__ import annotations

import base64
import json
import re
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from crossrate.cli import show
from crossrate.cli.desk import connected, word
from crossrate.cli.requests import as_dict
from crossrate.cli.show import CommandError
from crossrate.client import Client
from crossrate.rpc.values import from_struct
from crossrate.runtime.place import place
from crossrate.transparency.checkpoint import open_checkpoint
from crossrate.transparency.note import NoteError, Verifier
from crossrate.transparency.tree import ProofError, hash_leaf, verify_inclusion

PAGE = 500
_AGO = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def own_keys() -> list[Verifier]:
    """The first public key of this machine's log; none if it has none. Later ones follow from the log."""
    path = place().state / "audit" / "1.pub"
    return [Verifier.parse(path.read_text())] if path.exists() else []


def status(*, who: str | None, as_json: bool) -> None:
    """How the log is."""
    with connected(who) as client:
        found = client.audit.GetAuditStatus()
    if as_json:
        show.document(as_dict(found))
        return
    signed = found.checkpoint
    behind = f", of them {found.size - signed.size} not signed yet" if found.size > signed.size else ""
    show.console().print(f"{found.origin}: {found.size:,} facts{behind}", markup=False)
    if signed.size:
        root = base64.b64encode(signed.root).decode()
        show.console().print(f"checkpoint {signed.size:,} of {_time(signed.time)}, root {root}", markup=False)
    _witness(found.witness)
    rows = [(each.stream, each.position, each.last) for each in found.streams]
    show.table(("stream", "read to ", "ends at "), rows)
    if found.missing:
        show.console().print(show.mark(f"{found.missing} facts never came: `crossrate audit search -t GapFound`", None))
    for alarm in found.alarms:
        show.console().print(show.mark("ALARM", False), alarm, markup=False)
    if found.error:
        show.console().print(show.mark("waits", None), found.error, markup=False)


def _witness(witness: Any) -> None:
    state = word(witness, "state")
    good = {"AGREES": True, "REFUSES": False}.get(state)
    seen = f"has seen {witness.size:,}" if witness.size else ""
    show.console().print("witness", show.mark(state.lower(), good), seen, witness.reason, markup=False)


def checkpoint(*, who: str | None, as_json: bool) -> None:
    """The newest checkpoint."""
    with connected(who) as client:
        found = client.audit.GetCheckpoint()
    if as_json:
        show.document(as_dict(found))
        return
    print(found.checkpoint.note, end="")
    show.note(_trust(found.checkpoint.note, [key.key for key in found.keys]))


def _trust(note: str, told: list[str]) -> str:
    """Whether a checkpoint is signed by the key of this machine, in words."""
    known = own_keys()
    if not known:
        return "this machine has no public key of the log: nothing was checked"
    # A newer key is believed here only for a look; `verify` follows the log from the first to the newest.
    keys = known + [Verifier.parse(each) for each in told[1:] if told[0] == str(known[0])]
    try:
        open_checkpoint(note, known[0].name, keys)
    except NoteError as error:
        raise CommandError(f"the checkpoint is not by the key of this machine: {error}", "run it with verify") from None
    return f"signed by {known[0].name}, key {keys[-1].id.hex()}"


def search(fields: dict[str, str], since: str, until: str, lines: int, *, who: str | None, as_json: bool) -> None:
    """Facts, the newest first."""
    bounds = {name: moment for name, text in (("start_time", since), ("end_time", until)) if (moment := _moment(text))}
    criteria = {name: value for name, value in fields.items() if value} | bounds
    if not criteria:
        raise CommandError("nothing to search for", "give --person, --account, --order, --type or another: see --help")
    facts: list[Any] = []
    with connected(who) as client:
        token = ""
        while len(facts) < lines:
            size = min(PAGE, lines - len(facts))
            page = client.audit.SearchFacts(**criteria, page_size=size, page_token=token)
            facts += page.facts
            if not (token := page.next_page_token):
                break
    if as_json:
        for fact in facts:
            show.line(_document(fact))
        return
    rows = [
        (
            fact.index,
            _time(fact.leaf.time),
            fact.leaf.service,
            fact.leaf.type.rpartition(".")[2],
            f"{fact.leaf.stream} {fact.leaf.sequence}",
            ", ".join(each for each in fact.leaf.keys if not each.startswith("request:")),
        )
        for fact in facts
    ]
    show.table(("fact ", "time", "service", "type", "stream", "of"), rows)
    if token:
        show.note(f"there are more: --lines {lines * 10}, or narrow it")


def _moment(text: str) -> datetime | None:
    if not text:
        return None
    if ago := re.fullmatch(r"([0-9]{1,6})([smhd])", text):
        return datetime.now(UTC) - timedelta(seconds=int(ago[1]) * _AGO[ago[2]])
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        words = "give a date, a time as 2026-01-31T12:00:00Z, or how long ago as 30m, 2h, 7d"
        raise CommandError(f"{text!r} is no time", words) from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def show_fact(index: int, *, who: str | None, as_json: bool) -> None:
    """A fact with its proof."""
    with connected(who) as client:
        fact = client.audit.GetFact(index=index).fact
        words, good = _prove(client, index, fact.leaf_data)
    if as_json:
        show.document(_document(fact) | {"proved": good, "proof": words})
        return
    leaf = fact.leaf
    rows = [
        ("time", _time(leaf.time)),
        ("in the log since", _time(leaf.log_time)),
        ("service", leaf.service),
        ("stream", f"{leaf.stream}, number {leaf.sequence}"),
        ("type", leaf.type),
        ("subject", leaf.subject),
        ("request", leaf.request_id),
        ("of", ", ".join(leaf.keys)),
        ("hash", base64.b64encode(fact.leaf_hash).decode()),
        ("proof", show.mark(words, good)),
    ]
    show.table((f"fact {index}", ""), rows)
    if fact.HasField("body"):
        show.document(from_struct(fact.body))
    else:
        show.note("its payload was dropped by age" if fact.dropped else "its payload is not readable here")


def _prove(client: Client, index: int, data: bytes) -> tuple[str, bool]:
    """Checks a fact's inclusion here; what came of it, in words."""
    found = client.audit.GetInclusionProof(index=index)
    told = [key.key for key in client.audit.GetCheckpoint().keys]
    try:
        trust = _trust(found.checkpoint.note, told)
        known = own_keys()
        name = known[0].name if known else found.checkpoint.note.partition("\n")[0]
        keys = known + [Verifier.parse(each) for each in told]
        signed = open_checkpoint(found.checkpoint.note, name, keys)
        verify_inclusion(index, signed.size, hash_leaf(data), found.hashes, signed.root)
    except (ProofError, NoteError, CommandError) as error:
        return str(error), False
    return f"stands in the checkpoint of {signed.size:,} facts, {trust}", True


def proof(index: int, *, who: str | None) -> None:
    """A proof as JSON."""
    with connected(who) as client:
        found = client.audit.GetInclusionProof(index=index)
    print(
        json.dumps(
            {
                "index": index,
                "leaf_data": base64.b64encode(found.leaf_data).decode(),
                "leaf_hash": base64.b64encode(found.leaf_hash).decode(),
                "hashes": [base64.b64encode(each).decode() for each in found.hashes],
                "checkpoint": found.checkpoint.note,
            },
            indent=2,
            ensure_ascii=False,
        )
    )


def rotate_key(comment: str, *, dry_run: bool, who: str | None, as_json: bool) -> None:
    """A new key."""
    with connected(who) as client:
        answer = client.audit.RotateSigningKey(request_id=str(uuid.uuid4()), comment=comment, validate_only=dry_run)
    if as_json:
        show.document(as_dict(answer))
    elif dry_run:
        show.console().print("the key could be changed; nothing was")
    else:
        show.console().print(
            f"key {answer.key.number} since fact {answer.key.since_index}: {answer.key.key}", markup=False
        )


def _document(fact: Any) -> dict[str, Any]:
    return as_dict(fact) | ({"body": from_struct(fact.body)} if fact.HasField("body") else {})


def _time(stamp: Any) -> str:
    return stamp.ToDatetime().strftime("%Y-%m-%d %H:%M:%S.%f")[:-3] if stamp.seconds else ""
