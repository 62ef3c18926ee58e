"""Value at risk and expected shortfall against QuantLib's statistics, plain and weighted."""

from __future__ import annotations

import numpy as np
import pytest
import QuantLib as ql

from crossrate.kernel import path, var
from crossrate.kernel.var import Convention

SAMPLES = 800


@pytest.mark.parametrize("build", path.paths())
def test_measures_are_quantlibs(build: str, capsys: pytest.CaptureFixture[str]) -> None:
    """QuantLib takes the outcome at which the weight from the worst reaches the tail: the upper quantile.

    Its expected shortfall is the mean of all outcomes beyond that one, which is ours where the tail is whole outcomes.
    Half an outcome more or less finds the outcome without depending on how a product rounds.
    """
    random = np.random.default_rng(1)
    worst = {"value at risk": 0.0, "expected shortfall": 0.0, "weighted value at risk": 0.0}
    for _ in range(SAMPLES):
        count = int(random.integers(20, 400))
        tail = int(random.integers(1, max(2, count // 10 - 1)))
        pnl, weight = random.standard_t(4, count) - 3.0, random.exponential(size=count)
        plain, weighted = ql.RiskStatistics(), ql.RiskStatistics()
        plain.add(pnl.tolist())
        weighted.add(pnl.tolist(), weight.tolist())
        inside, border, beyond = (1.0 - (tail + part) / count for part in (-0.5, 0.0, 0.5))
        with path.using(build):
            quantile = var.measure(pnl, inside).value_at_risk
            shortfall = var.measure(pnl, border).expected_shortfall
            aged = var.measure(pnl, inside, weight=weight, convention=Convention.UPPER).value_at_risk
        pairs = {
            "value at risk": (quantile, plain.valueAtRisk(inside)),
            "expected shortfall": (shortfall, plain.expectedShortfall(beyond)),
            "weighted value at risk": (aged, weighted.valueAtRisk(inside)),
        }
        for name, (ours, theirs) in pairs.items():
            worst[name] = max(worst[name], abs(float(ours) - theirs))
    with capsys.disabled():
        print(f"\n{build}: {SAMPLES} samples, worst differences {worst}")
    assert max(worst.values()) < 1e-12
