#include "vec.h"

/* Signatures first: messages carry them. */
const vec_file vec_files[] = {
    {"values.json", vec_make_values},
    {"names.json", vec_make_names},
    {"ops.json", vec_make_ops},
    {"chains.json", vec_make_chains},
    {"folds.json", vec_make_folds},
    {"rows.json", vec_make_rows},
    {"signatures.json", vec_make_signatures},
    {"messages.json", vec_make_messages},
    {"refused.json", vec_make_refused},
    {NULL, NULL},
};
