"""Files: categories stay, odd files are refused in one line."""

import gzip
import warnings

import pandas as pd
import pytest

from bayesmi.data import read_csv, read_table
from bayesmi.errors import BayesmiNotice, DataError


@pytest.fixture
def write(tmp_path):
    def writer(content, name="t.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return writer


def test_only_empty_and_na_are_missing(write):
    path = write("a,b\n1,None\n,null\nNA,NA\n4,\n")
    with pytest.warns(BayesmiNotice, match=r"column 'b': 'None', 'null' kept as a value in 2 cells"):
        data = read_csv(path)
    assert data["a"].isna().tolist() == [False, True, True, False]
    assert data["b"].tolist()[:2] == ["None", "null"]
    assert data["b"].isna().tolist() == [False, False, True, True]
    assert read_csv(path, na_values=["", "NA", "None", "null"])["b"].isna().all()


def test_impact_pupil_none_is_a_level(shared_data):
    with pytest.warns(BayesmiNotice, match="'pupil': 'None' kept"):
        data = read_table(shared_data / "impact_incomplete.csv")
    assert data["pupil"].isna().sum() == 1184
    assert pd.read_csv(shared_data / "impact_incomplete.csv")["pupil"].isna().sum() == 3213


def test_a_column_without_a_name_is_said(write):
    path = write(",x\n1,2\n2,3\n")
    with pytest.warns(BayesmiNotice, match="column 1 has no name in the file and is called 'Unnamed: 0'"):
        assert list(read_csv(path).columns) == ["Unnamed: 0", "x"]


def test_numbers_are_exact(write):
    values = [0.1, 1 / 3, 2.2250738585072014e-308, 123456.78901234567]
    data = read_csv(write("x\n" + "\n".join(map(repr, values))))
    assert data["x"].tolist() == values


def test_options(write):
    data = read_csv(write("a;b\n1,5;006\n2,25;010\n"), sep=";", decimal=",", dtype={"b": "str"})
    assert data["a"].tolist() == [1.5, 2.25]
    assert data["b"].tolist() == ["006", "010"]
    assert read_csv(write("a\né\n".encode("latin-1")), encoding="latin-1")["a"].tolist() == ["é"]
    assert list(read_csv(write("\ufeffa\n1\n"))) == ["a"]


def test_no_column_becomes_row_labels(write):
    data = read_csv(write("a,b\n1,2\n3,4\n"))
    assert list(data.columns) == ["a", "b"]
    assert data.index.tolist() == [0, 1]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "t.csv is empty"),
        (" \n\n", "t.csv is empty"),
        ("a,b\n", "has a header .* but no rows"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "binary file"),
        ("a\n1\n".encode("utf-16"), "UTF-16: pass encoding"),
        ("a\nb\né\n".encode("latin-1"), "line 3: not utf-8; .*latin-1"),
        ("a,b,a\n1,2,3\n", "occur more than once: 'a'"),
        ("a,b\n1,2\n3\n", "line 3: 1 field where the header has 2"),
        ("a,b\n1,2,3\n", "line 2: 3 fields where the header has 2"),
    ],
)
def test_odd_files_are_refused_in_one_line(write, content, message):
    with pytest.raises(DataError, match=message) as caught:
        read_csv(write(content))
    assert "\n" not in str(caught.value)


def test_files_that_are_not_there(tmp_path):
    with pytest.raises(DataError, match=r"none\.csv does not exist"):
        read_csv(tmp_path / "none.csv")
    with pytest.raises(DataError, match="is a folder"):
        read_csv(tmp_path)
    with pytest.raises(DataError, match="does not exist"):
        read_table(tmp_path / "none.parquet")


def test_unusable_dtype_is_refused(write):
    with pytest.raises(DataError, match=r"t.csv cannot be read as a table"):
        read_csv(write("a\nx\n"), dtype={"a": "float64"})
    with pytest.raises(DataError, match="encoding 'klingon' is not known"):
        read_csv(write("a\nx\n"), encoding="klingon")


def test_tables_by_suffix(write, tmp_path):
    expected = pd.DataFrame({"a": [1, 2], "b": ["x", "y"]})
    for name, content in [
        ("t.tsv", "a\tb\n1\tx\n2\ty\n"),
        ("t.TXT", "a,b\n1,x\n2,y\n"),
        ("t.csv.gz", gzip.compress(b"a,b\n1,x\n2,y\n")),
    ]:
        pd.testing.assert_frame_equal(read_table(write(content, name)), expected)
    expected["c"] = pd.Categorical(["u", None])
    expected.to_parquet(tmp_path / "t.parquet")
    pd.testing.assert_frame_equal(read_table(tmp_path / "t.parquet"), expected)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t.xlsx", b"x", "t.xlsx has no suffix that says what it is"),
        ("t.parquet", b"", "t.parquet is empty"),
        ("t.parquet", b"text", "not a Parquet file"),
        ("t.parquet", b"PAR1 and then nonsense", "damaged Parquet file"),
        ("t.csv.gz", b"text", "no intact gzip file"),
    ],
)
def test_odd_tables_are_refused(write, name, content, message):
    with pytest.raises(DataError, match=message) as caught:
        read_table(write(content, name))
    assert "\n" not in str(caught.value)


def test_notices_can_be_silenced(write):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read_table(write("b\nNone\nyes\n"), notify=False)
