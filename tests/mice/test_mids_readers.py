"""Completed data as other programs lay them out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import bayesmi as bmi
from bayesmi.errors import DataError

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "layouts"
COMPLETE = GOLDEN.parent / "complete"


@pytest.fixture
def table() -> pd.DataFrame:
    return bmi.datasets.load("nhanes")


def completed(table: pd.DataFrame, m: int = 3) -> list[pd.DataFrame]:
    rng = np.random.default_rng(5)
    return [
        table.assign(
            **{
                name: table[name].where(table[name].notna(), rng.choice(table[name].dropna(), len(table)))
                for name in table.columns
            }
        )
        for _ in range(m)
    ]


def check(imputed, table, tables) -> None:
    assert imputed.m == len(tables)
    assert imputed.nmis.to_dict() == table.isna().sum().to_dict()
    for number, one in enumerate(tables, start=1):
        np.testing.assert_allclose(imputed.complete(number)[list(table.columns)], one[list(table.columns)])


def test_long_of_mice_as_debian_writes_it():
    # written by mice 3.15: .imp and .id first, .id is the position
    imputed = bmi.read_mids(COMPLETE / "long_include.csv")
    golden = pd.read_csv(COMPLETE / "cells_score.csv", index_col=0)
    assert imputed.m == 3
    np.testing.assert_allclose(imputed.cells("score").to_numpy(), golden.to_numpy())
    labels = pd.read_csv(COMPLETE / "cells_group.csv", index_col=0)
    assert imputed.cells("group").to_numpy().tolist() == labels.to_numpy().tolist()
    assert imputed.version == "mice"


def test_jomo_as_jomo_writes_it():
    imputed = bmi.read_mids(GOLDEN / "jomo.csv")
    raw = pd.read_csv(GOLDEN / "jomo.csv")
    assert imputed.version == "jomo"
    assert imputed.m == 2
    assert "Imputation" not in imputed.frame.columns
    for number in (1, 2):
        part = raw[raw["Imputation"] == number]
        np.testing.assert_allclose(imputed.complete(number)["chl"], part["chl"])
    assert imputed.nmis["chl"] == 10


def test_mitml_list_and_spss_file(table):
    paths = [GOLDEN / f"mitml_{number}.csv" for number in (1, 2)]
    imputed = bmi.read_mids(paths, data=table, layout="mitml")
    tables = [pd.read_csv(path) for path in paths]
    for number, one in enumerate(tables, start=1):
        np.testing.assert_allclose(imputed.complete(number)["bmi"], one["bmi"])
        assert imputed.complete(number)["hyp"].isna().sum() == 8  # not imputed by this model
    # a file of write.mitmlSPSS counts imputations from 0 and has no incomplete table
    spss = pd.read_csv(GOLDEN / "mitml_spss.dat", sep="\t")
    assert spss["Imputation_"].tolist()[0] == 0
    also = bmi.as_mids(spss.replace(-999, np.nan), table, layout="mitml")
    assert also.m == 2
    np.testing.assert_allclose(also.cells("bmi").to_numpy(), imputed.cells("bmi").to_numpy())


def test_amelia_files_one_an_imputation_and_stacked(table, tmp_path):
    tables = completed(table, 11)
    for number, one in enumerate(tables, start=1):
        # write.amelia(separate = TRUE) writes R's row names in a column without a name
        one.set_axis(range(1, 26), axis=0).to_csv(tmp_path / f"outdata{number}.csv", index_label="")
    table.to_csv(tmp_path / "incomplete.csv", index=False)
    imputed = bmi.read_mids(str(tmp_path / "outdata*.csv"), data=tmp_path / "incomplete.csv")
    check(imputed, table, tables)
    stacked = pd.concat([t.assign(imp=i) for i, t in enumerate([table, *tables])])
    stacked.to_csv(tmp_path / "stacked.csv", index_label="")
    check(bmi.read_mids(tmp_path / "stacked.csv"), table, tables)


def test_miceforest_kernel_by_what_it_has(table):
    tables = completed(table)

    class Kernel:  # version 6; version 5 has dataset_count()
        num_datasets = 3

        def complete_data(self, dataset):
            return tables[dataset].astype("float32")

    check(bmi.as_mids(Kernel(), table), table, tables)
    with pytest.raises(DataError, match="pass it as data="):
        bmi.as_mids(Kernel())


def test_statsmodels(table):
    from statsmodels.imputation.mice import MICEData

    np.random.seed(1)  # noqa: NPY002 - statsmodels draws from the global generator
    imputed = bmi.from_statsmodels(MICEData(table), m=3, skip=0)
    assert imputed.m == 3
    assert imputed.nmis.to_dict() == table.isna().sum().to_dict()
    assert not imputed.complete(2).isna().any(axis=None)
    with pytest.raises(DataError, match="from_statsmodels"):
        bmi.as_mids(MICEData(table))


@pytest.mark.filterwarnings("ignore::bayesmi.errors.BayesmiNotice")
def test_parquet_and_back(table, tmp_path):
    imputed = bmi.as_mids(completed(table), table)
    imputed.to_parquet(tmp_path / "long.parquet")
    back = bmi.read_mids(tmp_path / "long.parquet", like=imputed)
    for number in (1, 3):
        pd.testing.assert_frame_equal(back.complete(number), imputed.complete(number), check_dtype=False)


def test_reading_loads_no_sampler():
    import subprocess
    import sys

    code = "import bayesmi.mice, bayesmi.compat, sys; print([m for m in ('numba', 'pymc', 'nutpie') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_list_and_dict_with_the_incomplete_table_as_zero(table):
    tables = completed(table)
    check(bmi.as_mids(tables, table), table, tables)
    check(bmi.as_mids({0: table, **dict(enumerate(tables, 1))}), table, tables)
    reordered = [one.sample(frac=1, random_state=2) for one in tables]
    check(bmi.as_mids(reordered, table), table, tables)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda t: bmi.as_mids([], t), "no completed tables"),
        (lambda t: bmi.as_mids([1], t), "not a DataFrame"),
        (lambda t: bmi.as_mids(3), "takes a long table"),
        (lambda t: bmi.as_mids([t.drop(columns="bmi")], t), "lack column 'bmi'"),
        (lambda t: bmi.as_mids([t.assign(z=1)], t), "column 'z'"),
        (lambda t: bmi.as_mids([t.iloc[1:]], t), "has 24 rows"),
        (lambda t: bmi.as_mids(t, layout="jomy"), "did you mean 'jomo'"),
        (lambda t: bmi.read_mids("nowhere*.csv"), "no file matches"),
    ],
)
def test_misfits_are_refused_in_one_line(table, call, words):
    with pytest.raises(DataError, match=words) as caught:
        call(table)
    assert "\n" not in str(caught.value)
