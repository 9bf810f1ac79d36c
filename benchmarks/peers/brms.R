# brms: continuous covariates as latent variables (mi()); discrete ones it refuses. Four chains of 1000 + 1000 draws.
source(file.path(commandArgs(trailingOnly = TRUE)[1], "common.R"))
suppressPackageStartupMessages(library(brms))
say("version", as.character(packageVersion("brms")))
say("start", elapsed())
data <- read_case()
formula <- switch(kind,
  a = bf(y ~ mi(x1) + mi(x2) + mi(x3) + z) + bf(x1 | mi() ~ z + mi(x2) + mi(x3)) + bf(x3 | mi() ~ z + mi(x2)) +
    bf(x2 | mi() ~ z) + set_rescor(FALSE),
  b = bf(popular ~ texp + sex + (1 | school)),
  c = bf(mort ~ type + age + motor_score + mi(pupil) + mi(ct) + (1 | name), family = bernoulli()) +
    bf(pupil | mi() ~ type + age + motor_score + (1 | name), family = categorical()) +
    bf(ct | mi() ~ type + age + motor_score + mi(pupil) + (1 | name), family = cumulative()) + set_rescor(FALSE),
  d = bf(y ~ mi(x) + I(mi(x)^2) + z) + bf(x | mi() ~ z) + set_rescor(FALSE),
  e = bf(y ~ mi(b) + mi(g) + mi(c) + z, family = bernoulli()) + bf(b | mi() ~ z, family = bernoulli()) +
    bf(g | mi() ~ z, family = cumulative()) + bf(c | mi() ~ z) + set_rescor(FALSE)
)
say("method", if (kind == "b") "observed rows" else "mi()")
written <- tryCatch({
  suppressWarnings(make_stancode(formula, data))
  ""
}, error = function(problem) conditionMessage(problem))
if (nzchar(written)) {
  say("note", paste("refused:", gsub("\n", " ", written)))
  quit(status = 0)
}
# Debian keeps Boost's headers where the system has them, not inside the BH package
if (!nzchar(system.file("include", package = "BH"))) rstan::rstan_options(boost_lib = "/usr/include")
begun <- proc.time()[["elapsed"]]
empty <- suppressMessages(suppressWarnings(brm(formula, data, chains = 0, backend = "rstan", silent = 2)))
say("compile", proc.time()[["elapsed"]] - begun)
begun <- proc.time()[["elapsed"]]
fit <- suppressMessages(suppressWarnings(update(
  empty, recompile = FALSE, chains = 4, cores = min(4, parallel::detectCores()), iter = 2000, warmup = 1000,
  seed = 1, refresh = 0, silent = 2
)))
sampled <- proc.time()[["elapsed"]] - begun
draws <- posterior::as_draws_array(fit)
analysis <- if (kind == "b") "^b_" else "^(b|bsp)_y_"
names <- grep(analysis, posterior::variables(draws), value = TRUE)
ess <- min(sapply(names, function(name) posterior::ess_bulk(posterior::extract_variable_matrix(draws, name))))
say("m", m)
say("seconds", sampled)
say("ess", ess)
say("ess_per_second", ess / sampled)
