"""`up`, `down`, `status`, `restart` and `logs`: the processes of the mesh."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from crossrate.cli import show
from crossrate.cli.show import CommandError
from crossrate.node import client as node
from crossrate.node.leftovers import AlreadyRunning
from crossrate.node.progress import MESH, OnProgress, Progress
from crossrate.runtime.place import place

FOLLOW_S = 0.2
"""How often followed logs are looked at."""


@contextmanager
def progress(what: str, *, as_json: bool) -> Iterator[OnProgress]:
    """Shows what a start, a stop or a restart tells: a line a process on a terminal or pipe, JSON lines otherwise."""
    if as_json:
        yield lambda p: None
        return
    if not show.aside().is_terminal:
        yield lambda p: show.aside().print(
            f"{p.elapsed_s:6.2f} s  {p.name} {p.state} {p.detail}".rstrip(), markup=False
        )
        return
    seen: dict[str, Progress] = {}
    with show.aside().status(what) as status:

        def told(p: Progress) -> None:
            seen[p.name] = p
            waiting = [q.name for q in seen.values() if q.state not in ("ready", "stopped", MESH) and q.name != MESH]
            status.update(f"{what} [dim]{p.elapsed_s:.1f} s[/]  {', '.join(waiting)}")

        yield told


def up(*, as_json: bool) -> None:
    """Starts the mesh in the background."""
    began = time.monotonic()
    try:
        with progress("starting the mesh", as_json=as_json) as told:
            node.start_detached(place(), told)
    except AlreadyRunning as error:
        if as_json:
            show.document({"state": "running", "started": False, "edge": f"localhost:{_edge_port()}"})
        else:
            show.console().print(str(error), markup=False)
        return
    took_s = time.monotonic() - began
    if as_json:
        show.document({"state": "healthy", "started": True, "edge": f"localhost:{_edge_port()}", "seconds": took_s})
        return
    show.console().print(f"[green]healthy[/] after {took_s:.1f} s at https://localhost:{_edge_port()}")
    first = place().state / "identity" / "first-login.json"
    if first.exists():
        show.note(f"the first admin's one-time password is in {first}")
    show.note('try: crossrate call GetQuote \'{"base": "EUR", "counter": "USD"}\'   crossrate status')


def _edge_port() -> int:
    return json.loads(place().ports.read_text())["edge"]


def down(*, as_json: bool) -> None:
    """Stops the mesh; state stays."""
    with progress("stopping the mesh", as_json=as_json) as told:
        stopped = node.stop(place(), told)
    if as_json:
        show.document({"stopped": stopped})
    else:
        show.console().print("stopped" if stopped else f"no mesh was running in {place().state}", markup=False)


def restart(service: str, *, as_json: bool) -> None:
    """Restarts a service without a failed call."""
    began = time.monotonic()
    with node.NodeClient(place()) as asked, progress(f"restarting {service}", as_json=as_json) as told:
        names = asked.restart(service, told)
    took_s = time.monotonic() - began
    if as_json:
        show.document({"service": service, "instances": names, "seconds": took_s})
    else:
        show.console().print(f"{', '.join(names)} took over after {took_s:.1f} s")


def status(*, as_json: bool) -> None:
    """Every process with what the node, the control plane and the certificates say of it."""
    with node.NodeClient(place(), timeout_s=20) as asked:
        whole = asked.status()
    whole.pop("ok", None)
    whole |= _told_by_control()
    instances = {i["name"]: i for i in whole["instances"]}
    proxies = {p["name"]: p for p in whole["proxies"]}
    ages = {c["identity"]: c for c in whole["certificates"]}
    for process in whole["processes"]:
        instance, proxy = instances.get(process["name"]), proxies.get(process["name"])
        identity = (instance or {}).get("identity", "") or _proxy_identity(process["name"], ages)
        certificate = ages.get(identity, {})
        process |= {
            "health": _health(process, instance, proxy),
            "identity": identity,
            "certificateAgeS": certificate.get("ageS"),
            "configVersion": int(instance["configVersion"]) if instance else None,
            "configError": (instance or {}).get("configError", ""),
        }
    if as_json:
        show.document(whole)
    else:
        _show_status(whole)


def _proxy_identity(name: str, known: dict[str, Any]) -> str:
    """The identity of a proxy that has one of its own: the edge, a sidecar. A node proxy carries those of all."""
    word = name.removeprefix("sidecar-")
    return next((identity for identity in known if identity.endswith(f"/{word}")), "")


def _told_by_control() -> dict[str, Any]:
    """What the control plane knows; empty with its error when it does not answer: the rest is worth showing."""
    from crossrate.api.control.v1 import control_service_pb2 as pb
    from crossrate.cli import operate
    from crossrate.cli.requests import as_dict
    from crossrate.rpc.call_error import CallError

    async def both(stub: Any) -> tuple[Any, Any]:
        mesh = await stub.GetMeshStatus(pb.GetMeshStatusRequest(), timeout=3)
        return mesh, await stub.ListCertificates(pb.ListCertificatesRequest(), timeout=3)

    try:
        mesh, certificates = operate.ask(both)
    except (CallError, CommandError) as error:
        told = {"instances": [], "proxies": [], "snapshotVersion": None, "certificates": []}
        return told | {"controlError": show.describe(error)["message"]}
    return as_dict(mesh) | {"certificates": operate.certificates(certificates.certificates), "controlError": ""}


def _health(process: dict[str, Any], instance: dict[str, Any] | None, proxy: dict[str, Any] | None) -> str:
    if instance:
        return instance["health"].removeprefix("INSTANCE_HEALTH_").lower().replace("_", " ")
    if proxy:
        refused = next((a["refusal"] for a in proxy["acknowledgements"] if a["refusal"]), "")
        return f"refuses: {refused}" if refused else "connected" if proxy["connected"] else "cut off from control"
    return process["state"]


def _show_status(whole: dict[str, Any]) -> None:
    rows = []
    for p in whole["processes"]:
        good = p["health"] in ("ready", "serving", "connected")
        age = "" if p["certificateAgeS"] is None else show.seconds(p["certificateAgeS"])
        running = show.seconds(time.time() - p["started"]) if p["started"] else ""
        config = (
            "" if p["configVersion"] is None else f"{p['configVersion']}{' refused newer' if p['configError'] else ''}"
        )
        state = show.mark(p["health"], good or None if p["state"] != "failed" else False)
        identity = p["identity"].removeprefix("spiffe://")
        rows.append(
            (
                p["name"],
                p["pid"] or "",
                state,
                running,
                p["restarts"],
                f"{p['pss_kib'] / 1024:.1f}",
                identity,
                age,
                config,
            )
        )
    columns = ("process", "pid ", "health", "up ", "restarts ", "PSS MiB ", "identity", "certificate ", "config ")
    show.table(columns, rows)
    state = show.mark(whole["state"], whole["state"] == "healthy" or None)
    total = f", layout {whole['layout']}, edge https://localhost:{whole['ports'].get('edge')}"
    memory = f", {whole['pss_kib'] / 1024:.0f} MiB in all, snapshot {whole['snapshotVersion']}"
    show.console().print(state, total + memory, sep="", markup=False)
    for sentence in whole["missing"]:
        show.console().print(f"  {sentence}", style="yellow", markup=False)
    if whole["controlError"]:
        show.aside().print(f"control does not answer: {whole['controlError']}", style="yellow", markup=False)


def logs(name: str, *, follow: bool, lines_max: int, as_json: bool) -> None:
    """The last lines of logs, and with `follow` those that come."""
    try:
        with node.NodeClient(place(), timeout_s=20) as asked:
            paths = asked.log_paths(name)
    except node.NotRunning:
        found = sorted((place().state / "logs").glob("*.log"))
        paths = [p for p in found if not name or p.stem == name or p.stem.rsplit("-", 1)[0] == name]
        if not paths:
            there = f"there are {', '.join(p.stem for p in found)}" if found else "start the mesh with `crossrate up`"
            raise CommandError(f"there is no log of {name or 'any process'}", there) from None
    width = max(len(p.stem) for p in paths)
    positions: dict[Path, int] = {}
    last: list[tuple[str, str, str]] = []
    for path in paths:
        text = path.read_text(errors="replace") if path.exists() else ""
        positions[path] = len(text.encode(errors="replace"))
        last += [(_time(line), path.stem, line) for line in text.splitlines()[-lines_max:]]
    for _, stem, line in sorted(last, key=lambda entry: entry[0])[-lines_max:]:
        _print_log(stem, line, width, as_json)
    while follow:
        time.sleep(FOLLOW_S)
        for path in paths:
            for line in _new_lines(path, positions):
                _print_log(path.stem, line, width, as_json)


def _new_lines(path: Path, positions: dict[Path, int]) -> list[str]:
    """Whole lines since the last look; a log that became shorter began anew."""
    try:
        size = path.stat().st_size
    except OSError:
        return []
    if size < positions[path]:
        positions[path] = 0
    if size == positions[path]:
        return []
    with path.open("rb") as file:
        file.seek(positions[path])
        text = file.read(size - positions[path])
    whole = text[: text.rfind(b"\n") + 1]
    positions[path] += len(whole)
    return whole.decode(errors="replace").splitlines()


def _time(line: str) -> str:
    entry = _entry(line)
    return str(entry.get("time", "")) if entry else line[1:24].replace(" ", "T") if line.startswith("[") else ""


def _entry(line: str) -> dict[str, Any] | None:
    try:
        value = json.loads(line)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


_LEVELS = {"error": "bold red", "critical": "bold red", "warning": "yellow", "debug": "dim"}


def _print_log(process: str, line: str, width: int, as_json: bool) -> None:
    entry = _entry(line)
    if as_json:
        show.line({"process": process} | (entry if entry is not None else {"event": line}))
        return
    from rich.text import Text

    text = Text(f"{process:<{width}} ", style="cyan")
    if entry is None or "event" not in entry:
        text.append(line, style="default")
    else:
        rest = {k: v for k, v in entry.items() if k not in ("time", "level", "event", "service", "instance")}
        level = str(entry.get("level", ""))
        text.append(str(entry.get("time", ""))[11:23] + " ", style="dim")
        text.append(str(entry["event"]), style=_LEVELS.get(level, "default"))
        text.append("".join(f" {k}={v}" for k, v in rest.items()), style="dim")
    show.console().print(text)
