"""Rules of the house that a machine can check: sizes, names, words, links, anatomy, and which way imports point."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from crossrate.runtime.topology import load

ROOT = Path(__file__).resolve().parents[1]
FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 70

GENERATED = ("libs/crossrate/api/", "libs/buf/", "uv.lock", "services/control/envoy_api.binpb")
OTHERS = ("proto/google/", "proto/buf/")
LONGER = {
    "proto/crossrate/api/pipeline/v1/pipeline_service.proto": "requests and answers stand beside their methods",
    "proto/crossrate/api/pricing/v1/pricing_service.proto": "requests and answers stand beside their methods",
    "proto/crossrate/api/pricing/v1/product.proto": "the kinds of a product are one oneof and share their enums",
    "libs/crossrate/node/supervisor.py": "bringing up and taking down are one story",
    "services/control/json_guard.lua": "a proxy takes one script; its JSON reader reads as a whole",
    "tests/integration/test_identity_pages.py": "one database and one service for all of it",
    "tests/integration/test_identity_tokens.py": "one database and one service for all of it",
    "tests/integration/test_json_guard.py": "one Envoy for all of it, which costs more than the tests",
    "proto/crossrate/api/pricing/v1/snapshot_service.proto": "every method of markets and snapshots with its messages",
    "tests/integration/test_envoy.py": "one pair of Envoys for all of it",
    "tests/integration/test_marketdata.py": "one NATS and one service for all of it",
    "tests/integration/test_pricing.py": "one database and one server for all of it",
    "tests/integration/test_quoting.py": "one database and one pair of servers for all of it",
    "tests/integration/test_reference.py": "one database for all of it",
    "tests/integration/test_rpc_server.py": "one server, from the wire: every duty of the chain is looked at there",
}
"""Files that may be longer than FILE_LINES_MAX, and why."""

BANNED_NAMES = {"util", "utils", "helper", "helpers", "common", "manager", "managers", "misc", "stuff"}
WITHOUT_DOMAIN = {"control": "its business is Envoy's configuration; the compiler is many modules, each by its noun"}
"""Services that have no domain.py, and why."""

CODE = (".py", ".lua", ".proto", ".sh", ".sql", ".c", ".h")
# Put together here, so that the rule does not find itself.
MACHINE_PATHS = re.compile(r"(?<![\w.])/(?:" + "|".join(["work", "root", "home/[a-z]+", "Users/[A-Za-z]+"]) + r")/")
UNFINISHED = re.compile(r"\b(?:" + "|".join(["TO" + "DO", "FIX" + "ME", "HA" + "CK"]) + r")\b|(?:#|//|--)\s*X{3}\b")


@cache
def tracked() -> tuple[str, ...]:
    """Every file that is or would be committed; without git, every file that is not hidden or built."""
    command = ["git", "-C", str(ROOT), "ls-files", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    if done.returncode == 0:
        names = done.stdout.splitlines()
    else:
        found = (path.relative_to(ROOT) for path in ROOT.rglob("*") if path.is_file())
        hidden = (".venv", ".git", ".crossrate", "__pycache__")
        names = [path.as_posix() for path in found if not set(path.parts) & set(hidden)]
    return tuple(sorted(name for name in names if (ROOT / name).is_file()))


@cache
def own() -> tuple[str, ...]:
    """The tracked files that people write here."""
    return tuple(name for name in tracked() if not name.startswith(GENERATED + OTHERS))


@cache
def text_of(name: str) -> str:
    """A file as text; empty if it is not UTF-8."""
    try:
        return (ROOT / name).read_text()
    except UnicodeDecodeError:
        return ""


def is_python(name: str) -> bool:
    """Whether a file is a Python module or script."""
    return name.endswith(".py") or (name.startswith("scripts/") and text_of(name).startswith("#!/usr/bin/env python3"))


@cache
def trees() -> dict[str, ast.Module]:
    """Every Python file of ours, parsed."""
    return {name: ast.parse(text_of(name)) for name in own() if is_python(name)}


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function of a module, also inside classes and functions."""
    return (node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)))


def report(problems: list[str]) -> None:
    """Fails with one line a problem."""
    assert not problems, "\n" + "\n".join(problems)


def test_files_are_short() -> None:
    """A file that grows past 400 lines becomes a folder by noun, unless its reason stands in LONGER."""
    sizes = {name: text_of(name).count("\n") for name in own() if is_python(name) or name.endswith(CODE)}
    too_long = [f"{n}: {s} lines" for n, s in sizes.items() if s > FILE_LINES_MAX and n not in LONGER]
    needless = [f"{n} needs no exception" for n in LONGER if sizes.get(n, 0) <= FILE_LINES_MAX]
    report(too_long + needless)


