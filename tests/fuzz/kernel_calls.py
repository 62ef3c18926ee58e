"""The fuzz harness for the functions that take more than arrays of one length: matrices, curves, series, paths.

Their arguments have to fit together, which random bytes never do. So an input chooses one of the recorded calls of
`tests.portable.calls` and changes elements of its arrays and its real numbers: borders, denormals, infinities, NaN, any
bits. Counts stay, because the arrays have exactly the elements that they count. What has to hold: no access outside of
them, no undefined operation, and where there is neither a fault nor a status the outputs are finite.
"""

from __future__ import annotations

from tests.portable.recording import STRUCT, Parameter, signatures

# Taken as the binding has made or checked them: where rows begin, and the plan of a bridge.
TRUSTED = {"offsets", "curve_offsets", "order", "left", "right", "capacity", "start", "coefficient", "book"}

# Their headers leave to the caller what bounds their results; prices of bars may be those of a side that is not there.
UNCHECKED = {
    "xr_ohlc_prices",
    "xr_paths_gbm",
    "xr_paths_heston",
    "xr_paths_local_volatility",
    "xr_mc_moments",
    "xr_sobol_bridge",
}

READ = r"""
#include <stdio.h>
#include <string.h>

typedef struct { int64_t size; char *data; } argument;
typedef struct { int64_t place; argument of[32]; } call;
static call *calls;
static int64_t count_of_calls;
static const int parameters_of[] = {%s};

int LLVMFuzzerInitialize(int *argc, char ***argv) {
  (void)argc; (void)argv;
  FILE *file = fopen(getenv("XR_CALLS"), "rb");
  if (!file) abort();
  int64_t place;
  while (fread(&place, 8, 1, file) == 1) {
    calls = realloc(calls, sizeof(call) * (size_t)(count_of_calls + 1));
    call *c = &calls[count_of_calls++];
    c->place = place;
    for (int i = 0; i < parameters_of[place]; i++) {
      argument *a = &c->of[i];
      if (fread(&a->size, 8, 1, file) != 1) abort();
      a->data = a->size < 0 ? NULL : malloc((size_t)a->size + 1);
      if (a->size > 0 && fread(a->data, (size_t)a->size, 1, file) != 1) abort();
    }
  }
  fclose(file);
  return 0;
}

static void fail(const char *function, const char *what) {
  fprintf(stderr, "FAILS: %%s: %%s is no number\n", function, what);
  abort();
}

static void *copied(const argument *a) {
  if (a->size < 0) return NULL;
  void *memory = malloc((size_t)a->size);
  if (a->size) memcpy(memory, a->data, (size_t)a->size);
  return memory;
}

static int64_t chosen(int64_t size) {
  const int64_t high = next();
  return size > 0 ? (high * 256 + next()) %% size : 0;
}

static int64_t integer(int64_t now) {
  static const int64_t special[] = {0, 1, -1, 2, 3, INT64_MAX, INT64_MIN, 1LL << 32, -(1LL << 40)};
  const uint8_t kind = next();
  return kind < 128 ? special[kind %% 9] : now + (int8_t)next();
}
"""


def harness(head: str) -> str:
    """The C text after `head`, which draws numbers from the input: one case for each function of the public headers."""
    every = signatures()
    cases = "".join(_case(place, name, each) for place, (name, each) in enumerate(every.items()))
    sizes = ", ".join(str(len(each)) for each in every.values())
    return (
        head + READ % sizes + "\nint LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {\n"
        "  bytes = data;\n  left = size;\n  const call *c = &calls[chosen(count_of_calls)];\n"
        f"  switch (c->place) {{\n{cases}  }}\n  return 0;\n}}\n"
    )


def _case(place: int, name: str, parameters: tuple[Parameter, ...]) -> str:
    lines, changes = [f"  case {place}: {{"], []
    for i, each in enumerate(parameters):
        if each.is_pointer:
            lines.append(f"    {each.type} *a{i} = copied(&c->of[{i}]);")
        else:
            lines.append(f"    {each.type} a{i} = *({_scalar(each)} *)c->of[{i}].data;")
        change = "" if each.name in TRUSTED or each.is_output else _change(i, each)
        changes.append(f"      case {i}: {change}break;")
    lines.append(f"    for (int edits = 0; left && edits < 64; edits++) switch (next() % {len(parameters)}) {{")
    lines += [*changes, "    }"]
    passed = [f"a{i}" for i in range(len(parameters))]
    if name.endswith("_of"):
        lines.append(f"    const {STRUCT} arrays = {{{', '.join(passed[:-1])}}};")
        passed = ["&arrays", passed[-1]]
    lines.append(f"    const int64_t fault = {name}({', '.join(passed)});")
    lines += [f"    {each}" for each in _checks(name, parameters)]
    lines += [f"    free(a{i});" for i, each in enumerate(parameters) if each.is_pointer]
    return "\n".join([*lines, "    break;\n  }\n"])


def _scalar(parameter: Parameter) -> str:
    return parameter.type if parameter.type in ("double", "uint64_t") else "int64_t"


def _change(place: int, parameter: Parameter) -> str:
    byte = '(uint8_t)(next() % 4 ? "0129,.\\n\\1"[next() % 8] : next())'
    value = {"double": "number()", "int8_t": "(int8_t)(next() % 12 - 1)", "uint8_t": byte}.get(parameter.type, "")
    if not parameter.is_pointer:
        return f"a{place} = {value}; " if value else ""
    at = f"a{place}[chosen(c->of[{place}].size / (int64_t)sizeof *a{place})]"
    if parameter.type in ("int64_t", "uint64_t", "uint32_t"):
        value = f"({parameter.type})integer(0)"
    return f"if (c->of[{place}].size > 0) {at} = {value}; " if value else ""


def _checks(name: str, parameters: tuple[Parameter, ...]) -> list[str]:
    """Every output is finite where there is neither a fault nor a status that says why not."""
    # A struct of arrays holds more elements than are computed.
    excused = name in UNCHECKED or any(each.name in ("status", "capacity") for each in parameters)
    lines = [f'if (fault < 0) fail("{name}", "fault");']
    for i, each in enumerate(parameters):
        if each.is_compared and each.type == "double" and not excused:
            lines.append(f"if (!fault) for (int64_t i = 0; i < c->of[{i}].size / 8; i++)")
            lines.append(f'  if (!isfinite(a{i}[i])) fail("{name}", "{each.name}");')
    return lines
