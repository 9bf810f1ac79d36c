"""A fit loads what it needs and no more: seconds of every run hang on it."""

from __future__ import annotations

import subprocess
import sys

CODE = """
import sys
import numpy as np, pandas as pd
import bayesmi as bmi
x = np.linspace(-1, 1, 40)
table = pd.DataFrame({"x": x, "y": x + np.sin(50 * x)})
table.loc[::4, "y"] = np.nan
fit = bmi.Model("y ~ x", table).fit(seed=1, draws=100, tune=100, progress=False)
fit.impute(2, despite_gate=True).complete("long")
heavy = ("arviz", "arviz_plots", "formulae", "matplotlib", "pymc", "pytensor", "scipy.special", "scipy.stats", "statsmodels")
print("LOADED", [name for name in heavy if name in sys.modules])
import arviz, formulae
same = sys.modules["nutpie.sample"].arviz.summary is arviz.summary
print("WORK", callable(arviz.summary), callable(formulae.design_matrices), same)
"""


def test_a_fit_loads_no_plots_and_no_statistics_package():
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", CODE], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "LOADED []" in done.stdout
    assert "WORK True True True" in done.stdout
