/* SPDX-License-Identifier: MIT */
/* Where the time of a network goes: every kernel call of its plan, timed, for `bench plan` and the studio. */
#pragma once

#include "base/hooks.h"
#include "compute/limits.h"
#include "compute/plan.h"

G_BEGIN_DECLS

/**
 * PjWorkCall: one kernel call, in the order in which they run.
 * @node: node of the graph that it belongs to, −1 for none (losses, sums of gradients, the optimiser)
 * @kernel: "conv_bwd_input"; static
 * @again: computes for the backward pass what the forward pass did not keep
 * @output: shape of what it writes, "64×32×28×28"; "" for none
 * @segment: prologue, forward, backward or update
 * @ms: median of the runs
 * @flops, @bytes: floating-point operations, and bytes that it must move at least
 * @share: of the device's limit: the time that the roof allows over @ms; above 1 where the limits are passed
 */
typedef struct {
  int node;
  const char *kernel;
  char *output;
  PjSegment segment;
  gboolean again;
  double ms, flops, bytes, share;
} PjWorkCall;

/**
 * PjWorkProfileOptions: zero-initialise, then set.
 * @mode: PJ_PLAN_INFER, PJ_PLAN_TRAIN or PJ_PLAN_SCORE
 * @batch: pictures per run
 * @repeats: runs of which the median counts; 0 is 1
 */
typedef struct {
  PjPlanMode mode;
  unsigned batch, repeats;
  PjRecompute recompute;
} PjWorkProfileOptions;

/**
 * PjWorkProfile:
 * @calls: (element-type PjWorkCall)
 * @ms: their sum
 * @start_ms: from making the plan to the end of its first run, kernels compiled, less @ms
 * @host_us: median of what a run spends on the host before it waits for the device; 0 where nothing is measured
 * @memory_bytes: peak memory of activations and scratch
 * @limits: of the device; zeros before pj_work_profile_judge()
 */
typedef struct {
  PjPlanMode mode;
  unsigned batch;
  GArray *calls;
  double ms, start_ms, host_us;
  size_t memory_bytes;
  PjLimits limits;
} PjWorkProfile;

/**
 * pj_work_profile:
 * @profile: (out caller-allocates): for pj_work_profile_clear()
 * @error: those of pj_plan_new(); PJ_ERROR_UNSUPPORTED if the device has no clock; PJ_ERROR_CANCELLED
 *
 * Runs the network on seeded noise; the weights of @graph stay as they are.  Shares are 0 until
 * pj_work_profile_judge().  Engine thread.
 */
gboolean pj_work_profile (PjDevice *device, PjGraph *graph, const PjWorkProfileOptions *options, const PjHooks *hooks,
                          PjWorkProfile *profile, GError **error);
/* Measures the limits of the device and fills the shares. Engine thread. */
gboolean pj_work_profile_judge (PjWorkProfile *self, PjDevice *device, GError **error);
void pj_work_profile_clear (PjWorkProfile *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (PjWorkProfile, pj_work_profile_clear)

/* Seeded noise as images and classes in turn as labels, for a plan that is to be timed. */
gboolean pj_work_fill_noise (PjPlan *plan, const PjGraph *graph, gboolean labels, GError **error);

G_END_DECLS
