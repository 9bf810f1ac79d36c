"""New rows: imputed and predicted from a fit that they do not change."""
