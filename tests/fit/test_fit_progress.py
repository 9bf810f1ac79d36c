"""What is shown while fitting: the half minute of the first compilation is announced, everywhere and only then."""

from __future__ import annotations

import pytest

from bayesmi.progress import FIRST_COMPILATION, Progress


def walk(show: bool, first_time: bool) -> None:
    with Progress(show=show, first_time=first_time) as display:
        for stage in ("compiling", "sampling"):
            display.stage(stage)
        display.sampling(10, 100, 0)


@pytest.mark.parametrize(
    ("show", "first_time", "said"), [(True, True, FIRST_COMPILATION), (True, False, ""), (False, True, "")]
)
def test_first_compilation_is_announced_without_a_terminal(capsys, show, first_time, said):
    walk(show, first_time)
    seen = capsys.readouterr()
    assert (seen.out, seen.err.strip()) == ("", said)


def test_a_terminal_gets_a_bar_with_the_time(monkeypatch, capsys):
    import sys

    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("COLUMNS", "120")
    walk(True, True)
    shown = capsys.readouterr().err
    assert "sampling 10 of 100" in shown
    assert "left" in shown


def test_a_notebook_gets_a_line_that_is_replaced(monkeypatch):
    import IPython.display

    from bayesmi.progress import display as progress

    shown = []

    class Handle:
        def update(self, data, raw):
            shown.append(data["text/plain"])

    monkeypatch.setattr(progress, "in_notebook", lambda: True)
    monkeypatch.setattr(IPython.display, "display", lambda *_, **__: Handle())
    walk(True, True)
    assert shown[0] == f"{FIRST_COMPILATION} …"
    assert shown[-1] == ""  # nothing stays
