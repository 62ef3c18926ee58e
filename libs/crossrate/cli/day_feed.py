"""Real ticks for the day, where there are some: those of 2014-05-08 are replayed instead of the simulated market."""

from __future__ import annotations

import os
from pathlib import Path

from crossrate.runtime.place import REPOSITORY, Place

TICKS = Path("oanda/tick/eurusd/20140508_quote.zip")
"""A day of a venue, in the folder of the real quotes; tests/data/README.md says whose they are."""
SPEED = 60
"""A minute of that day in a second."""


def declared(place: Place, *, once: bool) -> dict[str, str]:
    """The setting that names the replay's feed, its file written; empty for the market as it is declared.

    The folder is that in CROSSRATE_DATA, or ../shared/data beside the checkout for a mesh that ends with the day: one
    that stays has the simulated market, which quotes every instrument.
    """
    if "CROSSRATE_MARKETDATA_FEEDS" in os.environ:
        return {}
    named = os.environ.get("CROSSRATE_DATA")
    if not named and not once:
        return {}
    ticks = (Path(named) if named else REPOSITORY.parent / "shared" / "data").resolve() / TICKS
    if not ticks.is_file():
        return {}
    path = place.state / "feeds-2014-05-08.toml"
    path.write_text(
        f'[feeds.oanda]\nkind = "replay"\npaths = ["{ticks}"]\nshape = "lean_tick"\n'
        f'shape_changes = {{ clock = "UTC" }}\ninstrument = "EUR/USD"\nspeed = {SPEED}.0\nloop = true\n'
    )
    return {"CROSSRATE_MARKETDATA_FEEDS": str(path)}
