"""The way of one call, drawn as a tree: who called whom in which, times, and what was looked at."""

from __future__ import annotations

from typing import Any

from crossrate.cli import show


def _ms(duration: Any) -> str:
    return f"{duration.ToNanoseconds() / 1e6:.2f} ms"


def show_way(answer: Any) -> None:
    """Draws an ExplainCallResponse."""
    from rich.text import Text
    from rich.tree import Tree

    root = Tree(Text(answer.conclusion, style="bold"), guide_style="dim")
    branches: list[Any] = []
    for hop in answer.hops:
        below = branches[hop.parent] if hop.parent >= 0 else root
        branch = below.add(_head(hop))
        _times(branch, hop)
        for decision in hop.call.decisions:
            mark = "✓" if decision.passed else "✗"
            words = f"{mark} {decision.check}: {decision.explanation}"
            branch.add(Text(words, style="dim" if decision.passed else "red"))
        if hop.call.message and all(d.passed for d in hop.call.decisions):
            branch.add(Text(f"{hop.call.reason}: {hop.call.message}".removeprefix(": "), style="red"))
        _unanswered(branch, hop, answer.hops, len(branches))
        branches.append(branch)
    for said in answer.proxy_answers:
        root.add(_proxy(said))
    show.console().print(root)
    for each in answer.unmeasured:
        show.note(f"{each.instance} could not be asked: {each.why}")


def _head(hop: Any) -> Any:
    from rich.text import Text

    call = hop.call
    who = call.caller if call.principal in ("", call.caller) else f"{call.principal} by {call.caller}"
    moment = call.begin_time.ToDatetime().strftime("%H:%M:%S.%f")[:-3]
    version = f"{call.version}{', candidate' if call.candidate else ''}"
    release = f", release {call.release}" if call.release else ""
    attempt = f", attempt {hop.attempt}" if hop.attempt else ""
    code = show.mark(call.code or "under way", call.code == "OK" if call.code else None)
    return Text.assemble(
        (f"{moment} ", "dim"),
        f"{who} → {call.instance} ({version}{release}{attempt})  ",
        (call.method.rpartition(".")[2], "bold"),
        "  ",
        code,
        f"  {_ms(call.elapsed)}",
    )


def _times(branch: Any, hop: Any) -> None:
    call = hop.call
    parts = []
    if call.HasField("waited"):
        parts = [f"let in {_ms(call.waited)}", f"handler {_ms(hop.handler)}", f"upstream {_ms(hop.upstream)}"]
    if hop.HasField("transit"):
        parts.append(f"on the way {_ms(hop.transit)}")
    if call.received_count > 1 or call.sent_count > 1:
        parts.append(f"{call.received_count} requests, {call.sent_count} answers")
    if parts:
        branch.add(", ".join(parts))


def _unanswered(branch: Any, hop: Any, hops: Any, place: int) -> None:
    """Calls out of which no instance tells: they went wrong on the way, or the instance does not keep them any more."""
    from rich.text import Text

    told = [each.call.method for each in hops if each.parent == place]
    for out in hop.call.outgoing:
        if out.method in told:
            told.remove(out.method)
            continue
        sent = f", sent {out.attempts} times" if out.attempts > 1 else ""
        words = f"→ {out.method.rpartition('.')[2]}  {out.code}  {_ms(out.elapsed)}{sent}; no instance tells of it"
        branch.add(Text(words, style="dim" if out.code == "OK" else "red"))


def _proxy(said: Any) -> Any:
    from rich.text import Text

    moment = said.begin_time.ToDatetime().strftime("%H:%M:%S.%f")[:-3]
    way, _, service = said.listener.partition("|")
    where = {"in": f"proxy in front of {service}", "out": f"proxy of {service}"}.get(way, said.listener)
    return Text.assemble(
        (f"{moment} ", "dim"),
        f"{said.caller or 'somebody'} at the {where}  ",
        (said.method.rpartition(".")[2], "bold"),
        f"  {said.code}  {_ms(said.elapsed)}: {said.explanation} ",
        (said.details, "dim"),
    )
