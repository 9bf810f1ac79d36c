# D3 and anova as mice 3.15 has them, multilevel R squared by mitml 0.4, predictions by R's own predict, pooled by mice's
# pool.scalar; pooled quantities of Cox models and survival curves.
# Run in this folder: Rscript posthoc.R
suppressMessages({library(mice); library(mitml); library(lme4); library(survival)})
source("completed_sets.R")
rows <- list()
keep <- function(case, r) for (key in names(r)) rows[[paste0(case, ";", key)]] <<- unname(r[[key]])
named <- function(r) setNames(as.list(as.numeric(r)), c("F.value", "df1", "df2", "P(>F)", "RIV"))
sets <- completed_sets(popmis_path(), 10)
sets <- lapply(sets, function(d) transform(d, wave = sin(pupil), tide = cos(3 * pupil + school), high = as.integer(popular > 5)))

# D3 by mice: coefficients held, intercept and variance estimated anew in each set
fits <- function(formula, f = lm, ...) as.mira(lapply(sets, function(d) do.call(f, list(formula, data = d, ...))))
full <- fits(popular ~ texp + sex + teachpop)
null <- fits(popular ~ teachpop)
weak <- fits(popular ~ teachpop + wave + tide)
keep("mice_D3", named(D3(full, null)$result))
keep("mice_weak_D3", named(D3(weak, null)$result))
logit1 <- fits(high ~ texp + sex, glm, family = binomial, epsilon = 1e-14, maxit = 100)
logit0 <- fits(high ~ 1, glm, family = binomial, epsilon = 1e-14, maxit = 100)
keep("mice_logit_D3", named(D3(logit1, logit0)$result))
empty <- fits(popular ~ 1)
a <- anova(full, null, empty)
for (j in 1:2) keep(paste0("anova_D1_", j), named(a$out[[j]]$result))
a <- anova(full, null, empty, method = "D2")
for (j in 1:2) keep(paste0("anova_D2_", j), named(a$out[[j]]$result))
a <- anova(full, null, empty, method = "D3")
for (j in 1:2) keep(paste0("anova_D3_", j), named(a$out[[j]]$result))

# multilevel R squared
control <- lmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-10, maxfun = 1e5))
mixed <- function(formula) lapply(sets, function(d) do.call(lme4::lmer, list(formula, data = d, control = control)))
keep("r2_intercept", as.list(multilevelR2(mixed(popular ~ texp + sex + (1 | school)))))
slopes <- mixed(popular ~ texp + sex + (1 + sex | school))
nulls <- mixed(popular ~ 1 + (1 | school))
for (i in seq_along(slopes)) {
  v <- VarCorr(slopes[[i]]); w <- VarCorr(nulls[[i]]); b <- lme4::fixef(slopes[[i]])
  keep(paste0("r2_parts_", i), list(s1 = attr(v, "sc")^2, t00 = v$school[1, 1], t10 = v$school[1, 2], t11 = v$school[2, 2],
    s0 = attr(w, "sc")^2, t0 = w$school[1, 1], texp = b[["texp"]], sex = b[["sex"]]))
}
keep("r2_slope", as.list(multilevelR2(slopes)))

