"""Separate models by group: read alike, fitted apart, completed as one table."""

import subprocess
import sys
import warnings

import numpy as np
import pandas as pd
import pytest

import bayesmi as bmi
from bayesmi import BayesmiNotice
from bayesmi.data import IncompleteFrame
from bayesmi.errors import BayesmiError, GateError, ModelError
from bayesmi.formula import parse
from bayesmi.separate.fits import seed_of
from bayesmi.separate.models import _each
from bayesmi.separate.options import complete_in_group

pytestmark = pytest.mark.xdist_group("separate")
FEW = {"draws": 150, "tune": 250, "progress": False}


def trial(n=160):
    """Two arms in mixed order, with opposite slopes, and a category that only one arm has."""
    rng = np.random.default_rng(3)
    arm = rng.choice(["drug", "control"], n)
    school = rng.integers(0, 8, n)
    x = rng.normal(size=n)
    kind = np.where(arm == "drug", rng.choice(["a", "b", "c"], n), rng.choice(["b", "c"], n))
    slope = np.where(arm == "drug", 2.0, -2.0)
    y = slope * x + (kind == "c") + 0.3 * rng.normal(size=8)[school] + 0.5 * rng.normal(size=n)
    data = pd.DataFrame({"id": [f"p{i}" for i in range(n)], "arm": arm, "school": school, "x": x})
    data = data.assign(kind=pd.Categorical(kind, ["a", "b", "c"]), y=y, whole=rng.integers(0, 9, n))
    for name, share in (("x", 0.2), ("kind", 0.15), ("y", 0.1)):
        data.loc[rng.random(n) < share, name] = np.nan
    return data.set_index(np.arange(500, 500 + n))


def quiet(make, *args, **kwargs):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesmiNotice)
        return make(*args, **kwargs)


@pytest.fixture(scope="module")
def fits():
    models = quiet(bmi.SeparateModels, "y ~ x + kind + (1 | school)", trial(), by="arm")
    return quiet(models.fit, seed=4, **FEW)


def test_it_is_a_mapping_that_prints_by_group(fits):
    assert list(fits) == ["control", "drug"]
    assert list(fits.models) == ["control", "drug"]
    for text in (repr(fits.models), repr(fits.models.plan()), repr(fits), str(fits.gate)):
        assert "arm = control" in text
        assert "arm = drug" in text
    assert fits.models["drug"].frame.n_rows == int((trial()["arm"] == "drug").sum())


def test_a_group_is_the_model_of_its_rows_alone(fits):
    data = trial()
    alone = quiet(bmi.Model, "y ~ x + kind + (1 | school)", data[data["arm"] == "drug"])
    one = quiet(alone.fit, seed=seed_of(4, 1), **FEW)
    for name in ("x", "kind", "sigma"):
        np.testing.assert_array_equal(one.posterior[name], fits["drug"].posterior[name])


def test_summary_has_the_group_in_a_column(fits):
    table = quiet(fits.summary)
    assert table.columns[0] == "arm"
    slopes = table.loc["x"].set_index("arm")["mean"]
    assert slopes["drug"] == pytest.approx(2.0, abs=0.4)
    assert slopes["control"] == pytest.approx(-2.0, abs=0.4)
    # categories that a group does not have have no effect there
    assert "kind[c]" in set(table.loc[table["arm"] == "control"].index)


def test_completed_tables_are_the_whole_table_in_its_order(fits):
    data = trial()
    imputed = quiet(fits.impute, 3, despite_gate=True)
    for i in (1, 3):
        completed = quiet(imputed.complete, i)
        assert completed.index.equals(data.index)
        assert list(completed.columns) == list(data.columns)
        assert completed.dtypes["kind"] == data.dtypes["kind"]
        assert not completed.isna().to_numpy().any()
        for name in data.columns:
            seen = data[name].notna()
            assert (completed.loc[seen, name] == data.loc[seen, name]).all()
        # 'a' does not occur among the controls, whose codes differ from the whole table's
        filled = completed.loc[data["kind"].isna() & (data["arm"] == "control"), "kind"]
        assert set(filled) <= {"b", "c"}
    x, y = data["x"].isna() & data["y"].notna(), imputed.complete(1)
    drug = data["arm"] == "drug"
    assert np.corrcoef(y.loc[x & drug, "x"], data.loc[x & drug, "y"])[0, 1] > 0.8
    assert np.corrcoef(y.loc[x & ~drug, "x"], data.loc[x & ~drug, "y"])[0, 1] < -0.8


