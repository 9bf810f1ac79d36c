"""`--scale` of the shell: models of a scale, of the response and of covariates."""

from __future__ import annotations

import pytest

from bayesmi.cli.impute import _scales
from bayesmi.errors import ModelError


def test_scales_are_of_the_analysis_model_or_of_a_covariate():
    own, others = _scales(("sigma ~ x:z + (1 | g)", "x: sigma ~ z", "`a b`: sigma ~ 1"))
    assert own == "sigma ~ x:z + (1 | g)"
    assert others == {"x": ("sigma ~ z",), "a b": ("sigma ~ 1",)}
    assert _scales(()) == (None, {})


@pytest.mark.parametrize(
    "given", [("sigma",), ("sigma ~",), ("~ x",), ("sigma ~ x", "sigma ~ z"), ("x: sigma ~ z",) * 2]
)
def test_what_is_no_scale_is_refused(given):
    with pytest.raises(ModelError, match=r"--scale '"):
        _scales(given)


@pytest.mark.xdist_group("cli")
def test_impute_takes_a_scale(tmp_path):
    import numpy as np
    import pandas as pd
    from typer.testing import CliRunner

    from bayesmi.cli.app import app

    rng = np.random.default_rng(1)
    x = rng.normal(size=80)
    data = pd.DataFrame({"x": x, "y": x + np.exp(0.5 * x) * rng.normal(size=80)})
    data.loc[::5, "y"] = np.nan
    data.to_csv(tmp_path / "table.csv", index=False)
    words = [
        "impute",
        tmp_path / "table.csv",
        "y ~ x",
        "--scale",
        "sigma ~ x",
        "-m",
        2,
        "-o",
        tmp_path / "out.parquet",
    ]
    words += ["--draws", 200, "--tune", 200, "--despite-gate", "--seed", 3]
    done = CliRunner().invoke(app, [str(word) for word in words])
    assert done.exit_code == 0, done.output
    long = pd.read_parquet(tmp_path / "out.parquet")
    assert long.loc[long[".imp"] > 0, "y"].notna().all()
