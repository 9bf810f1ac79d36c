# How mice's ampute behaves over many runs, as golden numbers for the tests.
#
#   Rscript tests/golden/ampute.R     (from the root of the repository; mice 3.15.0)
#
# Writes tests/golden/ampute/data.csv (the complete table), runs.csv (by case and quantity the mean and sd over 300 runs)
# and scores.csv (candidates and sum scores of one run, standardised and not).
suppressMessages(library(mice))
out <- "tests/golden/ampute"
dir.create(out, showWarnings = FALSE)

set.seed(21)
n <- 500
d <- data.frame(x = rnorm(n), y = rnorm(n, 50, 10), z = rnorm(n, 5))
d$y <- d$y + 6 * d$x
d$z <- round(d$z + .5 * d$x + .03 * d$y, 3)
d$w <- d$z + rnorm(n)
d <- round(d, 4)
write.csv(d, file.path(out, "data.csv"), row.names = FALSE)

two <- rbind(c(1, 0, 1, 1), c(1, 1, 0, 0))
equal <- rbind(c(1, 0, 0, 1), c(1, 1, 0, 0), c(0, 1, 1, 0))
cases <- list(
  default = list(),
  mcar = list(mech = "MCAR", prop = .3),
  mnar = list(mech = "MNAR", prop = .4, patterns = two),
  left = list(prop = .3, patterns = two, freq = c(.7, .3), type = "LEFT"),
  mid = list(prop = .3, patterns = two, freq = c(.7, .3), type = "MID"),
  tail_right = list(prop = .6, patterns = two, freq = c(.7, .3), type = c("TAIL", "RIGHT")),
  weights = list(prop = .5, patterns = two, weights = rbind(c(3, 0, 1, 0), c(-1, 2, 0, 0))),
  raw = list(prop = .5, patterns = two, std = FALSE),
  odds = list(prop = .3, patterns = two, cont = FALSE, odds = rbind(c(1, 2, 3, 4), c(3, 1, 1, NA))),
  cells = list(prop = .25, patterns = equal, bycases = FALSE),
  complete = list(prop = .5, patterns = rbind(two, c(1, 1, 1, 1)), freq = c(.4, .4, .2))
)

quantities <- function(made) {
  gone <- is.na(made$amp)
  hit <- rowSums(gone) > 0
  z <- scale(d)
  q <- c(rows = mean(hit), cells = mean(gone))
  for (k in seq_len(nrow(made$patterns))) {
    of <- hit & made$cand == k
    q[paste0("share", k)] <- mean(of)
    for (v in names(d)) {
      q[paste0("mean", k, v)] <- mean(z[of, v])
      q[paste0("spread", k, v)] <- mean(z[of, v]^2)
    }
  }
  q
}

runs <- NULL
for (name in names(cases)) {
  set.seed(1)
  q <- suppressWarnings(replicate(300, quantities(do.call(ampute, c(list(d), cases[[name]])))))
  runs <- rbind(runs, data.frame(case = name, quantity = rownames(q), mean = rowMeans(q), sd = apply(q, 1, sd)))
}
write.csv(runs, file.path(out, "runs.csv"), row.names = FALSE)

one <- ampute(d, patterns = two, weights = rbind(c(3, 0, 1, 0), c(-1, 2, 0, 0)))
raw <- ampute(d, patterns = two, weights = rbind(c(3, 0, 1, 0), c(-1, 2, 0, 0)), std = FALSE)
gather <- function(made) { s <- rep(NA, n); for (k in 1:2) s[made$cand == k] <- made$scores[[k]]; s }
write.csv(data.frame(cand = one$cand, score = gather(one), cand_raw = raw$cand, score_raw = gather(raw)),
          file.path(out, "scores.csv"), row.names = FALSE)
