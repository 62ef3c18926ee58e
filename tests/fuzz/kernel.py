"""Fuzzes the C kernel, guided by coverage, with clang's libFuzzer under the address and undefined-behaviour sanitizers.

    uv run python tests/fuzz/kernel.py --seconds 300 [--corpus folder]     (Debian: clang, libclang-rt-14-dev)

The harness is made from the public headers: an input chooses a function over arrays, a number of elements, and their
values, among them the borders of what is allowed and what is no number. Arrays have exactly the elements that are
passed. What has to hold: no access outside of them, no undefined operation, a result is finite exactly where the status
is OK, and without a status array the first bad element is named. With `--subject calls` it is all other functions:
see `kernel_calls.py`. With `--subject book` it is commands to an order book: see `kernel_book.py`.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from crossrate.kernel import path
from tests.fuzz import kernel_book, kernel_calls
from tests.kernel_build import kernel_build
from tests.portable.calls import every_function
from tests.portable.recording import packed, recording
from tests.unit.kernel.test_every_function import FUNCTIONS

ROOT = Path(__file__).resolve().parents[2]
INPUT_BYTES_MAX = 4096
MEMORY_MIB_MAX = 2048
FLAGS = ["-std=gnu11", "-O1", "-g1", "-ffp-contract=off", "-fno-sanitize-recover=all"]
_UNITS = re.compile(r"stat::number_of_executed_units:\s+(\d+)")
_COVERED = re.compile(r"cov: (\d+) ft: (\d+)")

HEAD = r"""
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include "xr/kernel.h"

static const uint8_t *bytes;
static size_t left;

static uint8_t next(void) { return left ? (left--, *bytes++) : 0; }

static double number(void) {
  static const double special[] = {0.0, -0.0, 1.0, -1.0, 0.5, 100.0, -5.0, 5.0, 1e-60, 1e60, 5e-324, 1e-310, 1e308, NAN,
                                   INFINITY, -INFINITY};
  const uint8_t kind = next();
  if (kind < 64) return special[kind & 15];
  if (kind < 96) {
    union { uint64_t bits; double value; } any = {0};
    for (int i = 0; i < 8; i++) any.bits = any.bits << 8 | next();
    return any.value;
  }
  const double mantissa = (next() * 256 + next()) / 65536.0;
  return kind < 192 ? mantissa * 2.0 : (kind < 224 ? ldexp(0.5 + mantissa, (int)(next() % 64) - 32) : mantissa - 0.5);
}

static double *numbers(int64_t count) {
  double *array = malloc(sizeof(double) * (size_t)count);
  const uint8_t same = next() & 1;
  const double first = count ? number() : 0.0;
  for (int64_t i = 0; i < count; i++) array[i] = same || i == 0 ? first : number();
  return array;
}

