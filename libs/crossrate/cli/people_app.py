"""`crossrate login …`, `users`, `grants`, `desks`, `clients`, `keys`, `sessions`: who may do what."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from crossrate.cli.options import Comment, DryRun, Json

users_app = typer.Typer(
    help="""Persons: invite them, let them in, reset what they have lost.

\b
  crossrate users invite ada --desk spot --role trader --account 'spot-*' --instrument '*'
  crossrate users list
  crossrate users reset ada --password       a recovery link; sessions end
  crossrate users disable ada -m "left"      out everywhere within seconds

\b
The first admin's one-time password is in .crossrate/identity/first-login.json. Who owns the run folder may do all of
this without a login.""",
    no_args_is_help=True,
    rich_markup_mode=None,
)
grants_app = typer.Typer(
    help="""What persons and clients may do: roles, on accounts, in instruments.

\b
  crossrate grants show ada
  crossrate grants add ada --role risk_officer
  crossrate grants remove ada --account 'spot-*'

\b
Roles: viewer, trader, quant, risk_officer, operator, auditor, admin. Accounts and instruments are names, beginnings
with * behind them, or '*'. A change is in force everywhere within ten seconds.""",
    no_args_is_help=True,
    rich_markup_mode=None,
)
desks_app = typer.Typer(
    help="Desks: the tenants that persons, clients and accounts belong to.", no_args_is_help=True, rich_markup_mode=None
)
clients_app = typer.Typer(
    help="""Programs that come in by themselves, or through which persons log in.

\b
  crossrate clients create robot --desk spot --jwks robot.jwks --role trader --account 'spot-*' --instrument '*'
  crossrate clients create recorder --desk spot --certificate local --role viewer
  crossrate clients create web --desk spot --redirect https://fx.example/callback
  crossrate clients disable robot -m "key lost" """,
    no_args_is_help=True,
    rich_markup_mode=None,
)
keys_app = typer.Typer(
    help="""API keys, for what can do no better: shown once, limited, ending by themselves.

\b
  crossrate keys create "price sheet" --of ada --role viewer --days 30
  crossrate keys list --of ada
  crossrate keys revoke k-0123456789abcdef""",
    no_args_is_help=True,
    rich_markup_mode=None,
)
sessions_app = typer.Typer(
    help="""Who is logged in, with what, from where.

