"""scripts/kernel_build.py as a module, for tests that compile the kernel in their own way."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[1]


def kernel_build() -> ModuleType:
    """The build script, loaded from its file: scripts are no package."""
    spec = importlib.util.spec_from_file_location("kernel_build", ROOT / "scripts" / "kernel_build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["kernel_build"] = module
    spec.loader.exec_module(module)
    return module