static int8_t *codes(int64_t count) {
  int8_t *array = malloc((size_t)count);
  for (int64_t i = 0; i < count; i++) array[i] = (int8_t)(next() % 8 - (i == 7));
  return array;
}
"""


def harness() -> str:
    """The C text that calls every function over arrays."""
    cases = []
    for each in kernel_build().functions():
        parameters = [p.strip() for p in each.parameters.split(",")]
        names = [re.findall(r"(\w+)$", p)[0] for p in parameters]
        kinds = [re.sub(r"\s*\*?\s*\w+$", "", p) + ("*" if "*" in p else "") for p in parameters]
        if names[0] != "count" or names[-1] != "status":
            continue
        if not set(kinds[1:-1]) <= {"const double*", "const int8_t*", "double*"}:
            continue
        lines, outputs = [f"  case {len(cases)}: {{"], []
        for name, kind in zip(names[1:-1], kinds[1:-1], strict=True):
            made = "codes(count)" if kind == "const int8_t*" else "numbers(count)"
            if kind == "double*":
                outputs.append(name)
                made = "malloc(sizeof(double) * (size_t)count)"
            lines.append(f"    {kind.replace('const ', '')} {name} = {made};")
        lines.append("    uint8_t *status = malloc((size_t)count);")
        lines.append(f"    if ({each.name}({', '.join(names)})) abort();")
        for name in outputs:
            lines.append(
                f"    for (int64_t i = 0; i < count; i++) if ((status[i] == 0) != !!isfinite({name}[i])) abort();"
            )
        # Without a status array the same input either works as a whole or names its first bad element.
        lines.append("    int64_t bad = 0;")
        lines.append("    while (bad < count && !status[bad]) bad++;")
        without = ", ".join([*names[:-1], "NULL"])
        lines.append(f"    const int64_t fault = {each.name}({without});")
        lines.append(
            "    if (bad == count ? fault != 0 : (fault & 0xFFFFFFFFFFFF) != bad || fault >> 56 != status[bad])"
            " abort();"
        )
        lines += [f"    free({name});" for name in names[1:]]
        lines.append("    break;\n  }")
        cases.append("\n".join(lines))
    body = "\n".join(cases)
    return (
        HEAD + "\nint LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {\n  bytes = data;\n  left = size;\n"
        f"  const int function = next() % {len(cases)};\n  const int64_t count = next() % 150;\n"
        f"  switch (function) {{\n{body}\n  }}\n  return 0;\n}}\n"
    )


def recorded_calls() -> bytes:
    """One recorded call after the other of every function that is not over arrays of one length."""
    with path.using(path.paths()[0]), recording() as calls:
        every_function()
    over_arrays = {function.name for function in FUNCTIONS}
    return packed([call for call in calls if call.name not in over_arrays])


def main() -> int:
    """Builds the harness, lets it run, and reports; the exit status says whether nothing was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=300)
    parser.add_argument("--corpus", type=Path, help="folder where inputs are kept; a temporary one without it")
    parser.add_argument("--subject", choices=("arrays", "calls", "book"), default="arrays", help="which functions")
    parser.add_argument("--march", default="x86-64-v3", help="which path is built, as the compiler's -march names it")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        corpus = chosen.corpus or folder / "corpus"
        corpus.mkdir(parents=True, exist_ok=True)
        text, program = folder / "harness.c", folder / "fuzz"
        environment = {**os.environ, "ASAN_OPTIONS": "detect_leaks=1"}
        if chosen.subject == "calls":
            environment["XR_CALLS"] = str(folder / "calls")
            (folder / "calls").write_bytes(recorded_calls())
            text.write_text(kernel_calls.harness(HEAD))
        elif chosen.subject == "book":
            text.write_text(kernel_book.harness(HEAD))
        else:
            text.write_text(harness())
        sources = sorted((ROOT / "libs" / "kernel" / "src").glob("*.c"))
        include = [f"-I{ROOT / 'libs/kernel/include'}", f"-I{ROOT / 'libs/kernel/src'}"]
        command = ["clang", *FLAGS, f"-march={chosen.march}", "-fsanitize=fuzzer,address,undefined", *include]
        subprocess.run([*command, *map(str, sources), str(text), "-lm", "-o", str(program)], check=True)
        options = [f"-max_total_time={chosen.seconds}", f"-max_len={INPUT_BYTES_MAX}", "-print_final_stats=1"]
        options += [f"-rss_limit_mb={MEMORY_MIB_MAX}", f"-artifact_prefix={corpus}/", "-timeout=20", "-len_control=0"]
        done = subprocess.run(
            [str(program), str(corpus), *options],
            capture_output=True,
            text=True,
            timeout=chosen.seconds + 120,
            check=False,
            env=environment,
        )
    found = _COVERED.findall(done.stderr)
    units = _UNITS.search(done.stderr)
    report = {
        "subject": chosen.subject,
        "seconds": chosen.seconds,
        "executions": int(units.group(1)) if units else 0,
        "edges": int(found[-1][0]) if found else 0,
        "clean": done.returncode == 0,
    }
    if done.returncode:
        print(done.stderr[-6000:], file=sys.stderr)
    print(json.dumps(report))
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
