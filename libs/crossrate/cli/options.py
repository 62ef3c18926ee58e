"""Options that many commands have, each with one name, one letter and one meaning."""

from __future__ import annotations

from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Machine output: one JSON document, or JSON lines.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only check: answer as if done, change nothing.")]
Comment = Annotated[str, typer.Option("--comment", "-m", help="Why; kept with it.")]
Who = Annotated[
    str | None, typer.Option("--client", help="Who asks: a client of the topology by its name.", metavar="CLIENT")
]
