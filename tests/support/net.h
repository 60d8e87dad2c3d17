/* SPDX-License-Identifier: MIT */
/* Small networks for tests, and one-call runs on a device. */
#pragma once

#include <json-glib/json-glib.h>

#include "compute/plan.h"
#include "graph/cut.h"
#include "graph/graph.h"
#include "graph/groups.h"

G_BEGIN_DECLS

/* Parameters with seeded values around @centre. */
int net_param (PjGraph *graph, const char *name, PjShape shape, float centre, float spread, uint64_t seed);
int net_param_from (PjGraph *graph, const char *name, PjShape shape, const float *data);
/* Operators; each returns the output value and aborts the test on an error. */
int net_conv (PjGraph *graph, const char *name, int x, int w, int b, int stride, int pad);
int net_norm (PjGraph *graph, const char *name, int x, int gamma, int beta, int mean, int var, float eps);
int net_unary (PjGraph *graph, const char *name, const PjOp *op, int x);
int net_add (PjGraph *graph, const char *name, int a, int b);
int net_gemm (PjGraph *graph, const char *name, int x, int w, int b);

/* conv(c_in→c_out, k×k, same pad) + norm [+ ReLU] with seeded parameters named after @name. */
int net_block (PjGraph *graph, const char *name, int x, int c_out, int k, int stride, gboolean relu);

/* The same with a 3×3 convolution of @groups groups, and ReLU. */
int net_grouped_block (PjGraph *graph, const char *name, int x, int c_out, int groups);
/* Global pool and an fc to 3 classes. */
int net_classifier (PjGraph *graph, int x);

/* A stem, then 1×1 "a" (12), 3×3 "b" in @groups groups (12), 1×1 "c" with a shortcut, as in ResNeXt; @gates adds
 * squeeze-and-excitation after "b", as in RegNet: 2×5×5 input, 3 classes. */
PjGraph *net_bottleneck (int groups, gboolean gates);

/* A residual network with a projection, an inner chain and a classifier: 2×6×6 input, 3 classes. */
PjGraph *net_residual (void);
/* Max and average pooling, biases, a flatten with maps, a residual on the same tensor and a shared weight:
 * 2×6×6 input, 3 classes. */
PjGraph *net_mixed (void);

/**
 * net_run:
 * @masks: (nullable): multiplied at the mask points of @groups
 * @x: @batch inputs
 *
 * Runs @graph on the device of PJ_TEST_DEVICE (cpu) with stored statistics. (transfer full): logits
 */
float *net_run (PjGraph *graph, const PjGroups *groups, const PjCutPlan *masks, const float *x, unsigned batch);
/* TRUE if PJ_TEST_DEVICE does not exist here; the test program then returns 0 at once: it is skipped, or with
 * PJ_TEST_REQUIRE_GPU=1 has failed. Call before g_test_init(). */
gboolean net_device_missing (void);
/* Seeded numbers in about −2 … 2 with some outliers. (transfer full) */
float *net_noise (size_t n, uint64_t seed);

G_END_DECLS
