# Multilevel imputation in R for benchmarks/multilevel.py: ten data sets, lme4's fit, pooled by mitml.
# Arguments: design, folder with REPLICATE.csv, file to write, replicates, methods.
arguments <- commandArgs(trailingOnly = TRUE)
design <- arguments[1]; folder <- arguments[2]; target <- arguments[3]
replicates <- as.integer(strsplit(arguments[4], " ")[[1]])
methods <- strsplit(arguments[5], " ")[[1]]
suppressPackageStartupMessages({library(mice); library(mitml); library(jomo); library(lme4)})
m <- 10

cluster <- if (design == "systematic") "study" else "g"
quiet <- function(call) { utils::capture.output(value <- suppressMessages(suppressWarnings(call))); value }

by_mice <- function(data, method) {
  incomplete <- intersect(c("y", "x"), names(data)[colSums(is.na(data)) > 0])
  predictors <- mice::make.predictorMatrix(data)
  predictors[, ] <- 0
  for (name in incomplete) {
    predictors[name, setdiff(names(data), c(name, cluster))] <- 1
    if (method != "norm") {
      predictors[name, cluster] <- -2
      if (design != "contextual") predictors[name, setdiff(c("y", "x"), name)] <- 2  # random slope
      if (method == "2l.norm") predictors[name, predictors[name, ] == 1] <- 2
    } else predictors[name, cluster] <- 0
  }
  way <- setNames(rep("", ncol(data)), names(data))
  way[incomplete] <- method
  imputed <- quiet(mice(data, m = m, maxit = 10, method = way, predictorMatrix = predictors, printFlag = FALSE))
  mice::complete(imputed, "all")
}

by_jomo <- function(data) {
  incomplete <- intersect(c("y", "x"), names(data)[colSums(is.na(data)) > 0])
  complete <- setdiff(names(data), c(incomplete, cluster))
  made <- quiet(jomo1ran(
    Y = data[incomplete], X = cbind(1, data[complete]), clus = data[cluster], nburn = 500, nbetween = 200, nimp = m,
    meth = "random", output = 0
  ))
  lapply(seq_len(m), function(i) {
    one <- made[made$Imputation == i, ]
    cbind(data[c(cluster, complete)], setNames(one[incomplete], incomplete))
  })
}

by_jomo_lmer <- function(data) {
  formula <- as.formula(paste("y ~ x + z + (1 + x |", cluster, ")"))
  used <- data[c("y", "x", "z", cluster)]
  level <- setNames(rep(1, ncol(used)), names(used)); level[cluster] <- 1
  made <- quiet(jomo.lmer(formula, used, nburn = 500, nbetween = 200, nimp = m, output = 0))
  number <- made$Imputation
  lapply(seq_len(m), function(i) {
    one <- made[number == i, ]
    if (!cluster %in% names(one)) one[[cluster]] <- one$clus
    one[[cluster]] <- data[[cluster]]
    one
  })
}

fit_one <- function(data) {
  data <- as.data.frame(data)
  data[[cluster]] <- factor(data[[cluster]])
  if (design == "contextual") {
    data$between <- ave(data$x, data[[cluster]]); data$within <- data$x - data$between
    quiet(lmer(y ~ between + within + (1 | g), data))
  } else {
    quiet(lmer(as.formula(paste("y ~ x + z + (1 + x |", cluster, ")")), data))
  }
}

answer <- function(tables) {
  fits <- lapply(tables, fit_one)
  pooled <- testEstimates(as.mitml.result(fits))$estimates
  out <- list()
  term <- c("(Intercept)" = "Intercept", between = "between(x)", within = "within(x)")
  for (name in rownames(pooled)) {
    to <- if (name %in% names(term)) term[[name]] else name
    half <- qt(.975, pooled[name, "df"]) * pooled[name, "Std.Error"]
    out[[paste0(to, "|mean")]] <- pooled[name, "Estimate"]
    out[[paste0(to, "|low")]] <- pooled[name, "Estimate"] - half
    out[[paste0(to, "|high")]] <- pooled[name, "Estimate"] + half
  }
  components <- sapply(fits, function(fit) {
    found <- as.data.frame(VarCorr(fit))
    c(found$sdcor)
  })
  mean_of <- rowMeans(components)
  labels <- if (design == "contextual") c(paste0("1|", cluster, "_sigma"), "sigma") else
    c(paste0("1|", cluster, "_sigma"), paste0("x|", cluster, "_sigma"), "corr", "sigma")
  for (i in seq_along(labels)) out[[paste0(labels[i], "|mean")]] <- mean_of[i]
  out
}

rows <- list()
for (replicate in replicates) {
  data <- read.csv(file.path(folder, paste0(replicate, ".csv")))
  row <- list(replicate = replicate)
  for (method in methods) {
    set.seed(1000 + replicate)
    begun <- proc.time()[["elapsed"]]
    found <- tryCatch(answer(switch(method, jomo = by_jomo(data), jomo.lmer = by_jomo_lmer(data), by_mice(data, method))),
      error = function(problem) { message(method, " ", replicate, ": ", conditionMessage(problem)); list() })
    row[[paste0(method, "|seconds")]] <- proc.time()[["elapsed"]] - begun
    for (name in names(found)) row[[paste0(method, "|", name)]] <- found[[name]]
  }
  rows[[length(rows) + 1]] <- row
  every <- unique(unlist(lapply(rows, names)))
  table <- do.call(rbind, lapply(rows, function(one) {
    as.data.frame(setNames(lapply(every, function(name) if (is.null(one[[name]])) NA else one[[name]]), every), check.names = FALSE)
  }))
  write.csv(table, target, row.names = FALSE)
  cat(sprintf("%s in R: %d of %d, %s\n", design, length(rows), length(replicates),
    paste(sapply(methods, function(x) sprintf("%s %.0f s", x, row[[paste0(x, "|seconds")]])), collapse = ", ")))
}
