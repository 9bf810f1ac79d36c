"""Names are looked up in the table only."""

from __future__ import annotations

import pytest

from bayesmi.errors import FormulaError
from bayesmi.formula import check_variables, closest, parse

COLUMNS = ["popular", "texp", "sex", "school", "home dest", "n"]


def test_known_columns_pass() -> None:
    check_variables(
        parse("popular | trials(n) ~ log(texp) + C(sex) + `home dest` + (1 + sex | school)"), COLUMNS
    )


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("popular ~ txep", ["no column `txep`", "did you mean `texp`?"]),
        ("popular ~ Texp", ["no column `Texp`", "did you mean `texp`?"]),
        ("popular ~ log(txep) + sex", ["`txep` (in `log(txep)`)"]),
        ("populr ~ sex", ["`populr`", "`popular`"]),
        ("popular | trials(m) ~ sex", ["`m` (in `popular | trials(m)`)"]),
        ("popular ~ sex + (1 | scool)", ["`scool` (in `(1 | scool)`)", "`school`"]),
        ("popular ~ sex + (home | school)", ["`home` (in `(1 + home | school)`)", "`home dest`"]),
        ("popular ~ home_dest", ["did you mean `home dest`?"]),
        ("popular ~ offset(zzz)", ["`zzz`", "it has popular, texp, sex, school, `home dest`, n"]),
        ("popular ~ pi", ["no column `pi`"]),
        ("popular ~ I(sex * np.pi)", ["no column `np.pi`"]),
    ],
)
def test_unknown_column_is_named_with_its_place_and_the_nearest(text: str, parts: list[str]) -> None:
    with pytest.raises(FormulaError) as caught:
        check_variables(parse(text), COLUMNS)
    for part in parts:
        assert part in str(caught.value)
    assert "\n" not in str(caught.value)


def test_many_columns_are_not_all_listed() -> None:
    with pytest.raises(FormulaError, match="and 88 more"):
        check_variables(parse("~ qqq"), [f"x{i}" for i in range(100)])


def test_closest() -> None:
    assert closest("AGE", ["age", "aged"]) == "age"
    assert closest("weigth", ["height", "weight"]) == "weight"
    assert closest("zzz", ["age"]) is None
