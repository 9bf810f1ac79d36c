"""The README's example runs and prints what stands below it, figures apart; its shell commands exist."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

README = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")
NUMBER = re.compile(r"[−-]?\d+\.\d+")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


@pytest.mark.notebook
def test_example_prints_what_is_pasted(capsys):
    exec(compile(blocks("python")[0], "README.md", "exec"), {})
    printed = capsys.readouterr().out.splitlines()
    pasted = blocks("text")[0].splitlines()
    assert len(printed) == len(pasted)
    for line, wanted in zip(printed, pasted, strict=True):
        if not line.startswith("Recommended"):
            assert line.split()[:1] == wanted.split()[:1]
    summaries = [
        [list(map(float, NUMBER.findall(line))) for line in lines[2:8]] for lines in (printed, pasted)
    ]
    np.testing.assert_allclose(*summaries, atol=0.02)  # another platform may draw differently


def test_commands_are_those_that_exist():
    from bayesmi.cli.app import app

    shell = "\n".join(blocks("sh"))
    assert "pip install uv && uv run bayesmi demo" in shell
    assert "pip install uv && uv run pytest" in shell
    for command in re.findall(r"bayesmi (\w+)", shell):
        assert CliRunner().invoke(app, [command, "--help"]).exit_code == 0


def test_links_lead_somewhere():
    root = Path(__file__).resolve().parents[2]
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert (root / target).exists(), target


def test_no_path_of_a_machine():
    assert not re.search(r"/(home|root|work|Users|tmp)/", README)
