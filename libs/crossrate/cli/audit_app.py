"""`crossrate audit`: search the tamper-evident log, prove facts, export it, and check it without believing it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from crossrate.cli.options import Comment, DryRun, Json, Who

audit_app = typer.Typer(
    help="""The log of every fact that security and money rest on; nobody can change it without being found out.

\b
Begin:
  crossrate audit status
  crossrate audit search --account alpha --type ExecutionReported
  crossrate audit show 4711                     one fact, with its proof checked
  crossrate audit export log.jsonl.gz           the whole log as JSON lines
  crossrate audit verify log.jsonl.gz --key log.pub --witness checkpoints.jsonl
  crossrate audit verify --live                 the same against the database, through the API

\b
`verify FILE` needs no mesh: only the file, the log's public key, and what a witness has kept.""",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Index = Annotated[int, typer.Argument(min=0, help="The fact's place in the log.", metavar="INDEX")]
Key = Annotated[
    str, typer.Option("--key", "-k", help="The log's public key: a file with it, or the key itself.", metavar="KEY")
]
WitnessFile = Annotated[
    Path | None, typer.Option("--witness", "-w", help="What a witness has kept.", metavar="FILE", exists=True)
]
WitnessKey = Annotated[str, typer.Option("--witness-key", help="The witness's public key, likewise.", metavar="KEY")]


@audit_app.command()
def status(client: Who = None, as_json: Json = False) -> None:
    """Show size, checkpoint, witness, alarms, and how far behind each stream the log is."""
    from crossrate.cli import audit

    audit.status(who=client, as_json=as_json)


@audit_app.command()
def checkpoint(client: Who = None, as_json: Json = False) -> None:
    """Print the newest checkpoint as it is signed and cosigned, checked with the key of this machine if it has one."""
    from crossrate.cli import audit

    audit.checkpoint(who=client, as_json=as_json)


@audit_app.command()
def search(
    person: Annotated[str, typer.Option("--person", "-p", help="Who did, asked for or approved it.")] = "",
    account: Annotated[str, typer.Option("--account", "-a", help="The account.")] = "",
    order: Annotated[str, typer.Option("--order", "-o", help="The order: either id.")] = "",
    request: Annotated[str, typer.Option("--request", help="Id of the request that caused it.")] = "",
    kind: Annotated[str, typer.Option("--type", "-t", help="ExecutionReported, KillSwitchChanged, config …")] = "",
    service: Annotated[str, typer.Option("--service", "-s", help="The service that it is from.")] = "",
    since: Annotated[str, typer.Option("--since", help="Not before: 2026-01-31, 2026-01-31T12:00:00Z, or 2h.")] = "",
    until: Annotated[str, typer.Option("--until", help="Before, likewise.")] = "",
    lines: Annotated[int, typer.Option("--lines", "-n", min=1, max=100_000, help="How many, the newest first.")] = 50,
    client: Who = None,
    as_json: Json = False,
) -> None:
    """Find facts by person, account, order, request, type, service and time, all that are given at once."""
    from crossrate.cli import audit

    fields = {
        "person": person,
        "account": account,
        "order": order,
        "request_id": request,
        "type": kind,
        "service": service,
    }
    audit.search(fields, since, until, lines, who=client, as_json=as_json)


@audit_app.command("show")
def show_fact(index: Index, client: Who = None, as_json: Json = False) -> None:
    """Show a fact, and check here that its hash leads to the signed checkpoint."""
    from crossrate.cli import audit

    audit.show_fact(index, who=client, as_json=as_json)


@audit_app.command()
def proof(index: Index, client: Who = None) -> None:
    """Print the proof that a fact stands in the log: header, hashes, checkpoint, as JSON. Whoever has it needs no
    mesh."""
    from crossrate.cli import audit

    audit.proof(index, who=client)


@audit_app.command()
def export(
    file: Annotated[Path, typer.Argument(help="JSON lines; compressed if it ends in .gz.", metavar="FILE")],
    first: Annotated[int, typer.Option("--from", min=0, help="The first fact; provable without those before.")] = 0,
    without_payloads: Annotated[
        bool, typer.Option("--without-payloads", help="For who may check the log and not read it.")
    ] = False,
    client: Who = None,
    as_json: Json = False,
) -> None:
    """Write the log up to its newest checkpoint into a file."""
    from crossrate.cli import audit_verify

    audit_verify.export(file, first, without_payloads=without_payloads, who=client, as_json=as_json)


@audit_app.command()
def verify(
    file: Annotated[
        Path | None, typer.Argument(help="An exported log; not with --live.", metavar="FILE", exists=True)
    ] = None,
    key: Key = "",
    witness: WitnessFile = None,
    witness_key: WitnessKey = "",
    live: Annotated[bool, typer.Option("--live", help="The log as it is in the database, through the API.")] = False,
    client: Who = None,
    as_json: Json = False,
) -> None:
    """Check the whole log: every leaf, tile, checkpoint and stream, against the public key and the witness.

    Exits with 1 if anything is not as it was signed, and names the first place and what is wrong. On the machine of a
    mesh --live takes its public key and its witness's file if none are given.
    """
    from crossrate.cli import audit_verify

    raise typer.Exit(audit_verify.verify(file, key, witness, witness_key, live=live, who=client, as_json=as_json))


@audit_app.command("rotate-key")
def rotate_key(
    comment: Comment,
    dry_run: DryRun = False,
    client: Who = None,
    as_json: Json = False,
) -> None:
    """Sign checkpoints with a new key from now on. Who trusts the old one can go on checking with it."""
    from crossrate.cli import audit

    audit.rotate_key(comment, dry_run=dry_run, who=client, as_json=as_json)
