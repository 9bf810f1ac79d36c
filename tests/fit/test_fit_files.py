"""A saved fit comes back whole: posterior, gate, summary, imputations; what is not whole does not load."""

import json
import warnings
import zipfile

import numpy as np
import pandas as pd
import pytest
from kernel_cases import small_table

import bayesmi as bmi
from bayesmi import BayesmiNotice, Model, Prior
from bayesmi.errors import BayesmiError, DataError

pytestmark = pytest.mark.xdist_group("fit_files")
COLUMNS = ["y", "x", "x2", "b1", "z", "k3", "v", "text", "a", "c"]


def made_fit(formula="y ~ x + b1 + v + k3 + z + (1 + z | a) + (1 | c)", **options):
    data = small_table()[COLUMNS]
    data["over"] = (np.arange(len(data)) == 20).astype(float)
    data.index = [f"row {i}" for i in range(len(data))]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesmiNotice)
        model = Model(formula, data, **options)
        return model.fit(seed=11, draws=50, tune=150, progress=False)


@pytest.fixture(scope="module")
def fit():
    return made_fit(
        priors={"z": Prior("Normal", 0, 3), "a__corr": Prior("LKJ", 3)},
        order=["v", "b1", "x"],
        formulas={"b1": "~ z"},
        treatments={"1|c": "centred"},
    )


@pytest.fixture
def path(fit, tmp_path):
    fit.save(tmp_path / "one.bmi")
    return tmp_path / "one.bmi"


def quiet(function, *args, **kwargs):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesmiNotice)
        return function(*args, **kwargs)


def assert_same(fit, again):
    assert set(again.tree.children) == set(fit.tree.children)
    for name, node in fit.tree.children.items():
        for label, variable in node.data_vars.items():
            other = again.tree[name][label]
            np.testing.assert_array_equal(other.values, variable.values, err_msg=f"{name}/{label}")
            assert other.dims == variable.dims
            for dim in variable.dims:
                assert [str(v) for v in other[dim].values] == [str(v) for v in variable[dim].values]
    assert again.gate == fit.gate
    assert again.seed == fit.seed
    assert repr(again.model) == repr(fit.model)
    assert again.model.to_dict() == fit.model.to_dict()
    assert repr(again.plan) == repr(fit.plan)
    pd.testing.assert_frame_equal(quiet(again.summary, all_models=True), quiet(fit.summary, all_models=True))
    one, two = fit.impute(3, despite_gate=True), again.impute(3, despite_gate=True)
    pd.testing.assert_frame_equal(quiet(one.complete, "long"), quiet(two.complete, "long"))
    pd.testing.assert_frame_equal(one.complete(0), two.complete(0))


def test_everything_comes_back(fit, path):
    assert_same(fit, bmi.load(path))


@pytest.mark.parametrize(
    ("formula", "options"),
    [
        ("y ~ x + x2 + z", {}),  # integrated cells
        ("y ~ 0 + x + z", {}),
        ("y ~ x + text + (1 || a)", {"levels": "pooled"}),
        ("y ~ z + (1 | a/c)", {}),
        ("y ~ x + z + b1", {"kinds": {"b1": "continuous"}, "not_applicable": {"y": "over == 1"}}),
        ("y ~ x + v + (1 | a)", {"levels": {"x": "row"}}),
    ],
)
def test_other_shapes_come_back(formula, options, tmp_path):
    one = made_fit(formula, **options)
    one.save(tmp_path / "x.bmi")
    assert_same(one, bmi.load(tmp_path / "x.bmi"))


def test_a_loaded_fit_can_be_saved_again(fit, path, tmp_path):
    bmi.load(path).save(tmp_path / "two.bmi")
    assert_same(fit, bmi.load(tmp_path / "two.bmi"))


def test_the_file_holds_no_pickle(path):
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        assert "manifest.json" in names
        assert "model.json" in names
        assert not [name for name in names if name.endswith((".pkl", ".pickle"))]
        manifest = json.loads(archive.read("manifest.json"))
    assert manifest["format"] == "bayesmi-fit"
    assert manifest["seed"] == 11


def refused(path, text):
    with pytest.raises(DataError, match=text) as caught:
        bmi.load(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_a_file_that_was_cut_off_is_refused(path, share):
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    refused(path, "damaged, cut off")


def test_wrong_files_are_refused(tmp_path, path):
    refused(tmp_path / "none.bmi", "does not exist")
    (tmp_path / "text.bmi").write_text("y,x\n1,2\n")
    refused(tmp_path / "text.bmi", "no file that bayesmi wrote")
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("hello.txt", "hello")
    refused(tmp_path / "other.zip", "no file that bayesmi wrote")
    refused(tmp_path, "cannot read|is a folder")
    rewrite(path, manifest={"format": "something-else"})
    refused(path, "something-else")


def rewrite(path, *, manifest=None, damage=None, drop=None):
    """Write the zip anew with changes."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    if manifest:
        members["manifest.json"] = json.dumps(json.loads(members["manifest.json"]) | manifest).encode()
    if damage:
        members[damage] = members[damage][:-1] + b"?"
    if drop:
        del members[drop]
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def test_a_newer_format_is_refused(path):
    rewrite(path, manifest={"format_version": 99})
    refused(path, "format 99.*update bayesmi")


@pytest.mark.parametrize("member", ["model.json", "data.parquet"])
def test_a_changed_member_is_refused(path, member):
    rewrite(path, damage=member)
    refused(path, f"checksum of {member}")


def test_a_missing_chunk_is_refused(path):
    """Zarr would load it as NaN."""
    with zipfile.ZipFile(path) as archive:
        chunk = next(
            name for name in archive.namelist() if name.startswith("posterior.zarr/") and "/c/" in name
        )
    rewrite(path, drop=chunk)
    refused(path, "damaged, cut off")


def test_an_existing_file_is_not_replaced_unless_asked(fit, path):
    before = path.read_bytes()
    with pytest.raises(BayesmiError, match=r"force=True"):
        fit.save(path)
    assert path.read_bytes() == before
    fit.save(path, force=True)
    assert_same(fit, bmi.load(path))


def test_an_interrupted_write_leaves_nothing(fit, tmp_path, monkeypatch):
    target = tmp_path / "x.bmi"
    count = 0
    original = zipfile.ZipFile.writestr

    def interrupted(self, *args, **kwargs):
        nonlocal count
        count += 1
        if count == 5:
            raise KeyboardInterrupt
        return original(self, *args, **kwargs)

    monkeypatch.setattr(zipfile.ZipFile, "writestr", interrupted)
    with pytest.raises(KeyboardInterrupt):
        fit.save(target)
    assert count == 5
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_write_keeps_the_file_that_was_there(fit, path, monkeypatch):
    before = path.read_bytes()

    def interrupted(self, *args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(zipfile.ZipFile, "writestr", interrupted)
    with pytest.raises((OSError, BayesmiError)):
        fit.save(path, force=True)
    monkeypatch.undo()
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]
    assert_same(fit, bmi.load(path))
