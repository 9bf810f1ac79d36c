# Intraclass correlations on the latent scale, by lme4: Rscript icc.R
suppressPackageStartupMessages(library(lme4))
set.seed(8)
g <- rep(1:40, times = sample(2:30, 40, replace = TRUE))
n <- length(g)
u <- rnorm(40, 0, .9)[g]
data <- data.frame(g = g, b = as.integer(rlogis(n) + u > .7), c = rpois(n, exp(.3 + .6 * u)))
write.csv(data, "icc_data.csv", row.names = FALSE)
tight <- glmerControl(optCtrl = list(xtol_abs = 1e-12, ftol_abs = 1e-12, maxeval = 1e5))
b <- VarCorr(glmer(b ~ 1 + (1 | g), data, binomial, nAGQ = 15, control = tight))$g[1]
fit <- glmer(c ~ 1 + (1 | g), data, poisson, nAGQ = 15, control = tight)
k <- VarCorr(fit)$g[1]
out <- data.frame(variable = c("b", "c"), icc = sprintf("%.12f", c(b / (b + pi^2 / 3), k / (k + log1p(1 / exp(fixef(fit) + k / 2))))))
write.csv(out, "icc.csv", row.names = FALSE, quote = FALSE)