def test_imputations_of_a_group_are_its_own(fits):
    """Imputation i takes the group's draw at the origin it names, and groups do not share random numbers."""
    imputed = quiet(fits.impute, 2, despite_gate=True)
    again = quiet(fits.impute, 2, despite_gate=True)
    other = quiet(fits.impute, 2, seed=99, despite_gate=True)
    pd.testing.assert_frame_equal(imputed.complete(2), again.complete(2))
    assert not imputed.complete(2)["x"].equals(other.complete(2)["x"])
    assert imputed.origin.shape == (2, 2)


def test_save_and_load(fits, tmp_path):
    path = tmp_path / "arms.bmi"
    fits.save(path)
    loaded = bmi.load(path)
    assert isinstance(loaded, bmi.SeparateFits)
    assert list(loaded) == list(fits)
    assert loaded.seed == fits.seed
    one, two = (quiet(each.impute, 2, despite_gate=True).complete("long") for each in (fits, loaded))
    pd.testing.assert_frame_equal(one, two)
    pd.testing.assert_frame_equal(quiet(fits.summary), quiet(loaded.summary))
    imputations = tmp_path / "imputed.bmi"
    quiet(fits.impute, 2, despite_gate=True).save(imputations)
    pd.testing.assert_frame_equal(bmi.load(imputations).complete("long"), one)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BayesmiError, match="damaged"):
        bmi.load(path)


def test_mice_fields_work(fits):
    imputed = quiet(fits.impute, 2, despite_gate=True)
    assert imputed.imp["x"].shape == (int(trial()["x"].isna().sum()), 2)
    assert set(imputed.method) >= {"x", "y", "kind"}


def test_gate_names_the_group(fits):
    if fits.gate.passed:
        pytest.skip("these few draws passed")
    with pytest.raises(GateError, match=r"^where arm is '.*'"):
        fits.impute(2)


def test_in_one_line():
    imputed = quiet(bmi.impute, trial(), "y ~ x", m=2, by="arm", seed=1, despite_gate=True, **FEW)
    table = quiet(imputed.complete, 1)
    assert not table[["x", "y"]].isna().to_numpy().any()
    assert table["kind"].isna().any()  # not in the model
    everything = quiet(
        bmi.impute, trial()[["arm", "x", "y"]], m=2, by="arm", seed=1, despite_gate=True, **FEW
    )
    assert "arm" not in everything.formula.split(", separately")[0]
    assert everything.formula.endswith("separately by arm")


def test_polars():
    polars = pytest.importorskip("polars")
    data = polars.from_pandas(trial().drop(columns="kind"))
    imputed = quiet(bmi.impute, data, "y ~ x", m=1, by="arm", seed=1, despite_gate=True, **FEW)
    completed = imputed.complete(1)
    assert isinstance(completed, polars.DataFrame)
    assert completed["arm"].to_list() == data["arm"].to_list()
    assert completed["x"].null_count() == 0


def test_kinds_are_those_of_the_whole_table():
    """A number with two values in one arm stays continuous there."""
    data = trial()
    data.loc[data["arm"] == "drug", "x"] = (data.loc[data["arm"] == "drug", "x"] > 0).astype(float)
    models = quiet(bmi.SeparateModels, "y ~ x", data, by="arm")
    assert {str(model.frame.columns["x"].kind) for model in models.values()} == {"continuous"}


