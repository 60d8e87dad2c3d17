/* SPDX-License-Identifier: MIT */
/* AutoPruner's gates of whole blocks: which close, the same bits after a stop, and what is refused. */
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "lab.h"
#include "prune/gates/block-gates.h"
#include "train/evaluate.h"

/* Newest values of the curves, and what was saved. */
typedef struct {
  GHashTable *last;
  GBytes *state;
} Watch;

static void
metric_cb (gpointer data, const char *series, double x, double y)
{
  g_hash_table_insert (((Watch *) data)->last, g_strdup (series), g_memdup2 (&y, sizeof y));
}

static gboolean
save_cb (uint64_t step, GBytes *state, gpointer data, GError **error)
{
  Watch *self = data;
  g_clear_pointer (&self->state, g_bytes_unref);
  self->state = g_bytes_ref (state);
  return TRUE;
}

static void
watch_init (Watch *self)
{
  *self = (Watch) { .last = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free) };
}

static void
watch_clear (Watch *self)
{
  g_hash_table_unref (self->last);
  g_clear_pointer (&self->state, g_bytes_unref);
}

static double
last_of (const Watch *self, const char *series)
{
  const double *y = g_hash_table_lookup (self->last, series);
  g_assert_nonnull (y);
  return *y;
}

static PjGraph *
run_with (Lab *lab, const PjParts *parts, Watch *watch, const char *set, double keep, GBytes *resume, guint8 *removed, GError **error)
{
  g_auto (GStrv) settings = g_strsplit (set, " ", -1);
  g_autofree double *values = pj_method_values (pj_method_find ("autopruner"), (const char *const *) settings, error);
  PjMethodLife life = { .resume = resume, .seconds = 1e9, .save = save_cb, .data = watch };
  g_assert_nonnull (values);
  return pj_block_gates (&lab->scoring, parts, keep, values, &life, removed, error);
}

/* Gates end open or closed, as many open as asked for, and what is left without the others still knows its classes. */
static void
blocks_close (void)
{
  g_auto (Lab) lab = { 0 };
  Watch watch;
  PjAccuracy accuracy;
  g_autoptr (GError) error = NULL;
  lab_init_residual (&lab, 320);
  watch_init (&watch);
  lab.hooks = (PjHooks) { .data = &watch, .metric = metric_cb };
  lab.scoring.hooks = &lab.hooks;
  g_autoptr (PjParts) parts = pj_parts_new (lab.graph);
  g_autofree guint8 *removed = g_malloc0 (pj_parts_n (parts));
  g_autoptr (PjGraph) learnt = run_with (&lab, parts, &watch, "net=resnet epochs=12 code-batch=16 code-lr=0.01", 0.5, NULL, removed, &error);
  g_assert_no_error (error);
  unsigned n_removed = 0;
  for (unsigned i = 0; i < pj_parts_n (parts); i++) {
    const PjPart *part = pj_parts_get (parts, i);
    g_assert_true (!removed[i] || part->kind == PJ_PART_BRANCH);
    n_removed += removed[i];
    if (part->kind != PJ_PART_BRANCH)
      continue;
    g_autofree char *series = g_strdup_printf ("gate %s", part->name);
    double gate = last_of (&watch, series);
    g_test_message ("%s: gate %.4f, alpha %.1f, removed %d", part->name, gate, last_of (&watch, "alpha blocks"), removed[i]);
    g_assert_true (gate < 0.1 || gate > 0.9);
    g_assert_true ((gate < 0.5) == removed[i]);
  }
  g_assert_cmpuint (n_removed, ==, 1);
  g_assert_cmpfloat_with_epsilon (last_of (&watch, "rate blocks"), 0.5, 0.06);
  g_autoptr (PjGraph) small = pj_parts_remove (learnt, parts, removed, &error);
  g_assert_no_error (error);
  g_assert_true (pj_evaluate (lab.device, small, lab.dataset, PJ_SPLIT_TRAIN, &lab.format, 0, NULL, NULL, NULL, &accuracy, &error));
  g_test_message ("top-1 %.3f", accuracy.top1);
  g_assert_cmpfloat (accuracy.top1, >, 0.8);
  pj_accuracy_clear (&accuracy);
  watch_clear (&watch);
}

