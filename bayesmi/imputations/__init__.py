"""m completed data sets: drawn lazily, laid out as mice lays them out, written, saved and loaded."""

from bayesmi.imputations.draws import CellDraws, ChangedDraws, StoredDraws
from bayesmi.imputations.imputations import Imputations
from bayesmi.imputations.mids import Mids
from bayesmi.imputations.spacing import choose_draws

__all__ = ["CellDraws", "ChangedDraws", "Imputations", "Mids", "StoredDraws", "choose_draws"]