def test_functions_are_short() -> None:
    """A function fits one screen: at most 70 lines with its docstring."""
    report(
        [
            f"{name}:{function.lineno}: {function.name} has {length} lines"
            for name, tree in trees().items()
            for function in functions(tree)
            if (length := (function.end_lineno or 0) - function.lineno + 1) > FUNCTION_LINES_MAX
        ]
    )


def test_no_module_is_a_drawer() -> None:
    """A file or folder is named after a noun of the trade, never after being useful."""
    kept = [name for name in own() if not name.startswith("proto/crossrate/api/common/")]
    report([name for name in kept if {Path(part).stem for part in Path(name).parts} & BANNED_NAMES])


def test_nothing_knows_the_machine_that_it_was_written_on() -> None:
    """No path of a home or work folder stands in any file."""
    report(
        [
            f"{name}:{number}: {found[0]}"
            for name in own()
            for number, line in enumerate(text_of(name).splitlines(), start=1)
            if (found := MACHINE_PATHS.search(line))
        ]
    )


def test_nothing_is_left_for_later() -> None:
    """What is not done is an issue, not a comment."""
    report(
        [
            f"{name}:{number}: {line.strip()}"
            for name in own()
            for number, line in enumerate(text_of(name).splitlines(), start=1)
            if UNFINISHED.search(line)
        ]
    )


def test_every_folder_is_explained() -> None:
    """Code stands in a folder with a README, or below one; the root's own does not count."""
    folders = {Path(name).parent for name in own() if is_python(name) or name.endswith(CODE)} - {Path()}
    described = {Path(name).parent for name in own() if Path(name).name == "README.md"} - {Path()}
    report([f"{folder} has no README" for folder in sorted(folders) if not {folder, *folder.parents} & described])


def documented(name: str, tree: ast.Module) -> Iterator[str]:
    """What lacks a docstring in a module: itself, its public classes, functions and methods.

    gRPC handlers (named as their RPC) have their comment in the contract, `main` has that of its script.
    """
    if tree.body and not ast.get_docstring(tree):
        yield f"{name}:1: the module"
    scopes: list[tuple[str, ast.Module | ast.ClassDef]] = [("", tree)]
    while scopes:
        prefix, scope = scopes.pop()
        for node in scope.body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                scopes.append((f"{node.name}.", node))
            elif not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                continue
            overrides = any("override" in ast.unparse(d) or ".setter" in ast.unparse(d) for d in node.decorator_list)
            is_handler = bool(prefix) and node.name[:1].isupper()
            if node.name.startswith("_") or node.name == "main" or overrides or is_handler:
                continue
            if not ast.get_docstring(node):
                yield f"{name}:{node.lineno}: {prefix}{node.name}"


def test_everything_public_has_a_docstring() -> None:
    """Modules, classes, functions and methods of what is shipped say what they are for."""
    shipped = {name: tree for name, tree in trees().items() if not name.startswith("tests/")}
    report([missing for name, tree in shipped.items() for missing in documented(name, tree)])


def test_a_test_states_something() -> None:
    """A test's docstring is a sentence: it begins with a capital or a name and ends with a full stop."""
    wrong = []
    for name, tree in trees().items():
        if not Path(name).name.startswith("test_"):
            continue
        for function in functions(tree):
            said = ast.get_docstring(function) or ""
            if function.name.startswith("test_") and not re.search(r"[.?!]['\")»]?$", said):
                wrong.append(f"{name}:{function.lineno}: {function.name}: {said!r}")
    report(wrong)


def swallows(node: ast.AST) -> bool:
    """Whether a statement makes every error disappear."""
    if isinstance(node, ast.ExceptHandler):
        caught = ast.unparse(node.type) if node.type else "BaseException"
        empty = all(isinstance(s, (ast.Pass, ast.Continue)) or ast.unparse(s) == "..." for s in node.body)
        return empty and bool(re.search(r"\b(Base)?Exception\b", caught))
    if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("suppress"):
        return any(ast.unparse(argument) in ("Exception", "BaseException") for argument in node.args)
    return False


def explained(name: str, node: ast.AST) -> bool:
    """Whether a comment stands in a statement or on the line above it."""
    lines = text_of(name).splitlines()[max(0, node.lineno - 2) : node.end_lineno]
    return any("#" in line for line in lines)


def test_no_error_is_swallowed_unseen() -> None:
    """What catches every exception and does nothing with it says in a comment why that is right."""
    found = [(name, node) for name, tree in trees().items() for node in ast.walk(tree) if swallows(node)]
    report([f"{name}:{node.lineno}" for name, node in found if not explained(name, node)])


