"""Compiles libs/kernel: each source once for every build path, a dispatcher, and the glue for Python.

The public headers are the one declaration: cffi reads them, and the dispatcher is made from them. A source defines
plain `xr_…` functions; for a path the compiler sees them renamed to `xr_…_avx2` and so on, by a header made here.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
KERNEL = ROOT / "libs" / "kernel"
BINDING = ROOT / "libs" / "crossrate" / "kernel"
MODULE = "_native.abi3.so"
UNBUILT = "_unbuilt.txt"

# What the vectoriser needs; NaN and infinities keep their meaning, which -ffast-math would take from them.
FLAGS = [
    "-std=gnu11",
    "-O3",
    "-fPIC",
    "-fvisibility=hidden",
    "-fno-math-errno",
    "-fno-trapping-math",
    "-fno-signed-zeros",
    "-ffp-contract=off",
    "-fopenmp-simd",
    "-Wall",
    "-Wextra",
    "-Werror=implicit-function-declaration",
]
PATHS = {
    "baseline": [],
    "avx2": ["-march=x86-64-v3"],
    "avx512": ["-march=x86-64-v4", "-mprefer-vector-width=512"],
}
CODES = {"baseline": 0, "avx2": 1, "avx512": 2}
OWN = {"xr_path", "xr_has", "xr_use"}  # the dispatcher's own, never renamed


class BuildError(RuntimeError):
    """The kernel cannot be compiled here; the text says what is missing."""


@dataclass(frozen=True)
class Declared:
    """A function of the public headers."""

    result: str
    name: str
    parameters: str

    @property
    def arguments(self) -> str:
        """The names of the parameters, to pass them on."""
        if self.parameters == "void":
            return ""
        return ", ".join(re.findall(r"(\w+)\s*(?:\[\w*\])?$", each)[0] for each in self.parameters.split(","))


@dataclass
class Build:
    """One compilation: with what, into where."""

    folder: Path
    compiler: str
    paths: list[str]
    extra: list[str] = field(default_factory=list)

    def run(self, arguments: list[str]) -> None:
        """Runs the compiler.

        Raises:
            BuildError: it failed; the text is the compiler's.
        """
        done = subprocess.run([*self.compiler.split(), *arguments], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise BuildError(f"{self.compiler} {' '.join(arguments)}\n{done.stderr[-4000:]}")
        if done.stderr and os.environ.get("CROSSRATE_KERNEL_WARNINGS"):
            sys.stderr.write(done.stderr)


def declarations() -> str:
    """The public headers without comments and preprocessor lines, in the order in which kernel.h includes them."""
    parts = []
    umbrella = (KERNEL / "include" / "xr" / "kernel.h").read_text()
    for name in re.findall(r'#include "(xr/\w+\.h)"', umbrella):
        text = (KERNEL / "include" / name).read_text()
        text = re.sub(r"/\*.*?\*/", " ", text, flags=re.DOTALL)
        text = re.sub(r'#ifdef __cplusplus\n(extern "C" \{|\})\n#endif', "", text)
        text = re.sub(r"^#.*$", "", text, flags=re.MULTILINE)
        parts.append(text)
    return "\n".join(parts)


def functions() -> list[Declared]:
    """The functions that the public headers declare, without the dispatcher's own."""
    found = re.findall(r"(\w[\w ]*?)\b(xr_\w+)\s*\(([^)]*)\)\s*;", declarations())
    listed = [Declared(result.strip(), name, " ".join(parameters.split())) for result, name, parameters in found]
    return [each for each in listed if each.name not in OWN]


def dispatcher(paths: list[str]) -> str:
    """The C text that sends each public function to the chosen path."""
    lines = ['#include "xr/kernel.h"', ""]
    for path in paths:
        lines += [f"{each.result} {each.name}_{path}({each.parameters});" for each in functions()]
    tests = {
        "baseline": "1",
        "avx2": '__builtin_cpu_supports("x86-64-v3")',
        "avx512": '__builtin_cpu_supports("x86-64-v4")',
    }
    lines += ["", "int32_t xr_has(int32_t path) {", "  switch (path) {"]
    lines += [f"    case {CODES[path]}: return {tests[path]} ? 1 : 0;" for path in paths]
    lines += ["    default: return 0;", "  }", "}", ""]
    lines += ["static int32_t chosen = -1;", "", "int32_t xr_path(void) {"]
    lines += ["  int32_t path = __atomic_load_n(&chosen, __ATOMIC_RELAXED);", "  if (path >= 0) return path;"]
    lines += ["  path = 2;", "  while (!xr_has(path)) path--;"]
    lines += ["  __atomic_store_n(&chosen, path, __ATOMIC_RELAXED);", "  return path;", "}", ""]
    lines += ["int32_t xr_use(int32_t path) {", "  if (!xr_has(path)) return -1;"]
    lines += ["  __atomic_store_n(&chosen, path, __ATOMIC_RELAXED);", "  return 0;", "}", ""]
    for each in functions():
        lines += [f"{each.result} {each.name}({each.parameters}) {{", "  switch (xr_path()) {"]
        for path in reversed(paths[1:]):
            lines.append(f"    case {CODES[path]}: return {each.name}_{path}({each.arguments});")
        lines += [f"    default: return {each.name}_{paths[0]}({each.arguments});", "  }", "}", ""]
    return "\n".join(lines)


