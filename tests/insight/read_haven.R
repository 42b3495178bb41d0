# Reads .sav and .dta with haven, as a researcher would, and compares them with the CSV files and the codebook of the
# same release: values, dates, missing codes, variable labels, value labels.
# usage: Rscript --vanilla read_haven.R FOLDER NAME...
suppressPackageStartupMessages(library(haven))

args <- commandArgs(trailingOnly = TRUE)
folder <- args[1]
tags <- c("-97" = "a", "-98" = "b", "-99" = "c")
texts <- c("release", "measure", "unit", "code_label", "network_name")

check <- function(fine, ...) {
  if (!isTRUE(fine)) {
    cat("FAILED: ", ..., "\n", sep = "", file = stderr())
    quit(status = 1)
  }
}

# As bytes say it: no guessing of types, no missing values, and the guard before formulas taken off again.
read_rows <- function(name) {
  rows <- read.csv(file.path(folder, paste0(name, ".csv")), colClasses = "character", check.names = FALSE,
                   na.strings = character(), encoding = "UTF-8")
  for (column in intersect(texts, names(rows))) rows[[column]] <- sub("^'", "", rows[[column]])
  rows
}

labels_of <- function(x) attr(x, "labels", exact = TRUE)

# What a code stands for must be the same in both files; Stata has letters where SPSS has -97 to -99.
check_labels <- function(where, sav, dta) {
  s <- labels_of(sav)
  d <- labels_of(dta)
  check(length(s) == length(d) && length(s) >= 3, where, ": ", length(s), " and ", length(d), " value labels")
  for (text in names(s)) {
    value <- s[[text]]
    other <- d[names(d) == text]
    check(length(other) == 1, where, ": Stata lacks the label ", text)
    tag <- tags[as.character(value)]
    if (is.na(tag)) check(other[[1]] == value, where, ": ", text)
    else check(na_tag(other)[[1]] == tag, where, ": ", text, " is not .", tag)
  }
}

check_numbers <- function(where, want, sav, dta) {
  number <- as.numeric(want)
  hidden <- number %in% as.numeric(names(tags))
  check(identical(attr(sav, "na_range", exact = TRUE), c(-99, -97)), where, ": SPSS knows no missing codes")
  check(all(is.na(sav) == hidden), where, ": other values are missing in SPSS")
  check(all(abs(as.numeric(unclass(sav)) - number) < 1e-9), where, ": other values in SPSS")
  check(all(is.na(dta) == hidden), where, ": other values are missing in Stata")
  check(all(na_tag(dta)[hidden] == tags[want[hidden]]), where, ": other missing codes in Stata")
  check(all(abs(as.numeric(unclass(dta))[!hidden] - number[!hidden]) < 1e-9), where, ": other values in Stata")
}

compare <- function(name) {
  want <- read_rows(name)
  sav <- read_sav(file.path(folder, paste0(name, ".sav")), user_na = TRUE)
  dta <- read_dta(file.path(folder, paste0(name, ".dta")))
  check(nrow(want) > 0 && nrow(sav) == nrow(want) && nrow(dta) == nrow(want), name, ": rows")
  check(identical(names(sav), names(want)) && identical(names(dta), names(want)), name, ": columns")
  for (column in names(want)) {
    where <- paste0(name, ".", column)
    s <- sav[[column]]
    d <- dta[[column]]
    label <- attr(s, "label", exact = TRUE)
    check(is.character(label) && nchar(label) > 3, where, ": no label")
    check(identical(label, attr(d, "label", exact = TRUE)), where, ": labels differ")
    if (column == "month") {
      check(identical(attr(s, "format.spss"), "EDATE10") && identical(attr(d, "format.stata"), "%td"), where, ": format")
      check(inherits(s, "Date") && all(format(s) == want[[column]]), where, ": no date in SPSS")
      check(inherits(d, "Date") && all(format(d) == want[[column]]), where, ": no date in Stata")
    } else if (column %in% texts) {
      check(all(as.character(s) == want[[column]]), where, ": texts in SPSS")
      check(all(as.character(d) == want[[column]]), where, ": texts in Stata")
    } else {
      check_numbers(where, want[[column]], s, d)
      check_labels(where, s, d)
    }
  }
  # As the documentation says: what is hidden is missing, and drops out of any figure.
  plain <- read_sav(file.path(folder, paste0(name, ".sav")))
  check(sum(!is.na(plain$value)) == sum(want$told == "1" & want$value != "-97"), name, ": hidden values are not missing")
  cat(name, ": ", nrow(want), " rows, ", sum(want$told == "1"), " told, the same in SPSS and Stata\n", sep = "")
}

check(length(args) > 1, "usage: read_haven.R FOLDER NAME...")
for (name in args[-1]) compare(name)

# The codes of a column are those of the codebook.
codebook <- read.csv(file.path(folder, "codebook.csv"), colClasses = "character", na.strings = character(), encoding = "UTF-8")
sources <- codebook[codebook$what == "code" & codebook$dataset == "sleep" & codebook$name == "source", ]
told <- labels_of(read_sav(file.path(folder, "sleep.sav"), user_na = TRUE)$source)
check(nrow(sources) == 6 && all(told[sources$label_en] == as.numeric(sources$code)), "sources are not the codebook's: ",
      paste(names(told), collapse = ", "))