def test_a_cluster_value_known_in_the_other_arm_is_known():
    data = trial()
    data["size"] = np.arange(8.0)[data["school"]] ** 2
    data.loc[(data["school"] == 3) & (data["arm"] == "drug"), "size"] = np.nan
    models = quiet(bmi.SeparateModels, "y ~ x + size + (1 | school)", data, by="arm")
    frame = models["drug"].frame
    assert frame.columns["size"].n_missing == 0
    assert frame.columns["size"].level == "school"
    imputed = quiet(
        quiet(models.fit, seed=1, draws=60, tune=100, chains=2, progress=False).impute, 1, despite_gate=True
    )
    assert (quiet(imputed.complete, 1)["size"] == np.arange(8.0)[data["school"]] ** 2).all()


def test_remarks_and_errors_say_of_which_group_they_are(fits):
    strata = fits.models.strata

    def remark(stratum):
        warnings.warn("of all", BayesmiNotice, stacklevel=1)
        if stratum.label == "drug":
            warnings.warn("of one", BayesmiNotice, stacklevel=1)

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        _each("arm", strata, remark, stacklevel=2)
    assert [str(one.message) for one in caught] == ["of all", "where arm is 'drug': of one"]

    def fail(stratum):
        if stratum.label == "drug":
            raise ModelError("no")

    with pytest.raises(ModelError, match=r"^where arm is 'drug': no$"):
        _each("arm", strata, fail, stacklevel=2)


@pytest.mark.parametrize(
    ("formula", "change", "options", "words"),
    [
        ("y ~ x + arm", {}, {}, r"by='arm' is constant in each .* and the formula names it"),
        ("arm ~ x", {}, {}, "the formula names it"),
        ("y ~ x + (1 | arm)", {}, {}, "the formula names it"),
        ("y ~ x", {}, {"auxiliary": ["arm"]}, "auxiliary= names it"),
        ("y ~ x", {}, {"formulas": {"x": "~ arm"}}, r"formulas\['x'\] names it"),
        ("y ~ x", {"arm": lambda d: d["arm"].where(d.index != 503)}, {}, r"by='arm' is missing in row 503"),
        ("y ~ x", {"arm": "one"}, {}, "has one level only, 'one'"),
        ("y ~ x", {"arm": lambda d: np.arange(len(d))}, {}, "has 160 levels"),
        (
            "y ~ x",
            {"x": lambda d: d["x"].where(d["arm"] == "drug")},
            {},
            "'x' has no observed value where arm is 'control'",
        ),
        (
            "y ~ x + whole",
            {"whole": lambda d: d["whole"].where(d["arm"] == "drug", 3)},
            {},
            "where arm is 'control': .*whole",
        ),
        ("y ~ nothing", {}, {}, "nothing"),
    ],
)
def test_refusals(formula, change, options, words):
    data = trial().assign(**change)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesmiNotice)
        with pytest.raises(BayesmiError, match=words) as found:
            bmi.SeparateModels(formula, data, by="arm", **options)
    assert "\n" not in str(found.value)


def test_by_must_be_a_column():
    with pytest.raises(ModelError, match="by= names 'arms', which is not a column"):
        quiet(bmi.SeparateModels, "y ~ x", trial(), by="arms")
    with pytest.raises(ModelError, match="by= names one column"):
        quiet(bmi.SeparateModels, "y ~ x", trial(), by=["arm"])


def test_a_missing_cluster_cell_in_two_arms_is_refused():
    data = trial()
    data["size"] = np.arange(8.0)[data["school"]] ** 2
    data.loc[data["school"] == 3, "size"] = np.nan
    with pytest.raises(ModelError, match=r"'size' is missing for school 3, .* would impute it twice"):
        quiet(bmi.SeparateModels, "y ~ x + size + (1 | school)", data, by="arm")


def test_one_complete_group_is_no_obstacle_but_nothing_missing_is():
    data = trial()[["arm", "x", "y"]]
    drug = data["arm"] == "drug"
    data.loc[drug] = data.loc[drug].fillna(0.5)
    imputed = quiet(bmi.impute, data, "y ~ x", m=1, by="arm", seed=1, despite_gate=True, **FEW)
    assert not imputed.complete(1).isna().to_numpy().any()
    with pytest.raises(ModelError, match="nothing is missing"):
        quiet(bmi.impute, data.dropna(), "y ~ x", m=1, by="arm", seed=1, **FEW)


