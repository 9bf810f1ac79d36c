# Rubin's rules by mice 3.15 (pool.scalar, b > 0 only: it floors lambda at 1e-4) and mitml 0.4-4 (testEstimates).
# Run in this folder: Rscript rubin.R
suppressMessages({library(mice); library(mitml)})
source("completed_sets.R")
rows <- list()
q <- c(1.2, 0.7, 1.9, 1.1, 0.4); u <- c(0.31, 0.27, 0.35, 0.30, 0.29)
for (n in c(Inf, 12, 200)) {
  s <- pool.scalar(q, u, n = n, k = 2)
  for (key in c("qbar", "ubar", "b", "t", "df", "r", "fmi")) rows[[paste0("scalar_n", n, ";", key)]] <- s[[key]]
}
s <- pool.scalar(q[1:2], u[1:2], n = 30, k = 1)
for (key in c("qbar", "ubar", "b", "t", "df", "r", "fmi")) rows[[paste0("scalar_m2;", key)]] <- s[[key]]
s <- pool.scalar.syn(q, u)
for (key in c("qbar", "ubar", "b", "t", "df", "r")) rows[[paste0("synthetic;", key)]] <- s[[key]]

# lm on ten completed sets: mice takes the residual df, mitml none
sets <- completed_sets(popmis_path(), 10)
fits <- lapply(sets, function(d) lm(popular ~ texp + sex, data = d))
p <- pool(as.mira(fits))
tab <- summary(p, type = "all", conf.int = TRUE)
for (i in seq_len(nrow(tab))) {
  term <- sub("(Intercept)", "Intercept", as.character(tab$term[i]), fixed = TRUE)
  for (key in c("estimate", "ubar", "b", "t", "dfcom", "df", "riv", "lambda", "fmi", "std.error", "statistic", "p.value", "2.5 %", "97.5 %"))
    rows[[paste0("mice_lm;", term, "/", key)]] <- tab[[key]][i]
}
e <- testEstimates(fits)$estimates
for (i in seq_len(nrow(e))) {
  term <- sub("(Intercept)", "Intercept", rownames(e)[i], fixed = TRUE)
  for (key in c("Estimate", "Std.Error", "t.value", "df", "RIV", "FMI")) rows[[paste0("mitml_lm;", term, "/", key)]] <- e[i, key]
}
write_golden(rows, "rubin.csv")
