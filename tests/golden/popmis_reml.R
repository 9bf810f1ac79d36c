# REML fits of two random-effects models with lme4, as golden numbers for the tests.
#
#   Rscript tests/golden/popmis_reml.R       (from the root of the repository)
#
# reads the popmis.csv and sleepstudy.csv that ship with the package and writes
# tests/golden/popmis_reml.csv with the columns model, quantity, term, point, value (17 significant digits).
#
# quantity   fixed             estimate of a fixed effect
#            se                its standard error
#            covariance        the covariance of two fixed effects, term "a~~b"
#            sd, variance      of a group effect or the residual, term "Intercept|school", "Residual"
#            correlation       of two group effects, term "Intercept~~Days|Subject"
#            icc               tau^2 / (tau^2 + sigma^2)
#            ranef             conditional mode of a group effect, term "Intercept|school[1]"
#            nobs, ngroups
#            reml              REML criterion (-2 log restricted likelihood) at the optimum (point 0)
#            theta             relative covariance parameters (Cholesky factor over sigma: L11, L21, L22)
#            sigma             residual sd of the point
#            reml_profiled     REML criterion at the point's theta, sigma profiled out
#            reml_at           REML criterion at the point's theta and sigma

suppressPackageStartupMessages(library(lme4))

folder <- "bayesmi/datasets/data"
rows <- list()
put <- function(model, quantity, term, value, point = 0) {
  rows[[length(rows) + 1]] <<- data.frame(
    model = model, quantity = quantity, term = term, point = point, value = sprintf("%.17g", value)
  )
}
rename <- function(term) sub("(Intercept)", "Intercept", term, fixed = TRUE)

record <- function(name, formula, data, thetas, sigmas) {
  control <- lmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-11, maxfun = 1e5))
  fit <- lmer(formula, data, REML = TRUE, control = control)
  fixed <- fixef(fit)
  covariance <- as.matrix(vcov(fit))
  put(name, "nobs", "", nobs(fit))
  put(name, "ngroups", "", ngrps(fit))
  for (a in names(fixed)) {
    put(name, "fixed", rename(a), fixed[[a]])
    put(name, "se", rename(a), sqrt(covariance[a, a]))
    for (b in names(fixed)) put(name, "covariance", paste0(rename(a), "~~", rename(b)), covariance[a, b])
  }
  components <- as.data.frame(VarCorr(fit))
  for (i in seq_len(nrow(components))) {
    row <- components[i, ]
    if (row$grp == "Residual") {
      put(name, "variance", "Residual", row$vcov)
      put(name, "sd", "Residual", row$sdcor)
    } else if (is.na(row$var2)) {
      term <- paste0(rename(row$var1), "|", row$grp)
      put(name, "variance", term, row$vcov)
      put(name, "sd", term, row$sdcor)
    } else {
      put(name, "correlation", paste0(rename(row$var1), "~~", row$var2, "|", row$grp), row$sdcor)
    }
  }
  if (length(thetas[[1]]) == 1) {
    put(name, "icc", components$grp[1], components$vcov[1] / sum(components$vcov))
  }
  modes <- ranef(fit)[[1]]
  for (column in names(modes)) {
    for (group in rownames(modes)) {
      put(name, "ranef", sprintf("%s|%s[%s]", rename(column), names(ranef(fit))[1], group), modes[group, column])
    }
  }

  put(name, "reml", "", REMLcrit(fit))
  optimum <- getME(fit, "theta")
  for (k in seq_along(optimum)) put(name, "theta", as.character(k), optimum[[k]])
  put(name, "sigma", "", sigma(fit))

  criterion <- lmer(formula, data, REML = TRUE, devFunOnly = TRUE)
  inside <- environment(criterion)
  free <- nobs(fit) - length(fixed)
  for (point in seq_along(thetas)) {
    theta <- thetas[[point]]
    s <- sigmas[[point]]
    profiled <- criterion(theta)
    squares <- inside$resp$wrss() + inside$pp$sqrL(1)
    at <- inside$pp$ldL2() + inside$pp$ldRX2() + free * log(2 * pi * s^2) + squares / s^2
    # the profiled criterion is the criterion at sigma^2 = squares / (n - p): checks the line above
    back <- inside$pp$ldL2() + inside$pp$ldRX2() + free * (1 + log(2 * pi * squares / free))
    stopifnot(abs(back - profiled) < 1e-8 * abs(profiled))
    for (k in seq_along(theta)) put(name, "theta", as.character(k), theta[[k]], point)
    put(name, "sigma", "", s, point)
    put(name, "reml_profiled", "", profiled, point)
    put(name, "reml_at", "", at, point)
  }
}

popmis <- read.csv(file.path(folder, "popmis.csv"))
popmis <- popmis[!is.na(popmis$popular), ]
record(
  "popmis", popular ~ texp + sex + (1 | school), popmis,
  thetas = as.list(c(0.1, 0.3, 0.5, 0.8, 0.9, 1, 1.2, 1.5, 2.5, 6)),
  sigmas = as.list(c(1.2, 1, 0.8, 0.7, 0.6, 0.68, 0.5, 0.9, 1.5, 0.3))
)

sleepstudy <- read.csv(file.path(folder, "sleepstudy.csv"))
sleepstudy$Subject <- factor(sleepstudy$Subject)
record(
  "sleepstudy", Reaction ~ Days + (Days | Subject), sleepstudy,
  thetas = list(
    c(1, 0, 1), c(0.9, 0.02, 0.23), c(1, 0.1, 0.2), c(0.5, -0.1, 0.3), c(2, 0.3, 0.1),
    c(0.2, 0.05, 0.6), c(1.5, -0.4, 0.5), c(0.8, 0.2, 0.02), c(3, 0, 0.25), c(0.05, 0, 0.05)
  ),
  sigmas = as.list(c(25, 26, 30, 20, 35, 28, 22, 40, 25.5, 32))
)

write.csv(do.call(rbind, rows), "tests/golden/popmis_reml.csv", row.names = FALSE, quote = c(1, 2, 3))