# predictions: linear model (t) and logit (link scale, normal)
new <- data.frame(texp = c(5, 20), sex = c(0, 1), teachpop = c(4, 6))
for (i in 1:2) {
  p <- sapply(full$analyses, function(f) { q <- predict(f, new, se.fit = TRUE); c(q$fit[i], q$se.fit[i]) })
  s <- pool.scalar(p[1, ], p[2, ]^2, n = 2000, k = 4)
  keep(paste0("predict_lm_", i), list(estimate = s$qbar, t = s$t, df = s$df))
  p <- sapply(logit1$analyses, function(f) { q <- predict(f, new, se.fit = TRUE); c(q$fit[i], q$se.fit[i]) })
  s <- pool.scalar(p[1, ], p[2, ]^2)
  half <- qt(.975, s$df) * sqrt(s$t)
  keep(paste0("predict_logit_", i), list(estimate = plogis(s$qbar), low = plogis(s$qbar - half), high = plogis(s$qbar + half)))
}
# average marginal effect of sex (0 to 1) and of texp (derivative) on P(high), delta method by hand
ame <- sapply(logit1$analyses, function(f) {
  b <- coef(f); v <- vcov(f); x <- model.matrix(f)
  x1 <- x; x1[, "sex"] <- 1; x0 <- x; x0[, "sex"] <- 0
  p1 <- plogis(drop(x1 %*% b)); p0 <- plogis(drop(x0 %*% b))
  g <- colMeans(x1 * p1 * (1 - p1)) - colMeans(x0 * p0 * (1 - p0))
  p <- plogis(drop(x %*% b)); w <- p * (1 - p)
  h <- b["texp"] * colMeans(x * w * (1 - 2 * p)); h["texp"] <- h["texp"] + mean(w)
  c(mean(p1 - p0), drop(g %*% v %*% g), b["texp"] * mean(w), drop(h %*% v %*% h))
})
for (j in 1:2) {
  s <- pool.scalar(ame[2 * j - 1, ], ame[2 * j, ])
  keep(paste0("ame_", c("sex", "texp")[j]), list(estimate = s$qbar, t = s$t, df = s$df))
}

# proportions on the logit scale
p <- sapply(sets, function(d) mean(d$high))
s <- pool.scalar(qlogis(p), 1 / (2000 * p * (1 - p)))
half <- qt(.975, s$df) * sqrt(s$t)
keep("proportion_logit", list(low = plogis(s$qbar - half), high = plogis(s$qbar + half), df = s$df, fmi = s$fmi))
s <- pool.scalar(p, p * (1 - p) / 2000)
half <- qt(.975, s$df) * sqrt(s$t)
keep("proportion_wald", list(estimate = s$qbar, low = s$qbar - half, high = s$qbar + half))

# Spearman: variance of Fisher's z by Bonett and Wright (2000)
r <- sapply(sets, function(d) cor(d$popular, d$teachpop, method = "spearman"))
for (i in seq_along(r)) rows[[paste0("spearman;", i)]] <- r[i]
s <- pool.scalar(atanh(r), (1 + r^2 / 2) / (2000 - 3))
half <- qt(.975, s$df) * sqrt(s$t)
keep("spearman_pooled", list(r = tanh(s$qbar), low = tanh(s$qbar - half), high = tanh(s$qbar + half)))

# survival: time from what is complete, one incomplete covariate
life <- lapply(sets, function(d) transform(d, time = round(1 + 9 * abs(sin(1.7 * pupil + school)) + popular / 2, 1), event = as.integer(cos(pupil * 2.3 + school) > -.4)))
cox <- as.mira(lapply(life, function(d) coxph(Surv(time, event) ~ popular + sex, data = d)))
keep("cox_events", list(d = sum(life[[1]]$event)))
s <- pool(cox)$pooled
for (i in seq_len(nrow(s))) keep(paste0("cox_", s$term[i]), as.list(s[i, c("estimate", "ubar", "b", "df", "fmi")]))
at <- c(3, 6, 9)
km <- lapply(life, function(d) summary(survfit(Surv(time, event) ~ 1, data = d), times = at))
for (j in seq_along(at)) {
  S <- sapply(km, function(k) k$surv[j]); se <- sapply(km, function(k) k$std.err[j])
  s <- pool.scalar(log(-log(S)), (se / (S * log(S)))^2)
  half <- qt(.975, s$df) * sqrt(s$t)
  keep(paste0("km_", at[j]), list(estimate = exp(-exp(s$qbar)), low = exp(-exp(s$qbar + half)), high = exp(-exp(s$qbar - half)), fmi = s$fmi))
}
write_golden(rows, "posthoc.csv")
