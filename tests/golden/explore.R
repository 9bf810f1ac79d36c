# quickpred, md.pairs, fico and Nelson-Aalen as mice computes them, as golden numbers for the tests.
#
#   Rscript tests/golden/explore.R    (from the root of the repository; mice 3.15.0, R 4.2.2)
#
# Writes tests/golden/explore/*.csv. airquality.csv is R's data set of that name, for Little's test.
suppressMessages(library(mice))
out <- "tests/golden/explore"
dir.create(out, showWarnings = FALSE)

set.seed(3)
n <- 80
x <- as.data.frame(matrix(rnorm(n * 6), n, dimnames = list(NULL, letters[1:6])))
x$b <- x$a + x$b
x$c <- x$a - x$c + (x$b > 1)
x$f <- factor(cut(x$f + x$b, c(-Inf, -1, 0, 1, Inf), labels = c("low", "mid", "more", "top")))
x[1:5] <- round(x[1:5], 3)
for (j in 2:6) x[runif(n) < plogis(c(0, -2, -1, 0, 1.5, -1)[j] + x$a), j] <- NA
write.csv(x, file.path(out, "table.csv"), row.names = FALSE)

cases <- list(
  nhanes_default = quickpred(nhanes),
  nhanes_mincor = quickpred(nhanes, mincor = .3, include = "age"),
  nhanes_minpuc = quickpred(nhanes, minpuc = .25, exclude = "hyp"),
  nhanes_both = quickpred(nhanes, mincor = .5, include = c("age", "chl"), exclude = c("age", "bmi")),
  nhanes2_default = quickpred(nhanes2),
  nhanes2_spearman = quickpred(nhanes2, mincor = .2, method = "spearman"),
  popmis_default = quickpred(popmis),
  popmis_exclude = quickpred(popmis, exclude = c("pupil", "school")),
  table_default = quickpred(x),
  table_mincor = quickpred(x, mincor = .25),
  table_vector = quickpred(x, mincor = c(.1, .2, .3, .4, .5, .1), minpuc = c(0, .2, .4, .5, .6, .8)),
  table_matrix = quickpred(x, mincor = matrix((1:36) / 60, 6)),
  table_spearman = quickpred(x, mincor = .25, method = "spearman"),
  table_kendall = quickpred(x, mincor = .25, method = "kendall"),
  boys_default = quickpred(boys),
  boys_mincor = quickpred(boys, mincor = .4, minpuc = .3)
)
for (name in names(cases)) write.csv(cases[[name]], file.path(out, paste0("quickpred_", name, ".csv")))

p <- md.pairs(nhanes)
for (name in names(p)) write.csv(p[[name]], file.path(out, paste0("pairs_", name, ".csv")))
write.csv(data.frame(fico = c(fico(nhanes), fico(x))), file.path(out, "fico.csv"))

m <- cor(data.matrix(x), use = "pairwise.complete.obs", method = "kendall")
write.csv(m, file.path(out, "kendall.csv"))

write.csv(airquality, file.path(out, "airquality.csv"), row.names = FALSE)

set.seed(5)
time <- c(round(rexp(40, .1), 1), sample(1:12, 60, TRUE))
event <- rbinom(100, 1, .6)
time[c(4, 50)] <- NA
event[c(9, 60)] <- NA
surv <- data.frame(time, event)
surv$hazard <- nelsonaalen(surv, time, event)
fit <- survival::survfit(survival::Surv(time, event) ~ 1, data = surv, ctype = 1)
surv$breslow <- fit$cumhaz[match(surv$time, fit$time)]
write.csv(surv, file.path(out, "nelson_aalen.csv"), row.names = FALSE)