static void
assert_same (const PjGraph *a, const PjGraph *b)
{
  for (unsigned v = 0; v < pj_graph_n_values (a); v++) {
    const PjBlob *x = pj_graph_value (a, (int) v)->data, *y = pj_graph_value (b, (int) v)->data;
    if (x != NULL)
      g_assert_cmpmem (pj_blob_data (x), pj_blob_n_elems (x) * 4, pj_blob_data (y), pj_blob_n_elems (y) * 4);
  }
}

static void
resumes (void)
{
  static const char set[] = "epochs=2 code-batch=16";
  g_auto (Lab) lab = { 0 };
  Watch watch;
  lab_init_residual (&lab, 160);
  g_autoptr (PjParts) parts = pj_parts_new (lab.graph);
  g_autofree guint8 *expected_removed = g_malloc0 (pj_parts_n (parts)), *removed = g_malloc0 (pj_parts_n (parts));
  watch_init (&watch);
  g_autoptr (PjGraph) expected = run_with (&lab, parts, &watch, set, 0.5, NULL, expected_removed, NULL);
  g_assert_nonnull (expected);
  for (int stop = 3; stop < 20; stop += 10) {
    g_autoptr (GError) error = NULL;
    lab_cancel_after (&lab, stop);
    g_assert_null (run_with (&lab, parts, &watch, set, 0.5, NULL, removed, &error));
    g_assert_error (error, PJ_ERROR, PJ_ERROR_CANCELLED);
    g_assert_nonnull (watch.state);
    g_clear_error (&error);
    lab.scoring.hooks = NULL;
    g_autoptr (GBytes) state = g_bytes_ref (watch.state);
    g_autoptr (PjGraph) resumed = run_with (&lab, parts, &watch, set, 0.5, state, removed, &error);
    g_assert_no_error (error);
    assert_same (expected, resumed);
    g_assert_cmpmem (removed, pj_parts_n (parts), expected_removed, pj_parts_n (parts));
  }
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) other = g_bytes_new_static ("nonsense that is longer than a header", 37);
  g_assert_null (run_with (&lab, parts, &watch, set, 0.5, other, removed, &error));
  g_assert_error (error, PJ_ERROR, PJ_ERROR_INVALID);
  watch_clear (&watch);
}

static void
refusals (void)
{
  static const struct { double keep; const char *set, *text; } cases[] = {
    { 0, "epochs=1", "above 0" }, { 1, "epochs=1", "below 1" }, { 0.5, "code-batch=64", "batches of 64" },
  };
  g_auto (Lab) lab = { 0 }, chain = { 0 };
  Watch watch;
  guint8 removed[64];
  watch_init (&watch);
  lab_init_residual (&lab, 32);
  g_autoptr (PjParts) parts = pj_parts_new (lab.graph);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;
    g_assert_null (run_with (&lab, parts, &watch, cases[i].set, cases[i].keep, NULL, removed, &error));
    g_assert_error (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_SETTING);
    g_assert_nonnull (strstr (error->message, cases[i].text));
  }
  g_autoptr (GError) error = NULL, stiff = NULL;
  /* Two steps at a rate that moves nothing. */
  g_assert_null (run_with (&lab, parts, &watch, "epochs=1 code-batch=16 code-lr=1e-6", 0.5, NULL, removed, &stiff));
  g_assert_error (stiff, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_UNFIT);
  g_assert_nonnull (strstr (stiff->message, "none of the 2 gates closed in 2 steps"));
  lab_init_chain (&chain, 64, FALSE, 0);
  g_autoptr (PjParts) none = pj_parts_new (chain.graph);
  g_assert_null (run_with (&chain, none, &watch, "epochs=1", 0.5, NULL, removed, &error));
  g_assert_error (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_UNFIT);
  watch_clear (&watch);
}

int
main (int argc, char **argv)
{
  if (net_device_missing ())
    return 0;
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/prune/block-gates/blocks-close", blocks_close);
  g_test_add_func ("/prune/block-gates/resumes", resumes);
  g_test_add_func ("/prune/block-gates/refusals", refusals);
  return g_test_run ();
}
