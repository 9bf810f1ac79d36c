# Influx and outflux as mice computes them, as golden numbers for the tests.
#
#   Rscript tests/golden/flux.R       (from the root of the repository; mice 3.15.0)
#
# Writes tests/golden/flux/nhanes.csv, simulated.csv, and the table of the latter, simulated_data.csv.
suppressMessages(library(mice))
write.csv(flux(nhanes), "tests/golden/flux/nhanes.csv")

set.seed(1)
x <- as.data.frame(matrix(round(rnorm(60 * 5), 3), 60, dimnames = list(NULL, c("a", "b", "c", "d", "e"))))
for (j in 2:5) x[runif(60) < c(0, .1, .3, .5, .9)[j], j] <- NA
x[x$b > 0 & !is.na(x$b), "d"] <- NA
write.csv(x, "tests/golden/flux/simulated_data.csv", row.names = FALSE)
write.csv(flux(x), "tests/golden/flux/simulated.csv")
