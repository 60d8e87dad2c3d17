/* SPDX-License-Identifier: MIT */
/* A comparison as JSON. */
#pragma once

#include <json-glib/json-glib.h>

#include "prune/compare/jury.h"

G_BEGIN_DECLS

/**
 * cli_comparison_json:
 * @verdicts: of pj_verdicts_new()
 *
 * Adds to @result: "base", "n_test", "rows" (every seed), "means" (one per method, ratio and start), "agreement" (per
 * ratio: "overlap" and "rank_correlation", matrices in the order of "methods", null where there is none), "layers"
 * (divergence of each layer's cut alone and its winner) and, per mean, "classes" and "answers_changed" of its first seed.
 */
void cli_comparison_json (JsonObject *result, const PjGroups *groups, const PjComparison *comparison, const GPtrArray *verdicts);

/* "classes" (name, pictures, top1_before, top1) and "answers_changed", "newly_wrong", "newly_right" of two lists of
 * answers. @classes: (nullable): names, one a line */
void cli_changes_json (JsonObject *result, const uint16_t *labels, const uint16_t *before, const uint16_t *after, unsigned n,
                       unsigned n_classes, const char *classes);

G_END_DECLS
