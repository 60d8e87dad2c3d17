/* SPDX-License-Identifier: MIT */
/* The registry of verbs, in the order of the help. */
#include "cli/verbs.h"

#include <string.h>

const CliVerb *const cli_verbs[] = {
  &cli_verb_devices,
  &cli_verb_info,
  &cli_verb_infer,
  &cli_verb_train,
  &cli_verb_eval,
  &cli_verb_score,
  &cli_verb_sensitivity,
  &cli_verb_norms,
  &cli_verb_parts,
  &cli_verb_prune,
  &cli_verb_compare,
  &cli_verb_small_data,
  &cli_verb_spectrum,
  &cli_verb_export,
  &cli_verb_sessions,
  &cli_verb_bench,
  &cli_verb_tables,
  &cli_verb_sample,
  NULL
};

const CliVerb *
cli_verb_find (const char *name)
{
  for (const CliVerb *const *verb = cli_verbs; *verb != NULL; verb++) {
    if (strcmp ((*verb)->name, name) == 0)
      return *verb;
  }
  return NULL;
}
