# What all scripts need: arguments, the table with its column kinds, and how results are said.
arguments <- commandArgs(trailingOnly = TRUE)
case <- arguments[2]
m <- as.integer(arguments[4])
limit <- as.numeric(arguments[5])
started <- proc.time()[["elapsed"]]

elapsed <- function() proc.time()[["elapsed"]] - started
say <- function(name, value) cat(sprintf("result: %s = %s\n", name, paste(value, collapse = " ")))
kind <- sub("[0-9]+$", "", case)  # "a" of a500

read_case <- function() {
  data <- read.csv(arguments[3], na.strings = "", stringsAsFactors = FALSE)
  if (kind == "c") {
    for (name in c("type", "motor_score", "pupil", "hypots", "tsah", "edh")) data[[name]] <- factor(data[[name]])
    data$ct <- factor(data$ct, c("I/II", "III", "IV/V"), ordered = TRUE)
    data$name <- as.integer(factor(data$name))
    data$mort <- as.integer(data$mort)
  }
  if (kind == "e") {
    data$g <- factor(data$g, c("low", "mid", "high"), ordered = TRUE)
    data$b <- factor(data$b)
    data$y <- factor(data$y)
  }
  data
}

# imputes one data set after another until m or the time limit, and says how far it came
one_by_one <- function(impute) {
  begun <- proc.time()[["elapsed"]]
  for (i in seq_len(m)) {
    impute(i)
    say("m", i)
    say("seconds", proc.time()[["elapsed"]] - begun)
    if (elapsed() > limit && i < m) {
      say("note", sprintf("time limit of %.0f s reached after %d of %d", limit, i, m))
      break
    }
  }
}
