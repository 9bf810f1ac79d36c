# How mice lays out completed data, as golden tables for the tests.
#
#   Rscript tests/golden/complete.R       (from the root of the repository; mice 3.15.0)
#
# Writes tests/golden/complete/*.csv. In mice < 3.16 the long form has .imp and .id first, and .id is the position,
# not the row name.
suppressMessages(library(mice))

small <- data.frame(
  score = c(1.5, NA, 3.25, NA, 7),
  group = factor(c("a", NA, "b", "a", NA)),
  known = c(10, 20, 30, 40, 50),
  row.names = c("r1", "r2", "r3", "r4", "r5")
)
imp <- suppressWarnings(mice(small, m = 3, maxit = 0, seed = 1, printFlag = FALSE))
imp$imp$score[, ] <- matrix(c(11.5, 12.5, 21.5, 22.5, 31.5, 32.5), 2)
imp$imp$group[, ] <- matrix(c("a", "b", "b", "b", "b", "a"), 2)

out <- function(x, name) write.csv(x, paste0("tests/golden/complete/", name, ".csv"), row.names = TRUE)
out(small, "data")
out(imp$imp$score, "cells_score")
out(imp$imp$group, "cells_group")
for (include in c(FALSE, TRUE)) {
  tail <- if (include) "_include" else ""
  for (action in c("long", "stacked", "broad", "repeated"))
    out(suppressMessages(complete(imp, action, include = include)), paste0(action, tail))
  out(suppressMessages(complete(imp, 2, include = include)), paste0("two", tail))
  out(suppressMessages(complete(imp, c(3, 1), include = include)), paste0("three_one", tail))
}
out(complete(imp, 0), "zero")