def compiler() -> str:
    """The C compiler: `CC`, or the first of cc, gcc, clang on PATH.

    Raises:
        BuildError: there is none.
    """
    chosen = os.environ.get("CC") or next((name for name in ("cc", "gcc", "clang") if shutil.which(name)), "")
    if not chosen:
        raise BuildError("no C compiler (cc, gcc or clang) is on PATH")
    return chosen


def usable_paths(build: Build) -> list[str]:
    """The paths that this machine's compiler can build."""
    if platform.machine() not in ("x86_64", "AMD64"):
        return ["baseline"]
    probe = build.folder / "probe.c"
    probe.write_text('int probe(void) { return __builtin_cpu_supports("x86-64-v4"); }\n')
    usable = ["baseline"]
    for path in ("avx2", "avx512"):
        try:
            build.run([*PATHS[path], "-c", str(probe), "-o", str(probe.with_suffix(".o"))])
        except BuildError:
            continue
        usable.append(path)
    return usable


def objects(build: Build) -> list[Path]:
    """Compiles every source for every path, and the dispatcher; returns the object files."""
    include = ["-I", str(KERNEL / "include"), "-I", str(KERNEL / "src")]
    jobs: list[tuple[list[str], Path]] = []
    for path in build.paths:
        rename = build.folder / f"rename_{path}.h"
        rename.write_text("".join(f"#define {each.name} {each.name}_{path}\n" for each in functions()))
        for source in sorted((KERNEL / "src").glob("*.c")):
            target = build.folder / f"{source.stem}_{path}.o"
            flags = [*FLAGS, *PATHS[path], *build.extra, "-include", str(rename), *include]
            jobs.append(([*flags, "-c", str(source), "-o", str(target)], target))
    text = build.folder / "dispatch.c"
    text.write_text(dispatcher(build.paths))
    target = build.folder / "dispatch.o"
    jobs.append(([*FLAGS, *build.extra, *include, "-c", str(text), "-o", str(target)], target))
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        list(pool.map(lambda job: build.run(job[0]), jobs))
    return [target for _, target in jobs]


def extension(build: Build, target: Path) -> None:
    """Compiles and links the Python module.

    Raises:
        BuildError: a tool or Python's headers are missing, or a source does not compile.
    """
    import cffi

    headers = Path(sysconfig.get_paths()["include"])
    if not (headers / "Python.h").exists():
        raise BuildError(f"Python's own headers are not installed ({headers}/Python.h)")
    ffi = cffi.FFI()
    ffi.cdef(declarations())
    ffi.set_source("crossrate.kernel._native", '#include "xr/kernel.h"')
    glue = build.folder / "_native.c"
    ffi.emit_c_code(str(glue))
    linked = objects(build)
    include = ["-I", str(KERNEL / "include"), "-I", str(headers)]
    built = build.folder / MODULE
    build.run(
        ["-O2", "-fPIC", "-shared", *build.extra, *include, str(glue), *map(str, linked), "-o", str(built), "-lm"]
    )
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    shutil.copyfile(built, draft)
    draft.replace(target)


def build_for_python(
    extra: list[str] | None = None, folder: Path = BINDING, paths: list[str] | None = None
) -> str | None:
    """Builds the module beside the binding; returns None, or why this machine cannot. `paths`: these alone.

    What it leaves in the second case is a note that the binding shows to whoever asks why the numpy twins serve.
    """
    target, note = folder / MODULE, folder / UNBUILT
    with tempfile.TemporaryDirectory(prefix="crossrate-kernel-") as scratch:
        try:
            build = Build(Path(scratch), compiler(), ["baseline"], extra or [])
            build.paths = paths or usable_paths(build)
            extension(build, target)
        except BuildError as error:
            target.unlink(missing_ok=True)
            note.write_text(f"{error}\n")
            return str(error)
    note.unlink(missing_ok=True)
    return None


def main() -> int:
    """Builds in place; the exit status says whether it worked."""
    parser = argparse.ArgumentParser(description="Compile the C kernel for Python, in place.")
    parser.add_argument("--flag", action="append", default=[], help="one more compiler flag, e.g. --flag=-g")
    missing = build_for_python(parser.parse_args().flag)
    if missing:
        print(f"the kernel was not built: {missing}", file=sys.stderr)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