def test_shell(tmp_path):
    path, out = tmp_path / "trial.csv", tmp_path / "out.csv"
    trial()[["arm", "x", "y"]].to_csv(path, index=False)
    command = [sys.executable, "-m", "bayesmi", "impute", str(path), "y ~ x", "--by", "arm", "-m", "2"]
    command += ["--draws", "150", "--tune", "200", "--seed", "1", "--despite-gate", "-o", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert "arm = control" in done.stderr
    assert len(pd.read_csv(out)) == 3 * len(trial())
    command[command.index("y ~ x")] = "y ~ x + arm"
    done = subprocess.run([*command, "--force"], capture_output=True, text=True, timeout=300)
    assert done.returncode == 1
    assert "by='arm'" in done.stderr
    assert done.stderr.strip().count("\n") == 0


@pytest.mark.parametrize("recorded", [True, False])
def test_derived_variables_are_consistent_in_every_group(recorded):
    data = trial()[["arm", "x", "y"]].assign(w=np.random.default_rng(5).normal(size=160))
    whole = data["x"] + 2 * data["w"]
    if recorded:
        data["whole"] = whole.where(np.arange(160) % 3 > 0)
        data.loc[data["whole"].notna() & (np.arange(160) % 5 == 0), "x"] = np.nan
    models = quiet(bmi.SeparateModels, "y ~ whole", data, by="arm", derived={"whole": "x + 2 * w"})
    completed = quiet(models.fit, seed=4, **FEW).impute(2, despite_gate=True).complete(1)
    np.testing.assert_allclose(completed["whole"], completed["x"] + 2 * completed["w"], rtol=1e-12)
    assert completed.notna().all(axis=None)
    if recorded:
        seen = data["whole"].notna()
        np.testing.assert_array_equal(completed["whole"][seen], data["whole"][seen])


@pytest.mark.parametrize(
    "options",
    [
        {"families": {"x": "student"}},
        {"formulas": {"x": "~ 1"}},
        {"treatments": {"x": "sample"}},
        {"treatments": {"x__1|school": "noncentred", "x": {"integrate": "sample"}}},
        {"mechanisms": {"x": bmi.Delta(-1.0)}},
        {"priors": {"x__Intercept": bmi.Prior("Normal", 0, 1)}},
        {"order": ["kind", "x"]},
    ],
    ids=lambda options: next(iter(options)),
)
def test_what_is_said_of_a_covariate_does_not_concern_a_group_that_has_it_complete(options):
    data = trial()
    data.loc[data["arm"] == "drug", "x"] = data.loc[data["arm"] == "drug", "x"].fillna(0.5)
    models = quiet(bmi.SeparateModels, "y ~ x + kind + (1 | school)", data, by="arm", **options)
    assert "x" in models["control"].order
    assert models["drug"].order == ("kind",)
    plain = quiet(bmi.SeparateModels, "y ~ x + kind + (1 | school)", data, by="arm")
    assert repr(models["drug"]) == repr(plain["drug"])
    assert (repr(models["control"]), repr(models["control"].plan())) != (
        repr(plain["control"]),
        repr(plain["control"].plan()),
    ) or "order" in options
    with pytest.raises(ModelError, match="w"):  # a name that is nowhere is still refused
        quiet(bmi.SeparateModels, "y ~ x", data, by="arm", families={"w": "student"})


def test_a_variable_with_latent_means_has_a_model_where_it_is_complete_too():
    whole = pd.DataFrame({"y": [1.0, 2.0, 3.0, 4.0], "my x": [1.0, np.nan, 2.0, 3.0], "g": list("aabb")})
    frame = IncompleteFrame.from_table(whole)
    group = IncompleteFrame.from_table(whole[2:])
    assert complete_in_group(frame, group, parse("y ~ `my x`"), {}) == {"my x"}
    for text in (
        "y ~ between(`my x`, g)",
        "y ~ 1 + (1 + within(`my x`, g) | g)",
        "y ~ group_effect(`my x`, g)",
    ):
        assert complete_in_group(frame, group, parse(text), {}) == set()
