"""New rows: imputed and predicted from a fit that they do not change."""

from bayesmi.newrows.draws import NewRowDraws
from bayesmi.newrows.impute import impute_fit
from bayesmi.newrows.rows import NewRows, read_new_rows

__all__ = ["NewRowDraws", "NewRows", "impute_fit", "read_new_rows"]
