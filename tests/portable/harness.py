"""The program that makes recorded calls again, wherever it is compiled for, and writes down what comes back."""

from __future__ import annotations

import struct
import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.kernel_build import ROOT, kernel_build
from tests.portable.recording import DTYPES, STRUCT, Call, Parameter, Result, packed, signatures

RUN_SECONDS_MAX = 300

HEAD = r"""
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include "xr/kernel.h"

static int64_t read_size(void) {
  int64_t size;
  if (fread(&size, 8, 1, stdin) != 1) exit(2);
  return size;
}

/* Memory of exactly the size that the caller had, so that a tool that watches accesses sees each one beyond it. */
static void *take(int64_t *size) {
  *size = read_size();
  if (*size < 0) return NULL;
  void *memory = malloc((size_t)*size);
  if (*size && fread(memory, (size_t)*size, 1, stdin) != 1) exit(2);
  return memory;
}

static void give(const void *memory, int64_t size) {
  if (size > 0 && fwrite(memory, (size_t)size, 1, stdout) != 1) exit(3);
}

static int64_t whole(void) {
  int64_t size, value;
  void *memory = take(&size);
  value = *(int64_t *)memory;
  free(memory);
  return value;
}

static double real(void) {
  int64_t size;
  double value;
  void *memory = take(&size);
  value = *(double *)memory;
  free(memory);
  return value;
}
"""


def text() -> str:
    """The C text: one case for each function of the public headers."""
    cases = [_case(place, name, each) for place, (name, each) in enumerate(signatures().items())]
    return (
        f"{HEAD}\nint main(void) {{\n  int64_t place;\n  while (fread(&place, 8, 1, stdin) == 1) {{\n"
        f"  switch (place) {{\n{''.join(cases)}  default: return 4;\n  }}\n  }}\n  return 0;\n}}\n"
    )


def _case(place: int, name: str, parameters: tuple[Parameter, ...]) -> str:
    lines = [f"  case {place}: {{"]
    for i, each in enumerate(parameters):
        if each.is_pointer:
            lines.append(f"    int64_t s{i}; {each.type} *a{i} = take(&s{i});")
        else:
            lines.append(f"    {each.type} a{i} = ({each.type}){'real' if each.type == 'double' else 'whole'}();")
    passed = [f"a{i}" for i in range(len(parameters))]
    if name.endswith("_of"):
        lines.append(f"    const {STRUCT} arrays = {{{', '.join(passed[:-1])}}};")
        passed = ["&arrays", passed[-1]]
    lines.append(f"    const int64_t fault = {name}({', '.join(passed)});")
    lines.append("    give(&fault, 8);")
    lines += [f"    give(a{i}, s{i});" for i, each in enumerate(parameters) if each.is_compared]
    lines += [f"    free(a{i});" for i, each in enumerate(parameters) if each.is_pointer]
    return "\n".join([*lines, "    break;\n  }\n"])


@dataclass(frozen=True)
class Target:
    """A compiler with its flags, and what runs the program."""

    name: str
    compiler: tuple[str, ...]
    flags: tuple[str, ...] = ()
    runner: tuple[str, ...] = ()


def compiled(target: Target, folder: Path) -> Path:
    """Compiles the kernel's sources and the harness, as the package's own build compiles them; warnings are errors.

    Raises:
        subprocess.CalledProcessError: a source does not compile; the compiler's words are in `stderr`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "harness.c").write_text(text())
    kernel = ROOT / "libs" / "kernel"
    include = ["-I", str(kernel / "include"), "-I", str(kernel / "src")]
    sources = [folder / "harness.c", *sorted((kernel / "src").glob("*.c"))]

    def run(*arguments: str) -> None:
        subprocess.run([*target.compiler, *arguments], capture_output=True, text=True, check=True)

    def one(source: Path) -> str:
        made = str(folder / f"{source.stem}.o")
        run(*kernel_build().FLAGS, *target.flags, "-Werror", *include, "-c", str(source), "-o", made)
        return made

    with ThreadPoolExecutor(2) as pool:
        objects = list(pool.map(one, sources))
    # Static, so that the C library of another processor need not be found when the program runs.
    run(*objects, "-static", "-lm", "-o", str(folder / "harness"))
    return folder / "harness"


def replayed(target: Target, program: Path, calls: Sequence[Call]) -> list[Result]:
    """Makes the calls again in the program."""
    command = [*target.runner, str(program)]
    done = subprocess.run(command, input=packed(calls), capture_output=True, check=True, timeout=RUN_SECONDS_MAX)
    data, at, of, results = done.stdout, 0, signatures(), []
    for call in calls:
        (fault,) = struct.unpack_from("<q", data, at)
        at += 8
        outputs = {}
        for parameter, given in zip(of[call.name], call.arguments, strict=True):
            if parameter.is_compared and given is not None:
                outputs[parameter.name] = np.frombuffer(data[at : at + len(given)], DTYPES[parameter.type])
                at += len(given)
        results.append(Result(fault, outputs))
    assert at == len(data)
    return results
