"""Hatchling's hook: compiles the C kernel into the package where there is a C compiler."""

from __future__ import annotations

import sys
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

sys.path.insert(0, str(Path(__file__).resolve().parent))
import kernel_build


class KernelHook(BuildHookInterface):
    """Runs before a wheel is made, editable or not."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Builds the module; a wheel then carries it and its platform, and without it stays pure Python."""
        if self.target_name != "wheel":
            return
        missing = kernel_build.build_for_python()
        if missing:
            self.app.display_warning(f"the C kernel was not built, its numpy twins serve: {missing}")
            return
        build_data["pure_python"] = False
        system = sysconfig.get_platform().replace("-", "_").replace(".", "_")
        build_data["tag"] = f"cp311-abi3-{system}"
        if version != "editable":
            module = kernel_build.BINDING / kernel_build.MODULE
            build_data["force_include"][str(module)] = f"crossrate/kernel/{kernel_build.MODULE}"
