# Posterior means of two mixed models by brms, under the priors that tests/fit/test_fit_as_brms.py gives to bayesmi: Rscript brms.R FOLDER
# FOLDER holds popmis.csv and sleepstudy.csv. Debian keeps Boost's headers where the system has them, not inside the BH package.
suppressPackageStartupMessages(library(brms))
folder <- commandArgs(trailingOnly = TRUE)[1]
if (!nzchar(system.file("include", package = "BH"))) rstan::rstan_options(boost_lib = "/usr/include")
popmis <- read.csv(file.path(folder, "popmis.csv"))
popmis <- popmis[!is.na(popmis$popular), ]
sleep <- read.csv(file.path(folder, "sleepstudy.csv"))
one <- function(formula, data, prior) {
  fit <- brm(formula, data, prior = prior, chains = 4, cores = 2, iter = 6000, warmup = 1000, seed = 1, refresh = 0, backend = "rstan",
    control = list(adapt_delta = .95))
  draws <- posterior::as_draws_array(fit)
  keep <- grep("^(b_|sd_|sigma|cor_)", posterior::variables(draws), value = TRUE)
  table <- posterior::summarise_draws(posterior::subset_draws(draws, variable = keep), "mean", "sd", "mcse_mean", "mcse_sd", "rhat")
  as.data.frame(table)
}
# 0 + Intercept: the prior is that of the intercept with all predictors at zero, as bayesmi has it where one is given
a <- one(popular ~ 0 + Intercept + texp + sex + (1 | school), popmis, c(
  prior(normal(5, 2), class = b, coef = Intercept), prior(normal(0, 1), class = b), prior(normal(0, 1), class = sd), prior(normal(0, 1), class = sigma)))
b <- one(Reaction ~ 0 + Intercept + Days + (1 + Days | Subject), sleep, c(
  prior(normal(300, 50), class = b, coef = Intercept), prior(normal(10, 10), class = b), prior(normal(0, 30), class = sd),
  prior(normal(0, 30), class = sigma), prior(lkj(2), class = cor)))
out <- rbind(cbind(model = "popmis", a), cbind(model = "sleepstudy", b))
for (name in names(out)) if (is.numeric(out[[name]])) out[[name]] <- sprintf("%.8g", out[[name]])
write.csv(out, "brms.csv", row.names = FALSE, quote = FALSE)
