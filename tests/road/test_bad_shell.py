"""Bad input from the shell: one line on stderr that begins `error:`, a non-zero exit status, nothing written."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from bayesmi.cli.app import main

ROWS = """y,x,z,g,who
1.5,0.1,2,a,p1
,0.2,1,a,p2
2.5,,4,b,p3
3.0,0.9,3,b,p4
2.0,0.4,5,c,p5
1.0,0.3,6,c,p6
2.2,0.8,7,d,p7
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "t.csv").write_text(ROWS)
    (tmp_path / "full.csv").write_text("y,x\n1,2\n2,1\n4,3\n")
    (tmp_path / "long.csv").write_text("y,.imp\n1,2\n,1\n4,3\n")
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "binary.csv").write_bytes(bytes(range(256)))
    (tmp_path / "there.csv").write_text("precious")
    (tmp_path / "sub").mkdir()
    countries = pd.DataFrame({"y": [1.5, None, 2.5, 3.0], "country": ["NA", "DE", "DE", "NA"]})
    countries.to_parquet(tmp_path / "countries.parquet")
    countries.assign(**{".id": 1}).to_parquet(tmp_path / "named.parquet")
    monkeypatch.chdir(tmp_path)
    return tmp_path


SHELL: dict[str, tuple[list[str], str]] = {
    "file not there": (["impute", "no.csv"], "no.csv does not exist"),
    "folder instead of a file": (["impute", "sub"], "sub is a folder"),
    "empty file": (["impute", "empty.csv"], "empty.csv is empty"),
    "binary file": (["describe", "binary.csv"], "binary.csv is a binary file"),
    "describe by an unknown cluster": (["describe", "t.csv", "--cluster", "gg"], "did you mean 'g'?"),
    "output exists": (
        ["impute", "t.csv", "y ~ x", "-o", "there.csv"],
        "'there.csv' exists already: choose another name",
    ),
    "output is the table": (
        ["impute", "t.csv", "y ~ x", "-o", "t.csv", "--force"],
        "'t.csv' is the table itself",
    ),
    "output folder missing": (["impute", "t.csv", "y ~ x", "-o", "no/x.csv"], "folder 'no' does not exist"),
    "output suffix unknown": (
        ["impute", "t.csv", "y ~ x", "-o", "x.sav"],
        "'x.sav': the output is a file whose name ends in .csv",
    ),
    "output without a name": (
        ["impute", "t.csv", "y ~ x", "-o", "sub/.csv"],
        "'sub/.csv': the output is a file",
    ),
    "output is a folder": (["impute", "t.csv", "y ~ x", "-o", "sub"], "'sub' is a folder"),
    "output below a file": (
        ["impute", "t.csv", "y ~ x", "-o", "t.csv/x.csv"],
        "'t.csv' is a file, not a folder",
    ),
    "output where nothing can be written": (
        ["impute", "t.csv", "y ~ x", "-o", "/proc/x.csv"],
        "cannot write '/proc/x.csv'",
    ),
    "text that a CSV file would lose": (
        ["impute", "countries.parquet", "y ~ country", "-o", "x.csv"],
        "column 'country' has the text value 'NA'",
    ),
    "reserved name in a Parquet file": (
        ["impute", "named.parquet", "y ~ country", "-o", "x.parquet"],
        "column '.id' is in the data",
    ),
    "demo with a negative seed": (["demo", "new", "--seed", "-1"], "seed must be a whole number"),
    "demo in a file": (["demo", "t.csv"], "'t.csv' is a file: name a folder"),
    "unknown column": (["impute", "t.csv", "y ~ xx"], "`xx`; did you mean `x`?"),
    "formula typo": (["impute", "t.csv", "y ~ x z"], "unexpected `z`"),
    "empty formula": (["impute", "t.csv", ""], "the formula is empty"),
    "identifier": (["impute", "t.csv", "y ~ who"], "column 'who' is an identifier"),
    "cluster beside a formula": (["impute", "t.csv", "y ~ x", "--cluster", "g"], "write (1 | g)"),
    "unknown cluster": (["impute", "t.csv", "--cluster", "gg"], "'gg' is not in the table"),
    "nothing missing": (["impute", "full.csv", "y ~ x"], "nothing to impute"),
    "nothing missing, no formula": (["impute", "full.csv"], "nothing to impute"),
    "reserved name in the long form": (["impute", "long.csv", "y ~ 1", "-o", "x.csv"], "column '.imp'"),
    "m = 0": (["impute", "t.csv", "y ~ x", "-m", "0"], "-m must be 1 or more, not 0"),
    "m is a text": (["impute", "t.csv", "y ~ x", "-m", "five"], "'-m'"),
    "m above the draws": (["impute", "t.csv", "y ~ x", "-m", "50", "--draws", "10"], "raise --draws"),
    "draws = 0": (["impute", "t.csv", "y ~ x", "--draws", "0"], "--draws must be 1 or more"),
    "cores = 0": (["impute", "t.csv", "y ~ x", "--cores", "0"], "--cores must be 1 or more"),
    "negative seed": (["impute", "t.csv", "y ~ x", "--seed", "-1"], "--seed must be zero or positive"),
    "kind without a column": (["impute", "t.csv", "y ~ x", "--kind", "count"], "write COLUMN=KIND"),
    "unknown kind": (["impute", "t.csv", "y ~ x", "--kind", "x=cont"], "did you mean 'count'?"),
    "unknown option": (["impute", "t.csv", "--fast"], "--fast"),
    "unknown command": (["imput", "t.csv"], "'imput'"),
    "no file": (["impute"], "FILE"),
}


