# 2l.pmm of miceadds for IMPACT as the multilevel tutorial calls it: every category cast to a number, the outcome with a
# slope of its own in each study (code 2). miceadds is not among Debian's packages; where it is not installed this says so.
source(file.path(commandArgs(trailingOnly = TRUE)[1], "common.R"))
if (!requireNamespace("miceadds", quietly = TRUE)) {
  say("note", "miceadds is not installed here")
  quit(status = 0)
}
suppressPackageStartupMessages(library(miceadds))
say("version", as.character(packageVersion("miceadds")))
say("start", elapsed())
data <- read_case()
stopifnot(kind == "c")
for (name in setdiff(names(data), c("name", "mort", "age"))) data[[name]] <- as.integer(data[[name]])
incomplete <- c("pupil", "ct", "hypots", "tsah", "edh")
method <- make.method(data)
method[incomplete] <- "2l.pmm"
predictors <- make.predictorMatrix(data)
predictors[incomplete, "name"] <- -2
predictors[incomplete, "mort"] <- 2
say("method", "2l.pmm")
one_by_one(function(i) {
  suppressMessages(suppressWarnings(
    mice(data, m = 1, maxit = 5, method = method, predictorMatrix = predictors, seed = i, printFlag = FALSE)
  ))
})
