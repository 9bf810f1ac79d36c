# lme4's REML estimates of three levels and of crossed effects, complete data: three_levels_reml.csv.
# Run in this folder: Rscript three_levels.R
library(lme4)
set.seed(20)
school <- rep(1:30, each = 18); room <- rep(1:90, each = 6); n <- length(school)
w <- rnorm(30)[school]; x <- rnorm(n) + rnorm(90, sd = .5)[room]
y <- 1 + .5 * x + .3 * w + rnorm(30, sd = .6)[school] + rnorm(90, sd = .5)[room] + rnorm(n)
nested <- data.frame(school, room, w, x, y)
person <- rep(1:25, times = 20); item <- rep(1:20, each = 25)
z <- rnorm(500); v <- 2 - .4 * z + rnorm(25, sd = .8)[person] + rnorm(20, sd = .5)[item] + rnorm(500)
crossed <- data.frame(person, item, z, v)
fits <- list(nested = lmer(y ~ x + w + (1 | school) + (1 | room), nested, control = lmerControl(optimizer = "bobyqa")),
             crossed = lmer(v ~ z + (1 | person) + (1 | item), crossed, control = lmerControl(optimizer = "bobyqa")))
rows <- do.call(rbind, lapply(names(fits), function(name) {
  fit <- fits[[name]]; se <- sqrt(diag(as.matrix(vcov(fit)))); sds <- as.data.frame(VarCorr(fit))
  rbind(data.frame(model = name, kind = "fixed", term = names(fixef(fit)), value = fixef(fit), se = se),
        data.frame(model = name, kind = "sd", term = sds$grp, value = sds$sdcor, se = NA))
}))
write.csv(rows, "three_levels_reml.csv", row.names = FALSE)
write.csv(format(nested, digits = 10), "three_levels_nested.csv", row.names = FALSE, quote = FALSE)
write.csv(format(crossed, digits = 10), "three_levels_crossed.csv", row.names = FALSE, quote = FALSE)
