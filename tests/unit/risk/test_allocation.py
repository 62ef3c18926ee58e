"""What markets add to measures of weighted scenarios."""

from __future__ import annotations

import numpy as np
import pytest

from crossrate.kernel import attribution
from crossrate.kernel.var import age_weight, measure
from services.risk.domain.allocation import weighted

PARTS = np.random.default_rng(8).normal(0, 1e5, (3, 400))


@pytest.mark.parametrize("level", [0.95, 0.99, 0.993])
def test_equal_weights_are_the_kernel_s(level: float) -> None:
    """All that it tells, also where the border of the tail runs through a scenario."""
    found, own = weighted(PARTS, np.full(400, 1 / 400), level), attribution.historical(PARTS, level)
    for name in ("value_at_risk", "expected_shortfall", "component_var", "component_es"):
        assert np.allclose(getattr(found, name), getattr(own, name), rtol=1e-9, atol=1e-6), name
    assert np.allclose(found.incremental_var, own.incremental_var, rtol=1e-9, atol=1e-6)
    assert np.allclose(found.incremental_es, own.incremental_es, rtol=1e-9, atol=1e-6)


@pytest.mark.parametrize("decay", [0.9, 0.98, 0.999])
def test_components_add_up(decay: float) -> None:
    """To value at risk and to expected shortfall of the weighted scenarios."""
    weight = age_weight(400, decay)
    found = weighted(PARTS, weight, 0.97)
    own = measure(PARTS.sum(axis=0), 0.97, weight=weight)
    assert found.component_var.sum() == pytest.approx(float(own.value_at_risk), rel=1e-12)
    assert found.component_es.sum() == pytest.approx(float(own.expected_shortfall), rel=1e-9)
    without = measure(PARTS[1:].sum(axis=0), 0.97, weight=weight)
    assert found.incremental_var[0] == pytest.approx(float(own.value_at_risk - without.value_at_risk), rel=1e-9)
