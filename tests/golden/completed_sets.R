# Twenty completed copies of popmis without a random number: the same formula stands in tests/adapters/conftest.py.
completed_sets <- function(path, m = 20) {
  data <- read.csv(path)
  holes <- which(is.na(data$popular))
  lapply(seq_len(m), function(l) {
    filled <- data
    wave <- sin(12.9898 * holes + 78.233 * l) + 0.6 * sin(4.1414 * data$school[holes] + 9.73 * l)
    filled$popular[holes] <- 3.6 + 0.09 * data$texp[holes] + 0.87 * data$sex[holes] + 0.8 * wave
    filled
  })
}

popmis_path <- function() file.path("..", "..", "bayesmi", "datasets", "data", "popmis.csv")

# long form: case, key, value with all digits
write_golden <- function(rows, file) {
  value <- sprintf("%.17g", unlist(rows))
  name <- strsplit(names(unlist(rows)), ";", fixed = TRUE)
  out <- data.frame(case = sapply(name, `[`, 1), key = sapply(name, `[`, 2), value = value)
  write.table(out, file, sep = ",", row.names = FALSE, quote = FALSE)
}
