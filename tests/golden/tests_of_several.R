# D1 to D4 and constraints by mitml 0.4-4 on lm fits to ten completed sets, and D1 by mice 3.15.
# Run in this folder: Rscript tests_of_several.R
suppressMessages({library(mice); library(mitml)})
source("completed_sets.R")
rows <- list()
keep <- function(case, test) {
  for (key in c("F.value", "df1", "df2", "P(>F)", "RIV")) rows[[paste0(case, ";", key)]] <<- unname(test$test[1, key])
}
sets <- completed_sets(popmis_path(), 10)
full <- lapply(sets, function(d) lm(popular ~ texp + sex + teachpop, data = d))
null <- lapply(sets, function(d) lm(popular ~ teachpop, data = d))
keep("D1", testModels(full, null, method = "D1"))
keep("D1_df60", testModels(full, null, method = "D1", df.com = 60))
keep("D1_df1996", testModels(full, null, method = "D1", df.com = 1996))
keep("D1_m3", testModels(full[1:3], null[1:3], method = "D1"))
keep("D2_wald", testModels(full, null, method = "D2", use = "wald"))
keep("D2_likelihood", testModels(full, null, method = "D2", use = "likelihood"))
keep("D3", testModels(full, null, method = "D3"))
for (ariv in c("default", "positive", "robust")) keep(paste0("D4_", ariv), testModels(full, null, method = "D4", ariv = ariv, data = sets))
weak_sets <- lapply(sets, function(d) transform(d, wave = sin(pupil), tide = cos(3 * pupil + school)))
weak <- lapply(weak_sets, function(d) lm(popular ~ teachpop + wave + tide, data = d))
keep("weak_D1", testModels(weak, null, method = "D1", df.com = 1996))
keep("weak_D2", testModels(weak, null, method = "D2"))
keep("weak_D3", testModels(weak, null, method = "D3"))
keep("weak_D4", testModels(weak, null, method = "D4", data = weak_sets))
mice_d1 <- mice::D1(as.mira(full), as.mira(null))
for (key in c("F.value", "df1", "df2", "P(>F)", "RIV")) rows[[paste0("mice_D1;", key)]] <- unname(mice_d1$result[1, key])
keep("linear", testConstraints(full, constraints = c("texp - sex", "teachpop - 0.5")))
keep("nonlinear", testConstraints(full, constraints = c("sex / teachpop - 2", "exp(texp) - 1")))
keep("nonlinear_D2", testConstraints(full, constraints = c("sex / teachpop - 2", "exp(texp) - 1"), method = "D2"))
keep("nonlinear_df", testConstraints(full, constraints = c("sex / teachpop - 2", "exp(texp) - 1"), df.com = 100))
# what D4 is made of, for the arithmetic alone
for (i in seq_along(full)) {
  rows[[paste0("loglik_full;", i)]] <- as.numeric(logLik(full[[i]]))
  rows[[paste0("loglik_null;", i)]] <- as.numeric(logLik(null[[i]]))
}
stacked <- do.call(rbind, sets)
rows[["loglik_stacked;full"]] <- as.numeric(logLik(lm(popular ~ texp + sex + teachpop, data = stacked)))
rows[["loglik_stacked;null"]] <- as.numeric(logLik(lm(popular ~ teachpop, data = stacked)))

# logistic: D1, D2, D4
binary <- lapply(sets, function(d) transform(d, high = as.integer(popular > 5)))
full <- lapply(binary, function(d) glm(high ~ texp + sex, family = binomial, data = d, epsilon = 1e-14))
null <- lapply(binary, function(d) glm(high ~ 1, family = binomial, data = d, epsilon = 1e-14))
keep("logit_D1", testModels(full, null, method = "D1"))
keep("logit_D2", testModels(full, null, method = "D2", use = "likelihood"))
keep("logit_D4", testModels(full, null, method = "D4", data = binary))
keep("logit_D4_robust", testModels(full, null, method = "D4", ariv = "robust", data = binary))

# the arithmetic of D2 alone, on chi-square statistics
d <- c(8.2, 11.9, 6.4, 9.7, 14.1)
x <- mitml:::.D2(d, k = 3)
for (key in c("F", "v", "r")) rows[[paste0("chisquare;", key)]] <- x[[key]]
write_golden(rows, "tests_of_several.csv")
