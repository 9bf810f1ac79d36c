# lme4 on the twenty completed sets, pooled by mitml; standard errors of variance components from nlme's apVar.
# Run in this folder: Rscript mixed.R
suppressMessages({library(lme4); library(mitml); library(nlme)})
source("completed_sets.R")
rows <- list()
sets <- completed_sets(popmis_path(), 20)
imputed <- as.mitml.list(sets)
control <- lmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-10, maxfun = 1e5))
pooled <- function(case, fits, df.com = NULL) {
  out <- testEstimates(fits, extra.pars = TRUE, df.com = df.com)
  e <- out$estimates
  for (i in seq_len(nrow(e))) {
    term <- sub("(Intercept)", "Intercept", rownames(e)[i], fixed = TRUE)
    for (key in colnames(e)) rows[[paste0(case, ";", term, "/", key)]] <<- e[i, key]
  }
  x <- out$extra.pars
  for (i in seq_len(nrow(x))) rows[[paste0(case, ";", rownames(x)[i])]] <<- x[i, 1]
}
intercept <- with(imputed, lme4::lmer(popular ~ texp + sex + (1 | school), control = control))
slope <- with(imputed, lme4::lmer(popular ~ texp + sex + (1 + sex | school), control = control))
pooled("intercept", intercept)
pooled("intercept_df1995", intercept, 1995)
pooled("slope", slope)
keep <- function(case, test) {
  for (key in c("F.value", "df1", "df2", "P(>F)", "RIV")) rows[[paste0(case, ";", key)]] <<- unname(test$test[1, key])
}
null <- with(imputed, lme4::lmer(popular ~ sex + (1 | school), control = control))
empty <- with(imputed, lme4::lmer(popular ~ 1 + (1 | school), control = control))
keep("D1", testModels(intercept, empty, method = "D1"))
keep("D3", testModels(intercept, empty, method = "D3"))
keep("D4", testModels(intercept, empty, method = "D4", data = imputed))
keep("D4_robust", testModels(intercept, empty, method = "D4", ariv = "robust", data = imputed))
keep("D3_slope", testModels(slope, intercept, method = "D3"))

# standard errors: nlme gives log sd and log sigma, their covariance in apVar
se <- function(case, fit) {
  a <- fit$apVar
  p <- attr(a, "Pars")
  sd2 <- exp(2 * p)
  rows[[paste0(case, ";tau2")]] <<- sd2[[1]]
  rows[[paste0(case, ";se.tau2")]] <<- 2 * sd2[[1]] * sqrt(a[1, 1])
  s <- length(p)
  rows[[paste0(case, ";sigma2")]] <<- sd2[[s]]
  rows[[paste0(case, ";se.sigma2")]] <<- 2 * sd2[[s]] * sqrt(a[s, s])
  icc <- sd2[[1]] / (sd2[[1]] + sd2[[s]])
  g <- 2 * icc * (1 - icc) * c(1, -1)
  rows[[paste0(case, ";icc")]] <<- icc
  rows[[paste0(case, ";se.icc")]] <<- sqrt(drop(g %*% a[c(1, s), c(1, s)] %*% g))
}
tight <- nlme::lmeControl(msTol = 1e-12, tolerance = 1e-12, opt = "optim")
se("nlme_reml", nlme::lme(popular ~ texp + sex, random = ~ 1 | school, data = sets[[1]], control = tight))
se("nlme_ml", nlme::lme(popular ~ texp + sex, random = ~ 1 | school, data = sets[[1]], method = "ML", control = tight))
slope1 <- nlme::lme(popular ~ texp + sex, random = ~ 1 + sex | school, data = sets[[1]], control = tight)
se("nlme_slope", slope1)
write_golden(rows, "mixed.csv")
