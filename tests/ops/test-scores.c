/* SPDX-License-Identifier: MIT */
/* Softmax, losses, folding and the optimiser against the reference.
 *
 * Tolerance: exponentials in single precision are good to about 1e-6 where scores differ by tens. */
#include "rig.h"

#define TOLERANCE 1e-5

typedef struct { int n, k; } ScoreCase;
static const ScoreCase score_cases[] = { { 1, 1 }, { 3, 2 }, { 13, 10 }, { 4, 101 }, { 65, 17 } };

static void
softmax (gconstpointer data)
{
  const ScoreCase *c = data;
  for (int log = 0; log < 2; log++) {
    g_autoptr (Rig) rig = rig_new (1000);
    if (rig == NULL)
      return;
    PjShape shape = PJ_SHAPE (c->n, c->k);
    PjCall *call = rig_call (rig, PJ_KERNEL_SOFTMAX);
    call->softmax.log = log;
    rig_in (call, rig_input_around (rig, shape, 0, log ? 90 : 40));
    rig_out (call, rig_output (rig, shape));
    rig_check (rig, log ? "log softmax" : "softmax", TOLERANCE);
  }
}

static void
cross_entropy (gconstpointer data)
{
  const ScoreCase *c = data;
  for (int backward = 0; backward < 2; backward++) {
    g_autoptr (Rig) rig = rig_new (1100);
    if (rig == NULL)
      return;
    PjShape shape = PJ_SHAPE (c->n, c->k);
    PjCall *call = rig_call (rig, PJ_KERNEL_CROSS_ENTROPY);
    call->loss.weight = 0.7f;
    rig_in (call, rig_input (rig, shape), rig_labels (rig, c->n, c->k));
    rig_out (call, rig_output (rig, PJ_SHAPE (c->n)), backward ? rig_output (rig, shape) : -1);
    rig_check (rig, "cross_entropy", TOLERANCE);
  }
}

static void
kl (gconstpointer data)
{
  const ScoreCase *c = data;
  for (int variant = 0; variant < 8; variant++) {
    g_autoptr (Rig) rig = rig_new (1200);
    if (rig == NULL)
      return;
    PjShape shape = PJ_SHAPE (c->n, c->k);
    PjCall *call = rig_call (rig, PJ_KERNEL_KL);
    call->kl.weight = 0.7f;
    call->kl.temperature = variant & 4 ? 4 : 1;
    call->kl.reverse = (variant & 2) != 0;
    rig_in (call, rig_input (rig, shape), rig_input (rig, shape));
    rig_out (call, rig_output (rig, PJ_SHAPE (c->n)), variant & 1 ? rig_output (rig, shape) : -1);
    rig_check (rig, "kl", TOLERANCE);
  }
}

/* Scores of ±1000 must neither overflow nor give NaN. */
static void
extreme_scores (void)
{
  const float z[] = { 1000, -1000, 0, -1000, 1000, 999 };
  g_autoptr (Rig) rig = rig_new (1300);
  if (rig == NULL)
    return;
  int x = rig_input_from (rig, PJ_SHAPE (2, 3), z);
  PjCall *call = rig_call (rig, PJ_KERNEL_SOFTMAX);
  rig_in (call, x);
  rig_out (call, rig_output (rig, PJ_SHAPE (2, 3)));
  call = rig_call (rig, PJ_KERNEL_CROSS_ENTROPY);
  call->loss.weight = 1;
  rig_in (call, x, rig_labels (rig, 2, 3));
  rig_out (call, rig_output (rig, PJ_SHAPE (2)), rig_output (rig, PJ_SHAPE (2, 3)));
  rig_check (rig, "extreme scores", TOLERANCE);
}

/* --- folding --- */

static const PjShape weights[] = { { 4, { 1, 1, 1, 1 } }, { 4, { 13, 5, 3, 3 } }, { 4, { 33, 16, 1, 1 } }, { 2, { 10, 17 } } };

static void
fold (gconstpointer data)
{
  const PjShape *shape = data;
  int64_t o = shape->dim[0];
  for (int variant = 0; variant < 4; variant++) {
    g_autoptr (Rig) rig = rig_new (1400);
    if (rig == NULL)
      return;
    int w = rig_param (rig, *shape, 0, 1), b = rig_param_if (rig, variant & 1, PJ_SHAPE (o));
    int gate = rig_input_around (rig, PJ_SHAPE (o), 0.5f, 1);
    PjCall *call = rig_call (rig, PJ_KERNEL_FOLD_NORM);
    call->norm.eps = 1e-3f;
    rig_in (call, w, b, rig_param (rig, PJ_SHAPE (o), 0.5f, 1), rig_param (rig, PJ_SHAPE (o), 0, 1), rig_param (rig, PJ_SHAPE (o), 0, 1),
            rig_param (rig, PJ_SHAPE (o), 1, 0.9f), variant & 2 ? gate : -1);
    rig_out (call, rig_output (rig, *shape), rig_output (rig, PJ_SHAPE (o)));
    call = rig_call (rig, PJ_KERNEL_FOLD_GATE);
    rig_in (call, w, b, gate);
    rig_out (call, rig_output (rig, *shape), variant & 1 ? rig_output (rig, PJ_SHAPE (o)) : -1);
    rig_check (rig, "fold_norm, fold_gate", TOLERANCE);
  }
}

/* --- optimiser --- */

static void
sgd (gconstpointer nesterov)
{
  static const size_t sizes[][2] = { { 64, 0 }, { 192, 64 }, { 0, 128 }, { 16448, 192 } };
  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    const float values[PJ_N_HYPER] = { 0.1f, 0.9f, 0.01f, GPOINTER_TO_INT (nesterov), 0 };
    g_autoptr (Rig) rig = rig_new (1500);
    if (rig == NULL)
      return;
    PjCall *call = rig_call (rig, PJ_KERNEL_SGD);
    call->sgd.n_decay = sizes[i][0];
    call->sgd.n_plain = sizes[i][1];
    rig_in (call, rig_input_from (rig, PJ_SHAPE (PJ_N_HYPER), values));
    rig_check (rig, "sgd", TOLERANCE);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (score_cases); i++) {
    const ScoreCase *c = &score_cases[i];
    const struct { const char *name; GTestDataFunc func; } tests[] = { { "softmax", softmax }, { "cross-entropy", cross_entropy }, { "kl", kl } };
    for (guint t = 0; t < G_N_ELEMENTS (tests); t++) {
      g_autofree char *path = g_strdup_printf ("/ops/%s/%dx%d", tests[t].name, c->n, c->k);
      g_test_add_data_func (path, c, tests[t].func);
    }
  }
  g_test_add_func ("/ops/scores/extreme", extreme_scores);
  for (guint i = 0; i < G_N_ELEMENTS (weights); i++) {
    g_autofree char *shape = pj_shape_to_string (&weights[i]), *path = g_strdup_printf ("/ops/fold/%s", shape);
    g_test_add_data_func (path, &weights[i], fold);
  }
  g_test_add_data_func ("/ops/sgd/momentum", GINT_TO_POINTER (0), sgd);
  g_test_add_data_func ("/ops/sgd/nesterov", GINT_TO_POINTER (1), sgd);
  return g_test_run ();
}
