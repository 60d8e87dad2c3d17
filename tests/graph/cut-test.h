/* SPDX-License-Identifier: MIT */
/* Networks from the specification's fixtures, and the invariants of surgery. */
#pragma once

#include "fixture.h"
#include "net.h"

G_BEGIN_DECLS

/* Sums have another order in the smaller network. */
#define CUT_TOLERANCE 1e-5

/* A case of structure.json. (transfer full) */
JsonObject *case_of (const char *name);
/* Parts of a network whose numbers stand at @path of @o; each returns the value. */
int param_at (PjGraph *g, JsonObject *o, const char *name, const char *path);
int norm_at (PjGraph *g, JsonObject *o, const char *name, const char *path, int x);
int input_at (PjGraph *g, JsonObject *o, const char *path);

/* A cut of the group @name that keeps the @n channels @kept. (transfer full) */
PjCutPlan *keep_only (const PjGroups *groups, const char *name, const int *kept, int n);
/* A seeded cut of every unlocked group, even over its blocks. (transfer full) */
PjCutPlan *random_cut (const PjGroups *groups, uint64_t seed);

/* Runs the masked and the cut network and compares with the numbers at @pruned_path; the full one with
 * "y_full" where the case has it. */
void check_plan (PjGraph *graph, JsonObject *o, const PjGroups *groups, const PjCutPlan *plan, const char *pruned_path);
/* The same for a cut of one group and "y_pruned". (transfer full): the cut network */
PjGraph *check_fixture (PjGraph *graph, JsonObject *o, const char *group, const char *kept_path);

/* The columns of weight @name of @cut are those of @graph at the places that @path of @o lists. */
void check_columns (const PjGraph *graph, const PjGraph *cut, const char *name, JsonObject *o, const char *path);

/* What is not a mask: in the parameters @params (NULL-terminated) the entries of channels that @kept_path does not list
 * are 0.  The largest difference from "y_pruned" must be the number at @error_path. */
void check_mask_error (PjGraph *graph, JsonObject *o, const char *const *params, const char *kept_path, const char *error_path);

/* Seeded cuts of all groups: the cut network computes what the masked one does, and costs what was predicted. */
void check_cut_equals_masked (PjGraph *graph);
/* Every unlocked group, permuted inside its blocks, leaves the output as it is. */
void check_permutations (PjGraph *graph);

/* The network of spec/toy_network.json: a stem and two bottlenecks, of which the first has a projection. */
PjGraph *toy_network (JsonObject *o);

G_END_DECLS