def anchors(markdown: str) -> set[str]:
    """The anchors of a Markdown file's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", markdown, flags=re.MULTILINE)
    plain = (re.sub(r"[`*]|\[([^\]]*)\]\([^)]*\)", r"\1", heading) for heading in headings)
    return {re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-") for heading in plain}


def test_links_lead_somewhere() -> None:
    """Each relative link of each Markdown file names a file that is there, and a heading in it."""
    broken = []
    for name in own():
        if not name.endswith(".md"):
            continue
        prose = re.sub(r"^```.*?^```", "", text_of(name), flags=re.MULTILINE | re.DOTALL)
        for target in re.findall(r"\[[^\]]*\]\(([^)\s]+)\)", prose):
            if re.match(r"[a-z]+:", target):
                continue
            path, _, anchor = target.partition("#")
            file = ((ROOT / name).parent / path).resolve() if path else ROOT / name
            if not file.exists() or (anchor and file.suffix == ".md" and anchor not in anchors(file.read_text())):
                broken.append(f"{name}: {target}")
    report(broken)


def services() -> list[Path]:
    """The services that can be started: folders with a main.py."""
    return sorted(path.parent for path in (ROOT / "services").glob("*/main.py"))


def test_every_service_has_the_same_anatomy() -> None:
    """Whoever knows one service finds their way in all: the same files, or folders of the same names."""
    databases = {name for name, service in load().services.items() if service.database}
    missing = []
    for folder in services():
        wanted = ["__main__", "main", "settings", "service"]
        wanted += ["domain"] if folder.name not in WITHOUT_DOMAIN else []
        wanted += ["store"] if folder.name in databases else []
        missing += [f"services/{folder.name} has no {p}" for p in wanted if not any_of(folder, p)]
        missing += [f"services/{folder.name} has no README.md"] if not (folder / "README.md").is_file() else []
        missing += [f"services/{folder.name} is not in the topology"] if folder.name not in load().services else []
    report(missing)


def any_of(folder: Path, name: str) -> bool:
    """Whether a module or a package of that name is in a folder."""
    return (folder / f"{name}.py").is_file() or (folder / name).is_dir()


def test_main_is_wiring_that_fits_two_screens() -> None:
    """A service's main.py is read from top to bottom: at most 150 lines."""
    sizes = {folder.name: len((folder / "main.py").read_text().splitlines()) for folder in services()}
    report([f"services/{name}/main.py has {size} lines" for name, size in sizes.items() if size > 150])


def test_nothing_is_read_or_opened_at_import() -> None:
    """A module's top level opens no file, socket, process or thread: importing does nothing but define."""
    opening = re.compile(r"^(open|socket\.|subprocess\.|threading\.|asyncio\.run|.*\.(read_text|read_bytes|connect)\()")
    found = []
    for name, tree in trees().items():
        if not name.startswith(("libs/", "services/")):
            continue
        for node in tree.body:
            for part in [node.value] if isinstance(node, (ast.Assign, ast.AnnAssign, ast.Expr)) and node.value else []:
                if isinstance(part, ast.Call) and opening.match(ast.unparse(part)):
                    found.append(f"{name}:{node.lineno}: {ast.unparse(part)}")
    report(found)


def test_programs_do_not_import_what_starts_threads() -> None:
    """Processes are forked from one that has imported every program, which threads would forbid."""
    mains = [f"services.{folder.name}.main" for folder in services()]
    heavy = ("pyarrow", "deltalake", "duckdb", "pandas")
    text = f"import sys, {', '.join(mains)}; print([name for name in {heavy!r} if name in sys.modules])"
    environment = os.environ | {"PYTHONPATH": f"{ROOT / 'libs'}{os.pathsep}{ROOT}"}
    command = [sys.executable, "-c", text]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=300)
    assert done.stdout.strip() == "[]"


def test_imports_point_one_way() -> None:
    """import-linter's contracts in pyproject.toml hold: services apart, libraries in layers, domains pure."""
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", ["services/desk/main.py", "libs/crossrate/rpc/x.py"])
def test_the_rules_find_what_they_forbid(name: str) -> None:
    """The checks above fail on code that breaks them: they do not pass because they look at nothing."""
    bad = ast.parse(
        "class A:\n    def f(self):\n        try:\n            pass\n        except Exception:\n            pass\n"
    )
    assert [line.rpartition(" ")[2] for line in documented(name, bad)] == ["module", "A", "A.f"]
    assert any(swallows(node) for node in ast.walk(bad))
    assert UNFINISHED.search("# " + "TO" + "DO: later")
    assert MACHINE_PATHS.search("see /" + "work/x")
    assert not UNFINISHED.search('("GET", "/v1/instruments/EUR/XXX", 404)')
    assert trees()
    assert anchors("## Two `words` here\n") == {"two-words-here"}
