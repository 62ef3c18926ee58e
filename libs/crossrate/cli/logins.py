"""What `crossrate login`, `logout`, `whoami` and `token` do."""

from __future__ import annotations

import datetime as dt
import os
import sys
from pathlib import Path
from typing import Any

from crossrate.cli import show
from crossrate.cli.show import CommandError
from crossrate.client.find import DEFAULT_CLIENT, NoMesh, local_target, roots
from crossrate.client.tokens import (
    COMMAND_LINE,
    Endpoint,
    LoginNeeded,
    claims_of,
    forget_login,
    keep_login,
    kept_login,
    stored_login,
)


def endpoint(target: str, ca: Path | None) -> Endpoint:
    """The mesh that is meant: a named one, else the one of this machine."""
    try:
        return Endpoint(target or local_target(), ca)
    except NoMesh as error:
        raise CommandError(str(error)) from None


def _has_screen() -> bool:
    return sys.platform == "darwin" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def login(target: str, ca: Path | None, *, device: bool, step_up: bool, as_json: bool) -> None:
    """Logs a person in and keeps the session for all programs of this account."""
    from crossrate.client.login import by_browser, by_device

    where = endpoint(target, ca)

    def open_page(address: str) -> None:
        show.aside().print(f"open {address}", soft_wrap=True, markup=False)
        if _has_screen():
            import webbrowser

            webbrowser.open(address)

    def tell(asked: dict[str, Any]) -> None:
        if as_json:
            show.line({name: asked[name] for name in asked if name != "device_code"})
            return
        place, code = asked["verification_uri"], asked["user_code"]
        show.aside().print(f"open {place} on any device and type {code}", markup=False)

    try:
        if device or not _has_screen():
            told = by_device(where, tell, step_up=step_up)
        else:
            told = by_browser(where, step_up=step_up, open_page=open_page)
        if "access_token" not in told:
            raise LoginNeeded(str(told.get("error_description") or told.get("error")))
        keep_login(where.target, told, roots(ca) if ca is not None else None)
    except LoginNeeded as error:
        raise CommandError(str(error), f"{where.issuer}/login/ says more; an admin invites and resets") from None
    _show(where.target, claims_of(told["access_token"]), as_json=as_json)


def logout(target: str, ca: Path | None, *, as_json: bool) -> None:
    """Ends the session and forgets it."""
    where = endpoint(target, ca)
    kept = kept_login(where.target)
    if kept is not None:
        try:
            where.post("/oauth2/revoke", {"token": kept["refresh_token"], "client_id": COMMAND_LINE})
        except LoginNeeded as error:
            forget_login(where.target)
            raise CommandError(
                f"the login is forgotten here, but the session goes on: {error}", "end it under /account/"
            ) from None
        forget_login(where.target)
    if as_json:
        show.document({"target": where.target, "loggedOut": kept is not None})
    else:
        words = "logged out of" if kept is not None else "nobody was logged in to"
        show.console().print(f"{words} {where.target}", markup=False)


def whoami(target: str, ca: Path | None, *, as_json: bool) -> None:
    """Who calls are made as."""
    where = endpoint(target, ca)
    source = stored_login(where.target, ca=ca)
    if source is None:
        certificate = "" if target else DEFAULT_CLIENT
        if as_json:
            show.document({"target": where.target, "client": certificate})
        else:
            words = f"client {certificate}, by its certificate" if certificate else "nobody"
            show.console().print(f"{words}, at {where.target}", markup=False)
            show.note("`crossrate login` makes it a person")
        return
    try:
        token = source.current()
    except LoginNeeded as error:
        raise CommandError(str(error)) from None
    with where.open() as client:
        answer = client.get("/oauth2/userinfo", headers={"authorization": f"Bearer {token}"})
    if answer.status_code != 200:
        raise CommandError("the session is over, or what you may do has changed", "`crossrate login`")
    _show(where.target, answer.json(), as_json=as_json)


def token(target: str, ca: Path | None, *, as_json: bool) -> None:
    """A token that is good now, for other programs."""
    where = endpoint(target, ca)
    source = stored_login(where.target, ca=ca)
    if source is None:
        raise CommandError(f"nobody is logged in to {where.target}", "`crossrate login`")
    try:
        value = source.current()
    except LoginNeeded as error:
        raise CommandError(str(error)) from None
    if as_json:
        show.document({"accessToken": value, "claims": claims_of(value)})
    else:
        print(value)


def _show(target: str, said: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        show.document({"target": target, **said})
        return
    until = dt.datetime.fromtimestamp(said["exp"], dt.UTC).strftime("%H:%M:%S")
    rows = [
        ("person", f"{said['name']} ({said['sub']})" if said["name"] != said["sub"] else said["sub"]),
        ("desk", said["desk"]),
        ("roles", ", ".join(said["roles"]) or "none"),
        ("accounts", ", ".join(said["accounts"]) or "none"),
        ("instruments", ", ".join(said.get("instruments", ["*"])) or "none"),
        ("proved by", f"{', '.join(said['amr'])} (acr {said['acr']})"),
        ("mesh", f"{target}, token until {until} UTC"),
    ]
    show.table(("", ""), rows)
