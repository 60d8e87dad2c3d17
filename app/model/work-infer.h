/* SPDX-License-Identifier: MIT */
/* Running a network on given inputs, and the check that its groups are complete. */
#pragma once

#include "base/hooks.h"
#include "compute/device.h"
#include "data/dataset.h"
#include "graph/cut.h"
#include "graph/graph.h"
#include "graph/groups.h"

G_BEGIN_DECLS

/* Numbers of one image at the input and at the output, as the file has it (probabilities, if it ends so). */
size_t pj_work_input_elems (const PjGraph *graph);
size_t pj_work_output_elems (const PjGraph *graph);

/**
 * pj_work_infer:
 * @batch: images per run
 * @inputs: @n images as the network's input takes them, already normalised
 * @outputs: (out caller-allocates): n x pj_work_output_elems()
 */
gboolean pj_work_infer (PjDevice *device, PjGraph *graph, unsigned batch, const float *inputs, size_t n, float *outputs,
                        const PjHooks *hooks, GError **error);

/* The same of the masked network: channels that @plan removes are multiplied by 0 at every mask point. */
gboolean pj_work_infer_masked (PjDevice *device, PjGraph *graph, const PjGroups *groups, const PjCutPlan *plan,
                               unsigned batch, const float *inputs, size_t n, float *outputs, const PjHooks *hooks,
                               GError **error);

/**
 * pj_work_probe_inputs:
 * @dataset: (nullable): its first test pictures are taken where there are @n that fit the network
 * @are_pictures: (out): FALSE: seeded noise
 *
 * Inputs to compare two networks on. (transfer full): for pj_free()
 */
float *pj_work_probe_inputs (PjGraph *graph, PjDataset *dataset, unsigned n, gboolean *are_pictures, GError **error);

/* Largest |a − b| over the largest |a|; 1 if a number is not finite. */
double pj_work_difference (const float *a, const float *b, size_t n);

/**
 * pj_work_check_groups:
 * @differences: (out caller-allocates): by group id: relative change of the outputs when the group's channels
 *   are reordered everywhere; -1 for locked groups.  More than rounding means that something that reads the
 *   channels was missed.
 *
 * Needs no data: seeded noise goes in.
 */
gboolean pj_work_check_groups (PjDevice *device, PjGraph *graph, const PjGroups *groups, uint64_t seed,
                               double *differences, const PjHooks *hooks, GError **error);

G_END_DECLS
