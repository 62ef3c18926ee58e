"""`crossrate kill lease`: dead-man leases."""

from __future__ import annotations

from typing import Annotated

import typer

from crossrate.cli.options import DryRun, Json, Who

lease_app = typer.Typer(
    help="""Dead-man leases: whoever holds one promises to be heard from; silence engages a kill.

\b
  crossrate kill lease hold halt --scope account:alpha --silence 5      renewed until Ctrl-C
  crossrate kill lease register halt --scope account:alpha --silence 60
  crossrate kill lease renew LEASE                                       before it runs out, again and again
  crossrate kill lease release LEASE                                     in order: nothing is stopped
  crossrate kill lease list""",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Mode = Annotated[str, typer.Argument(help="cancel-only, reduce-only, halt or flatten.", metavar="MODE")]
Scope = Annotated[str, typer.Option("--scope", "-s", help="What its silence stops.")]
Silence = Annotated[float, typer.Option("--silence", help="Seconds, 1 to 3600.", min=1, max=3600)]
LeaseId = Annotated[str, typer.Argument(help="The lease's id, or `last`.", metavar="LEASE")]


@lease_app.command()
def register(
    mode: Mode,
    scope: Scope,
    silence: Silence = 30,
    dry_run: DryRun = False,
    client: Who = None,
    as_json: Json = False,
) -> None:
    """Begin a lease, for whoever renews it by calls of his own."""
    _register(mode, scope, silence, hold=False, dry_run=dry_run, who=client, as_json=as_json)


@lease_app.command()
def hold(mode: Mode, scope: Scope, silence: Silence = 30, client: Who = None, as_json: Json = False) -> None:
    """Hold a lease until Ctrl-C, which releases it; a kill of this process engages it."""
    _register(mode, scope, silence, hold=True, dry_run=False, who=client, as_json=as_json)


def _register(
    mode: str, scope: str, silence: float, *, hold: bool, dry_run: bool, who: str | None, as_json: bool
) -> None:
    from crossrate.cli import lease
    from crossrate.cli.kill_app import Mode as Modes
    from crossrate.cli.show import CommandError

    if mode not in list(Modes):
        raise CommandError(f"{mode!r} is no mode", f"give one of {', '.join(Modes)}")
    lease.register(mode, scope, silence, hold=hold, dry_run=dry_run, who=who, as_json=as_json)


@lease_app.command()
def renew(lease: LeaseId, client: Who = None, as_json: Json = False) -> None:
    """Say that you are alive: the lease has its whole time again."""
    from crossrate.cli import lease as leases

    leases.renew(lease, who=client, as_json=as_json)


@lease_app.command()
def release(lease: LeaseId, client: Who = None, as_json: Json = False) -> None:
    """End a lease in order: its silence stops nothing any more."""
    from crossrate.cli import lease as leases

    leases.release(lease, who=client, as_json=as_json)


@lease_app.command("list")
def list_leases(client: Who = None, as_json: Json = False) -> None:
    """Show the leases that are held."""
    from crossrate.cli import lease as leases

    leases.list_leases(who=client, as_json=as_json)
