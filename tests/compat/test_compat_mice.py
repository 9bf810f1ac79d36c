"""The Python note's snippet with one changed import."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

from bayesmi.errors import BayesmiError

pytestmark = [
    pytest.mark.xdist_group("compat"),
    pytest.mark.filterwarnings("ignore::bayesmi.errors.BayesmiNotice"),
]


def test_the_snippet_runs_and_recovers_the_truth():
    from bayesmi.compat import MICE

    # Create a synthetic dataset with missing values
    np.random.seed(123)  # noqa: NPY002
    n = 1000
    age = np.random.normal(50, 10, n)  # noqa: NPY002
    gender = np.random.binomial(1, 0.4, n)  # noqa: NPY002
    bmi = np.random.normal(25, 4, n)  # noqa: NPY002
    severity = np.random.exponential(2, n)  # noqa: NPY002
    outcome = 10 + 2 * age - 5 * gender + 3 * bmi - 4 * severity + np.random.normal(0, 5, n)  # noqa: NPY002
    data = pd.DataFrame({"age": age, "gender": gender, "bmi": bmi, "severity": severity, "outcome": outcome})
    data.loc[np.random.randint(n, size=100), "age"] = np.nan  # noqa: NPY002
    data.loc[np.random.randint(n, size=150), "bmi"] = np.nan  # noqa: NPY002
    data.loc[np.random.randint(n, size=200), "severity"] = np.nan  # noqa: NPY002

    imp = MICE(data)
    with pytest.raises(BayesmiError, match="nothing is imputed"):
        imp.pool_results([])
    imp.mice(m=5, seed=1, progress=False)
    imputed_data = imp.data
    assert isinstance(imputed_data, list)
    assert len(imputed_data) == 5
    assert all(isinstance(one, pd.DataFrame) and not one.isna().any(axis=None) for one in imputed_data)
    assert min(one["severity"].min() for one in imputed_data) >= 0

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from statsmodels.api import OLS
    results = []
    for data_imp in imputed_data:
        model = OLS.from_formula("outcome ~ age + gender + bmi + severity", data=data_imp)
        results.append(model.fit())
    combined_results = imp.pool_results(results)

    table = combined_results.table
    for term, truth in {"age": 2, "gender": -5, "bmi": 3, "severity": -4}.items():
        # not by the 95 % interval: of the data without holes that of bmi, 3.071 ± 0.041, all but excludes 3
        assert abs(table.loc[term, "estimate"] - truth) < 3 * table.loc[term, "std.error"], term
    assert {"std.error", "df", "p.value", "fmi"} <= set(table.columns)
    with pytest.raises(BayesmiError, match="one each"):
        imp.pool_results(results[:2])
