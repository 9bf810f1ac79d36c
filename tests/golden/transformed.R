# R squared by mice 3.15's pool.r.squared; correlations by its pool.scalar on Fisher's z.
# Run in this folder: Rscript transformed.R
suppressMessages(library(mice))
source("completed_sets.R")
rows <- list()
sets <- completed_sets(popmis_path(), 10)
fits <- as.mira(lapply(sets, function(d) lm(popular ~ texp + sex + teachpop, data = d)))
for (adjusted in c(FALSE, TRUE)) {
  r <- pool.r.squared(fits, adjusted = adjusted)
  for (key in colnames(r)) rows[[paste0(if (adjusted) "adjusted" else "plain", ";", key)]] <- r[1, key]
}
for (i in seq_along(sets)) {
  s <- summary(fits$analyses[[i]])
  rows[[paste0("r.squared;", i)]] <- s$r.squared
  rows[[paste0("adj.r.squared;", i)]] <- s$adj.r.squared
  rows[[paste0("correlation;", i)]] <- cor(sets[[i]]$popular, sets[[i]]$teachpop)
}
z <- sapply(sets, function(d) atanh(cor(d$popular, d$teachpop)))
p <- pool.scalar(z, rep(1 / (2000 - 3), length(z)))
rows[["pooled_correlation;r"]] <- tanh(p$qbar)
rows[["pooled_correlation;df"]] <- p$df
rows[["pooled_correlation;fmi"]] <- p$fmi
rows[["pooled_correlation;low"]] <- tanh(p$qbar - qt(.975, p$df) * sqrt(p$t))
rows[["pooled_correlation;high"]] <- tanh(p$qbar + qt(.975, p$df) * sqrt(p$t))
write_golden(rows, "transformed.csv")