\b
  crossrate sessions list
  crossrate sessions end SESSION
  crossrate sessions end --of ada -m "laptop stolen" """,
    no_args_is_help=True,
    rich_markup_mode=None,
)

Name = Annotated[str, typer.Argument(help="The person's name.", metavar="NAME")]
Subject = Annotated[str, typer.Argument(help="The person or client.", metavar="SUBJECT")]
Roles = Annotated[list[str], typer.Option("--role", "-r", help="A role; several with commas or repeated.")]
Accounts = Annotated[list[str], typer.Option("--account", "-a", help="An account, NAME* or '*'.")]
Instruments = Annotated[list[str], typer.Option("--instrument", "-i", help="EUR/USD, EUR/* or '*'.")]
Desk = Annotated[str, typer.Option("--desk", help="The desk.")]
Target = Annotated[str, typer.Option("--target", help="Another mesh's edge, HOST:PORT.")]
Roots = Annotated[Path | None, typer.Option("--ca", help="Roots to trust for --target, PEM.", exists=True)]
Jwks = Annotated[Path | None, typer.Option("--jwks", help="Its public keys, a JSON Web Key Set.", exists=True)]
RateClass = Annotated[str, typer.Option("--rate-class", help="low, standard or high.")]


def login(
    device: Annotated[bool, typer.Option("--device", help="With a code to type on another device.")] = False,
    step_up: Annotated[bool, typer.Option("--step-up", help="Prove a second factor now.")] = False,
    target: Target = "",
    ca: Roots = None,
    as_json: Json = False,
) -> None:
    """Log in as a person: in this machine's browser, or with a code on another device.

    All programs of this account that use the SDK or this command share the session.
    """
    from crossrate.cli import logins

    logins.login(target, ca, device=device, step_up=step_up, as_json=as_json)


def logout(target: Target = "", ca: Roots = None, as_json: Json = False) -> None:
    """End the session that `crossrate login` began."""
    from crossrate.cli import logins

    logins.logout(target, ca, as_json=as_json)


def whoami(target: Target = "", ca: Roots = None, as_json: Json = False) -> None:
    """Show who calls are made as, and what that may do."""
    from crossrate.cli import logins

    logins.whoami(target, ca, as_json=as_json)


def token(target: Target = "", ca: Roots = None, as_json: Json = False) -> None:
    """Print an access token for another program.

    curl -H "authorization: Bearer $(crossrate token)" …
    """
    from crossrate.cli import logins

    logins.token(target, ca, as_json=as_json)


@users_app.command("invite")
def users_invite(
    name: Name,
    desk: Desk = "main",
    display_name: Annotated[str, typer.Option("--name", help="What others see.")] = "",
    email: Annotated[str, typer.Option("--email", help="Kept with the person; nothing is sent.")] = "",
    roles: Roles = [],  # noqa: B006
    accounts: Accounts = [],  # noqa: B006
    instruments: Instruments = [],  # noqa: B006
    as_json: Json = False,
) -> None:
    """Enter a person, and print the link by which the person sets a password."""
    from crossrate.cli import people

    may = people.access(roles, accounts, instruments)
    people.invite(name, desk, display_name, email, may, as_json=as_json)


@users_app.command("list")
def users_list(desk: Desk = "", as_json: Json = False) -> None:
    """List persons."""
    from crossrate.cli import people

    people.list_users(desk, as_json=as_json)


@users_app.command("show")
def users_show(name: Name, as_json: Json = False) -> None:
    """Show one person."""
    from crossrate.cli import people

    people.show_user(name, as_json=as_json)


@users_app.command("disable")
def users_disable(name: Name, comment: Comment = "", as_json: Json = False) -> None:
    """Let a person in no more; every session ends."""
    from crossrate.cli import people

    people.set_state(name, True, comment, as_json=as_json)


@users_app.command("enable")
def users_enable(name: Name, comment: Comment = "", as_json: Json = False) -> None:
    """Let a person in again."""
    from crossrate.cli import people

    people.set_state(name, False, comment, as_json=as_json)


@users_app.command("reset")
def users_reset(
    name: Name,
    password: Annotated[bool, typer.Option("--password", help="Take the password away and print a link.")] = False,
    factors: Annotated[bool, typer.Option("--second-factors", help="Take codes and passkeys away.")] = False,
    comment: Comment = "",
    as_json: Json = False,
) -> None:
    """Unlock a person, and take away what was lost."""
    from crossrate.cli import people

    people.reset(name, password, factors, comment, as_json=as_json)


@grants_app.command("show")
def grants_show(subject: Subject, as_json: Json = False) -> None:
    """Show what somebody may do."""
    from crossrate.cli import people

    people.show_access(subject, as_json=as_json)


@grants_app.command("add")
def grants_add(
    subject: Subject,
    roles: Roles = [],  # noqa: B006
    accounts: Accounts = [],  # noqa: B006
    instruments: Instruments = [],  # noqa: B006
    comment: Comment = "",
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Grant roles, accounts and instruments on top."""
    from crossrate.cli import people

    may = people.access(roles, accounts, instruments)
    people.change_access(subject, may, comment, take=False, dry_run=dry_run, as_json=as_json)


