# jomo, substantive-model-compatible, with its own defaults for burn-in (1000) and spacing (1000).
source(file.path(commandArgs(trailingOnly = TRUE)[1], "common.R"))
suppressPackageStartupMessages(library(jomo))
say("version", as.character(packageVersion("jomo")))
say("start", elapsed())
data <- read_case()
set.seed(1)
begun <- proc.time()[["elapsed"]]
setTimeLimit(elapsed = limit, transient = TRUE)
quiet <- function(call) suppressWarnings(capture.output(value <- call, type = "output"))
done <- tryCatch({
  if (kind == "a") {
    say("method", "jomo.lm")
    quiet(jomo.lm(y ~ x1 + x2 + x3 + z, data, nimp = m))
  }
  if (kind == "b") {
    say("method", "jomo.lmer")
    quiet(jomo.lmer(popular ~ texp + sex + (1 | school), data[c("popular", "texp", "sex", "school")], nimp = m))
  }
  if (kind == "c") {
    say("method", "jomo.glmer")
    data$mort <- factor(data$mort)
    data$ct <- factor(data$ct, ordered = FALSE)
    quiet(jomo.glmer(mort ~ type + age + motor_score + pupil + ct + (1 | name), data, nimp = m))
  }
  if (kind == "d") {
    say("method", "jomo.lm")
    quiet(jomo.lm(y ~ x + I(x^2) + z, data, nimp = m))
  }
  if (kind == "e") {
    say("method", "jomo.glm")
    data$g <- factor(data$g, ordered = FALSE)
    quiet(jomo.glm(y ~ b + g + c + z, data, nimp = m))
  }
  "done"
}, error = function(problem) conditionMessage(problem))
seconds <- proc.time()[["elapsed"]] - begun
if (identical(done, "done")) {
  say("m", m)
  say("seconds", seconds)
} else if (seconds >= limit) {
  say("note", sprintf("time limit of %.0f s reached before %d of %d", limit, m, m))
} else {
  say("note", paste("failed:", gsub("\n", " ", done)))
}
