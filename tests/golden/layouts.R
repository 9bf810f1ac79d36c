# Files as jomo 2.7 and mitml 0.4 lay them out; the values themselves are read, not repeated.
#   Rscript tests/golden/layouts.R       (from the root of the repository)
suppressMessages({library(jomo); library(mitml); library(mice)})
out <- "tests/golden/layouts/"
set.seed(1)
capture.output(j <- jomo1con(Y = nhanes[, c("bmi", "chl")], X = data.frame(cons = 1, age = nhanes$age),
  nburn = 50, nbetween = 5, nimp = 2, output = 0))
write.csv(j, paste0(out, "jomo.csv"), row.names = FALSE)
i <- jomoImpute(nhanes, formula = bmi + chl ~ age, n.burn = 50, n.iter = 5, m = 2, seed = 1, silent = TRUE)
sets <- mitmlComplete(i, "all")
for (l in 1:2) write.csv(sets[[l]], paste0(out, "mitml_", l, ".csv"), row.names = FALSE)
write.mitmlSPSS(i, paste0(out, "mitml_spss"), syntax = FALSE)
