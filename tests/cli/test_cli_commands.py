"""The shell: light to start, true to its files."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from bayesmi.cli.app import app
from bayesmi.errors import DataError, ModelError

HEAVY = (
    "numpy",
    "pandas",
    "scipy",
    "numba",
    "xarray",
    "pymc",
    "nutpie",
    "arviz",
    "matplotlib",
    "rich.console",
)
FEW = ["--draws", "200", "--tune", "200", "--despite-gate", "--seed", "3"]


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    group = np.repeat(np.arange(12), 8)
    x = rng.normal(size=96)
    y = 1 + x + rng.normal(size=12)[group] + rng.normal(size=96)
    data = pd.DataFrame({"g": group, "x": x, "y": y})
    data.loc[::5, "y"] = np.nan
    return data


@pytest.fixture
def file(table: pd.DataFrame, tmp_path: Path) -> Path:
    path = tmp_path / "table.csv"
    table.to_csv(path, index=False)
    return path


def run(*words: object):
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.mark.parametrize("words", [["--help"], ["impute", "--help"], ["--version"]])
def test_help_imports_nothing_heavy(words):
    code = (
        "import sys\n"
        "from bayesmi.cli import main\n"
        f"sys.argv = ['bayesmi', *{words!r}]\n"
        "try:\n    main()\n"
        "except SystemExit as end:\n    assert not end.code, end.code\n"
        f"print('HEAVY', [name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "HEAVY []"
    assert "impute" in done.stdout or "0." in done.stdout


def test_describe_names_what_is_missing(file):
    done = run("describe", file, "--cluster", "g")
    assert done.exit_code == 0, done.output
    assert "20 missing cells" in done.output
    assert "Clusters 'g': 12" in done.output


@pytest.mark.xdist_group("cli")
def test_impute_writes_the_long_form(file, table, tmp_path):
    output = tmp_path / "out.parquet"
    done = run("impute", file, "y ~ x + (1 | g)", "-m", 3, "-o", output, *FEW)
    assert done.exit_code == 0, done.output
    assert "3 completed data sets of 96 rows" in done.output
    assert "import" in done.output
    assert "sample" in done.output
    long = pd.read_parquet(output)
    assert list(long.columns) == ["g", "x", "y", ".imp", ".id"]
    assert long.groupby(".imp").size().to_dict() == dict.fromkeys(range(4), 96)
    known = table["y"].notna()
    imputed = []
    for number in (1, 2, 3):
        part = long[long[".imp"] == number].reset_index(drop=True)
        assert part["y"].notna().all()
        assert (part["y"][known] == table["y"][known]).all()
        imputed.append(part["y"][~known])
    assert not np.allclose(imputed[0], imputed[1])


@pytest.mark.xdist_group("cli")
def test_impute_repeats_with_a_seed_and_is_quiet(file, tmp_path):
    outputs = [tmp_path / "first.csv", tmp_path / "second.csv"]
    for output in outputs:
        done = run("impute", file, "y ~ x", "-m", 2, "-o", output, "--quiet", *FEW)
        assert done.exit_code == 0, done.output
        assert done.output == ""
    assert outputs[0].read_bytes() == outputs[1].read_bytes()


def test_impute_replaces_a_file_only_when_told(file, tmp_path):
    output = tmp_path / "out.parquet"
    output.write_text("mine")
    done = run("impute", file, "y ~ x", "-o", output, *FEW)
    assert isinstance(done.exception, DataError)
    assert "--force" in str(done.exception)
    assert output.read_text() == "mine"


def test_mistakes_are_named_before_sampling(file, tmp_path):
    done = run("impute", file, "y ~ z", "-o", tmp_path / "out.csv", *FEW)
    assert done.exit_code != 0
    assert "z" in str(done.exception)
    done = run("impute", file, "y ~ x", "-m", 0, "-o", tmp_path / "out.csv")
    assert isinstance(done.exception, ModelError)
    assert not list(tmp_path.glob("out*"))
