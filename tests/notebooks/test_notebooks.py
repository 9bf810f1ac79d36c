"""Every notebook runs from top to bottom, says nothing on stderr and shows its figures."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
SHARED = Path(os.environ.get("BAYESMI_SHARED", FOLDER.parent.parent / "shared"))
NEEDS = {
    "02_titanic": "titanic3.csv",
    "03_detection_limits": "she_pyrene.csv",
    "04_trial": "antidepressant.csv",
    "05_wages": "mroz87.csv",
    "06_obesity": "obesity.csv",
    "08_share": "share.csv",
    "09_impact": "impact_incomplete.csv",
}  # data that do not ship with the package

pytestmark = [
    pytest.mark.notebook,
    pytest.mark.filterwarnings("ignore"),  # of the Jupyter client; those of the notebook are in its outputs
]


def execute(path: Path, folder: Path):
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = []
    client = NotebookClient(
        notebook,
        timeout=600,
        kernel_name="python3",
        resources={"metadata": {"path": str(folder)}},
        allow_errors=True,
    )
    client.execute()
    return notebook


def complaints(cell) -> list[str]:
    """Errors, warnings and whatever else a cell wrote to stderr."""
    found = []
    for output in cell.get("outputs", ()):
        if output.output_type == "error":
            found.append(f"{output.ename}: {output.evalue}")
        elif output.output_type == "stream" and (output.name == "stderr" or "Warning" in output.text):
            found.append(output.text)
    return found


def figures(cell) -> int:
    return sum("image/png" in output.get("data", {}) for output in cell.get("outputs", ()))


def test_there_are_notebooks():
    assert NOTEBOOKS


@pytest.mark.timeout(900)
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_runs_without_error_or_warning(path, tmp_path, monkeypatch):
    if path.stem in NEEDS:
        folder = Path(os.environ.get("BAYESMI_DATA", SHARED / "data"))
        if not (folder / NEEDS[path.stem]).is_file():
            pytest.skip(f"{path.name} needs {NEEDS[path.stem]}: name its folder in BAYESMI_DATA")
        monkeypatch.setenv("BAYESMI_DATA", str(folder.resolve()))
    monkeypatch.setenv("BAYESMI_QUICK", "1")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(FOLDER.parent), os.environ.get("PYTHONPATH", "")]))
    notebook = execute(path, tmp_path)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for cell in code:
        assert not complaints(cell), f"{cell.source}\n{complaints(cell)}"
        if "plot" in cell.source and cell.source.rstrip().endswith(");"):
            assert figures(cell) == 1, f"no figure: {cell.source}"
    assert all(cell.execution_count for cell in code)
    assert not [name for name in tmp_path.iterdir() if name.name != "ipython"]  # leaves nothing behind


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_what_is_kept_is_small_and_free_of_paths(path):
    text = path.read_text(encoding="utf-8")
    assert path.stat().st_size < 500_000
    for trace in ("/home/", "/root/", "/work/", "/Users/", "site-packages", "Traceback"):
        assert trace not in text, trace
