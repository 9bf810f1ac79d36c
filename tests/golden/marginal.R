# Marginal log likelihood of a logistic random intercept at lme4's estimate: Rscript tests/golden/marginal.R
library(lme4)
set.seed(7)
g <- rep(1:12, times = c(4, 6, 8, 10, 12, 5, 7, 9, 11, 3, 14, 6))
z <- round(rnorm(length(g)), 3)
y <- rbinom(length(g), 1, plogis(0.4 + 0.8 * z + rnorm(12)[g]))
fit <- glmer(y ~ z + (1 | g), family = binomial, nAGQ = 25)
write.csv(data.frame(g, z, y), "tests/golden/marginal/data.csv", row.names = FALSE, quote = FALSE)
out <- data.frame(name = c("Intercept", "z", "sd", "logLik"),
                  value = c(fixef(fit), sqrt(VarCorr(fit)$g[1]), as.numeric(logLik(fit))))
write.csv(format(out, digits = 15), "tests/golden/marginal/estimate.csv", row.names = FALSE, quote = FALSE)
cat(R.version.string, "lme4", as.character(packageVersion("lme4")), "\n")