@pytest.mark.parametrize("case", SHELL)
def test_shell_refuses_in_one_line(
    case: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments, words = SHELL[case]
    before = {path: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    monkeypatch.setattr(sys, "argv", ["bayesmi", *arguments])
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code in (1, 2)
    captured = capsys.readouterr()
    *notes, line = captured.err.splitlines()  # that 'NA' may mean missing is said once, before
    assert all(note.startswith("note: ") for note in notes)
    assert line.startswith("error: ")
    assert words in line
    assert captured.out == ""
    assert {path: path.read_bytes() for path in folder.iterdir() if path.is_file()} == before
    assert not (folder / "new").exists()


def bayesmi(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "COLUMNS": "80",
        "PYTHONPATH": str(Path(__file__).resolve().parents[2]),
        **more,
    }
    return subprocess.run(
        [sys.executable, "-m", "bayesmi", *arguments], capture_output=True, text=True, timeout=300, check=False,
        env=environment,
    )  # fmt: skip


def test_process_refuses_a_missing_file_in_one_line(folder: Path) -> None:
    done = bayesmi("impute", "no.csv", "y ~ x", "-o", "x.csv")
    assert (done.returncode, done.stderr) == (1, "error: no.csv does not exist\n")
    assert not (folder / "x.csv").exists()


def test_process_whose_terminal_lacks_a_character_prints_the_rest(folder: Path) -> None:
    done = bayesmi("describe", "t.csv", PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (0, "")
    assert "2 missing cells" in done.stdout


def test_process_whose_posterior_fails_its_checks_writes_nothing(folder: Path) -> None:
    before = sorted(os.listdir(folder))
    done = bayesmi(
        "impute", "t.csv", "y ~ x", "-o", "x.csv", "--draws", "20", "--tune", "20", "--seed", "1", "-q"
    )
    (line,) = done.stderr.splitlines()
    assert done.returncode == 1
    assert line.startswith("error: checks FAILED")
    assert "--despite-gate" in line
    assert sorted(os.listdir(folder)) == before


def test_process_writes_the_whole_file_when_told_to_go_on(folder: Path) -> None:
    done = bayesmi(
        "impute", "t.csv", "y ~ x", "-o", "there.csv", "--force", "-m", "3", "--draws", "20", "--tune", "20", "--seed", "1",
        "--despite-gate", "-q",
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    written = pd.read_csv(folder / "there.csv")
    assert written[".imp"].tolist() == [i for i in range(4) for _ in range(7)]
    assert written.loc[written[".imp"] > 0, ["y", "x"]].notna().all(axis=None)
    assert not [name for name in os.listdir(folder) if name.endswith(".part")]
