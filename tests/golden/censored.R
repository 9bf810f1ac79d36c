# Censored regressions by survival::survreg: three limits of detection with interval-censored values (the Tobit estimate) under
# normal, t(5) and log-normal errors, right-censored Weibull and exponential survival times, and AER::tobit of Affairs (Fair 1978).
# Run in this folder: Rscript censored.R
suppressMessages({library(survival); library(AER)})
set.seed(5)
n <- 1200
z <- round(rnorm(n), 3); x <- round(0.4 * z + rnorm(n), 3)
y <- round(1 + 0.8 * x - 0.5 * z + 0.9 * rnorm(n), 4)
lod <- sample(c(-0.3, 0.2, 0.7), n, TRUE)
below <- y < lod; above <- y > 3
whole <- runif(n) < 0.1 & !below & !above
lower <- ifelse(below, NA, ifelse(above, 3, ifelse(whole, floor(y), y)))
upper <- ifelse(below, lod, ifelse(above, NA, ifelse(whole, floor(y) + 1, y)))
time <- round(rweibull(n, 1.4, exp(0.6 * x)) + 1e-3, 4); end <- round(rexp(n, 0.4) + 1e-3, 4)
died <- as.integer(time <= end); time <- pmin(time, end)
exact <- !(below | above | whole)
data <- data.frame(x, z, y = ifelse(exact, y, NA), lower = ifelse(exact, NA, lower), upper = ifelse(exact, NA, upper), time, died)
write.csv(data, "censored_data.csv", row.names = FALSE, quote = FALSE, na = "")
rows <- list()
keep <- function(case, fit, scale = TRUE) {
  estimates <- c(coef(fit), loglik = fit$loglik[length(fit$loglik)])
  if (scale) estimates <- c(estimates, scale = fit$scale)
  errors <- c(sqrt(diag(vcov(fit)))[seq_along(coef(fit))], rep(NA, length(estimates) - length(coef(fit))))
  rows[[case]] <<- data.frame(case = case, term = names(estimates), estimate = unname(estimates), se = unname(errors))
}
limits <- Surv(lower, upper, type = "interval2")
tight <- survreg.control(rel.tolerance = 1e-13, maxiter = 200)
keep("tobit", survreg(limits ~ x + z, dist = "gaussian", control = tight))
keep("t5", survreg(limits ~ x + z, dist = "t", parms = 5, control = tight))
keep("lognormal", survreg(Surv(exp(lower), exp(upper), type = "interval2") ~ x + z, dist = "lognormal", control = tight))
keep("weibull", survreg(Surv(time, died) ~ x + z, dist = "weibull", control = tight))
keep("exponential", survreg(Surv(time, died) ~ x + z, dist = "exponential", control = tight), scale = FALSE)
data("Affairs")
Affairs <- Affairs[, c("affairs", "age", "yearsmarried", "religiousness", "occupation", "rating")]
write.csv(Affairs, "affairs.csv", row.names = FALSE, quote = FALSE)
keep("affairs", tobit(affairs ~ age + yearsmarried + religiousness + occupation + rating, data = Affairs, control = tight))
options(digits = 15)
write.csv(do.call(rbind, rows), "censored.csv", row.names = FALSE, quote = FALSE, na = "")
