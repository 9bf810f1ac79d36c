# The analysis model on each completed data set. Arguments: long table (CSV with .imp), where the estimates go.
arguments <- commandArgs(trailingOnly = TRUE)
suppressPackageStartupMessages(library(lme4))
long <- read.csv(arguments[1], stringsAsFactors = FALSE)
for (name in c("motor_score", "pupil", "ct")) long[[name]] <- factor(long[[name]])
long$type <- as.numeric(factor(long$type))  # as the tutorial has it
one <- function(data) {
  fit <- glmer(mort ~ type + age + motor_score + pupil + ct + (1 | name), data, family = binomial)
  data.frame(
    imp = data$.imp[1],
    term = c(names(fixef(fit)), "Intercept variance"),
    estimate = c(fixef(fit), VarCorr(fit)$name[1, 1]),
    se = c(sqrt(diag(as.matrix(vcov(fit)))), NA),
    converged = length(fit@optinfo$conv$lme4$messages) == 0
  )
}
fits <- parallel::mclapply(split(long, long$.imp), one, mc.cores = max(1, parallel::detectCores()))
table <- do.call(rbind, fits)
levels <- c(
  "motor_score3" = "motor_score2", "motor_score4" = "motor_score3", "motor_score5/6" = "motor_score4",
  "pupilNone" = "pupil2", "pupilOne" = "pupil3", "ctIII" = "ct2", "ctIV/V" = "ct3"
)
renamed <- levels[table$term]
table$term <- ifelse(is.na(renamed), table$term, renamed)
write.csv(table, arguments[2], row.names = FALSE)
