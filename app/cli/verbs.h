/* SPDX-License-Identifier: MIT */
/* One row per verb: its file is verb-NAME.c. */
#pragma once

#include "cli/cli.h"

extern const CliVerb cli_verb_devices, cli_verb_info, cli_verb_infer, cli_verb_train, cli_verb_eval, cli_verb_score,
  cli_verb_sensitivity, cli_verb_norms, cli_verb_parts, cli_verb_prune, cli_verb_compare, cli_verb_export, cli_verb_sessions,
  cli_verb_bench, cli_verb_tables, cli_verb_sample, cli_verb_small_data, cli_verb_spectrum;
