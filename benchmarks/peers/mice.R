# mice as Debian has it: norm, logreg, polr, polyreg, quadratic, 2l.pan, 2l.bin; five iterations a data set.
# Nominal and ordered variables in groups have no method there: IMPACT's pupil and ct are imputed without the studies.
source(file.path(commandArgs(trailingOnly = TRUE)[1], "common.R"))
suppressPackageStartupMessages(library(mice))
say("version", as.character(packageVersion("mice")))
say("start", elapsed())
data <- read_case()
if (kind == "d") data$xx <- data$x^2
predictors <- make.predictorMatrix(data)
method <- make.method(data)
if (kind == "a") method[c("x1", "x2", "x3")] <- "norm"
if (kind == "b") {
  method["popular"] <- "2l.pan"
  predictors["popular", ] <- 0
  predictors["popular", c("texp", "sex")] <- 1
  predictors["popular", "school"] <- -2
}
if (kind == "c") {
  method[c("pupil", "ct")] <- c("polyreg", "polr")
  method[c("hypots", "tsah", "edh")] <- "2l.bin"
  predictors[, "name"] <- 0
  predictors[c("hypots", "tsah", "edh"), "name"] <- -2
}
if (kind == "d") {
  method["x"] <- "quadratic"
  method["xx"] <- "~I(x^2)"
  predictors["x", ] <- c(y = 1, x = 0, z = 1, xx = 1)[colnames(predictors)]
}
if (kind == "e") method[c("b", "g", "c")] <- c("logreg", "polr", "norm")
say("method", unique(method[method != ""]))
blots <- make.blots(data)
if (kind == "d") blots$x <- list(quad.outcome = "y")
one_by_one(function(i) {
  mice(data,
    m = 1, maxit = 5, method = method, predictorMatrix = predictors, blots = blots, seed = i, printFlag = FALSE
  )
})
