# Sourced by scripts/run and scripts/test: finds or installs uv, then brings the environment up to the lock file.
# Leaves the project's Python in $PYTHON.
if ! command -v uv >/dev/null 2>&1; then
  if [ ! -x .crossrate/uv/bin/uv ]; then
    found=""
    for candidate in python3 python3.14 python3.13 python3.12 python3.11; do
      if command -v "$candidate" >/dev/null 2>&1 &&
        "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
        found=$candidate
        break
      fi
    done
    if [ -z "$found" ]; then
      echo "crossrate needs Python 3.11 or newer and found none on PATH: install it, then run this again." >&2
      exit 1
    fi
    echo "uv is not installed; putting it into .crossrate/uv" >&2
    mkdir -p -m 700 .crossrate
    # Without ensurepip (Debian's python3 without python3-venv) pip is still able to fill a folder.
    if ! "$found" -m venv .crossrate/uv 2>/dev/null || ! .crossrate/uv/bin/pip install -q 'uv>=0.9'; then
      rm -rf .crossrate/uv
      "$found" -m pip install -q --target .crossrate/uv 'uv>=0.9' || {
        echo "uv could not be installed: install it from https://docs.astral.sh/uv and run this again." >&2
        exit 1
      }
    fi
  fi
  PATH="$PWD/.crossrate/uv/bin:$PATH"
fi
export PATH
export UV_COMPILE_BYTECODE=1
uv sync -q --frozen "$@"
PYTHON="$PWD/.venv/bin/python"
# Our own code too: a start that has to compile takes twice as long.
"$PYTHON" -m compileall -q libs services
