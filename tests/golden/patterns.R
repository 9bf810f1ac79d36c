# md.pattern of mice 3.15 on fixed tables: row labels, cells, counts.
#
#   Rscript tests/golden/patterns.R       (from the root of the repository)
#
# Writes tests/golden/patterns/*.csv
suppressMessages(library(mice))
dir.create("tests/golden/patterns", showWarnings = FALSE)
keep <- function(data, name) {
  p <- md.pattern(data, plot = FALSE)
  colnames(p)[ncol(p)] <- "missing"
  out <- data.frame(rows = rownames(p), p, check.names = FALSE)
  write.csv(out, paste0("tests/golden/patterns/", name, ".csv"), row.names = FALSE, quote = FALSE)
}
keep(nhanes, "nhanes")
keep(boys, "boys")
# ties between columns and between patterns
i <- 1:60
ties <- data.frame(a = i + 0.5, b = i * 2 + 0.5, c = i * 3 + 0.5, d = i * 4 + 0.5)
ties$a[i %% 4 == 0] <- NA
ties$b[i %% 4 == 1] <- NA
ties$c[i %% 4 == 0 | i %% 12 == 2] <- NA
ties$d[i %% 5 == 0] <- NA
write.csv(ties, "tests/golden/patterns/ties_data.csv", row.names = FALSE)
keep(ties, "ties")