@grants_app.command("remove")
def grants_remove(
    subject: Subject,
    roles: Roles = [],  # noqa: B006
    accounts: Accounts = [],  # noqa: B006
    instruments: Instruments = [],  # noqa: B006
    comment: Comment = "",
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Take roles, accounts and instruments away."""
    from crossrate.cli import people

    may = people.access(roles, accounts, instruments)
    people.change_access(subject, may, comment, take=True, dry_run=dry_run, as_json=as_json)


@desks_app.command("create")
def desks_create(
    name: Annotated[str, typer.Argument(help="Its name.", metavar="DESK")],
    display_name: Annotated[str, typer.Option("--name", help="What people see.")] = "",
    as_json: Json = False,
) -> None:
    """Open a desk."""
    from crossrate.cli import people

    people.create_desk(name, display_name, as_json=as_json)


@desks_app.command("list")
def desks_list(as_json: Json = False) -> None:
    """List desks."""
    from crossrate.cli import people

    people.list_desks(as_json=as_json)


@clients_app.command("create")
def clients_create(
    name: Name,
    desk: Desk = "main",
    jwks: Jwks = None,
    certificate: Annotated[
        str, typer.Option("--certificate", help="A client of the topology whose certificate it shows.")
    ] = "",
    redirect: Annotated[list[str], typer.Option("--redirect", help="Where persons are sent back to.")] = [],  # noqa: B006
    roles: Roles = [],  # noqa: B006
    accounts: Accounts = [],  # noqa: B006
    instruments: Instruments = [],  # noqa: B006
    rate_class: RateClass = "standard",
    as_json: Json = False,
) -> None:
    """Register a program, by its public keys, its certificate, or where it sends persons."""
    from crossrate.cli import people, programs

    may = people.access(roles, accounts, instruments)
    programs.create_client(
        name,
        desk,
        may,
        jwks=jwks,
        certificate=certificate,
        redirect_uris=redirect,
        rate_class=rate_class,
        as_json=as_json,
    )


@clients_app.command("list")
def clients_list(as_json: Json = False) -> None:
    """List programs."""
    from crossrate.cli import programs

    programs.list_clients(as_json=as_json)


@clients_app.command("show")
def clients_show(name: Name, as_json: Json = False) -> None:
    """Show one program."""
    from crossrate.cli import programs

    programs.show_client(name, as_json=as_json)


@clients_app.command("rekey")
def clients_rekey(
    name: Name,
    jwks: Annotated[Path, typer.Argument(help="Its public keys from now on.", exists=True, metavar="JWKS")],
    as_json: Json = False,
) -> None:
    """Replace a program's public keys."""
    from crossrate.cli import programs

    programs.set_client(name, disabled=None, jwks=jwks, comment="", as_json=as_json)


@clients_app.command("disable")
def clients_disable(name: Name, comment: Comment = "", as_json: Json = False) -> None:
    """Let a program in no more; its sessions end."""
    from crossrate.cli import programs

    programs.set_client(name, disabled=True, jwks=None, comment=comment, as_json=as_json)


@clients_app.command("enable")
def clients_enable(name: Name, comment: Comment = "", as_json: Json = False) -> None:
    """Let a program in again."""
    from crossrate.cli import programs

    programs.set_client(name, disabled=False, jwks=None, comment=comment, as_json=as_json)


@keys_app.command("create")
def keys_create(
    display_name: Annotated[str, typer.Argument(help="What it is for.", metavar="PURPOSE")],
    subject: Annotated[str, typer.Option("--of", help="Whose it is; yours if left out.")] = "",
    roles: Roles = [],  # noqa: B006
    accounts: Accounts = [],  # noqa: B006
    instruments: Instruments = [],  # noqa: B006
    days: Annotated[int, typer.Option("--days", min=0, max=366, help="How long it works; 0 for 90 days.")] = 0,
    rate_class: RateClass = "low",
    as_json: Json = False,
) -> None:
    """Make an API key and print its secret, once."""
    from crossrate.cli import people, programs

    may = people.access(roles, accounts, instruments) if roles or accounts or instruments else None
    programs.create_key(subject, display_name, may, days, rate_class, as_json=as_json)


@keys_app.command("list")
def keys_list(
    subject: Annotated[str, typer.Option("--of", help="Whose; yours if left out.")] = "", as_json: Json = False
) -> None:
    """List API keys."""
    from crossrate.cli import programs

    programs.list_keys(subject, as_json=as_json)


@keys_app.command("revoke")
def keys_revoke(
    key: Annotated[str, typer.Argument(help="Its id.", metavar="KEY")], comment: Comment = "", as_json: Json = False
) -> None:
    """End an API key."""
    from crossrate.cli import programs

    programs.revoke_key(key, comment, as_json=as_json)


@sessions_app.command("list")
def sessions_list(
    subject: Annotated[str, typer.Option("--of", help="Whose; everybody's if left out.")] = "", as_json: Json = False
) -> None:
    """List open sessions, newest first."""
    from crossrate.cli import programs

    programs.list_sessions(subject, as_json=as_json)


@sessions_app.command("end")
def sessions_end(
    session: Annotated[str, typer.Argument(help="A session's id.", metavar="SESSION")] = "",
    subject: Annotated[str, typer.Option("--of", help="All of a person or client instead.")] = "",
    comment: Comment = "",
    as_json: Json = False,
) -> None:
    """End sessions: tokens and streams are refused within ten seconds."""
    from crossrate.cli import programs

    programs.end_sessions(session, subject, comment, as_json=as_json)
