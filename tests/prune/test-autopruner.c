/* SPDX-License-Identifier: MIT */
/* AutoPruner: its controllers against the specification's trace, and whole runs on small networks. */
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "lab.h"
#include "prune/gates/coding.h"
#include "train/evaluate.h"
#include "train/masks.h"

/* --- controllers --- */

static void
controller (void)
{
  g_autoptr (JsonObject) o = fixture_load ("spec/autopruner.json");
  JsonArray *rows = json_node_get_array (fixture_at (o, "controller/rows"));
  PjCodingPlan plan;
  PjCodingState state;

  pj_coding_plan_init (&plan, PJ_CODING_RESNET, 8, 5005);
  pj_coding_state_init (&state, &plan, 4);
  g_assert_cmpfloat (plan.step, ==, fixture_number (o, "controller/step"));
  g_assert_cmpfloat (state.threshold, ==, fixture_number (o, "controller/start_threshold") / 100);
  g_assert_cmpfloat (state.lambda, ==, 10);
  for (guint i = 0; i < json_array_get_length (rows); i++) {
    JsonObject *row = json_array_get_object_element (rows, i);
    pj_coding_control (&plan, &state, fixture_number (o, "controller/r"), json_object_get_double_member (row, "prune_rate_percent") / 100,
                       json_object_get_double_member (row, "two_side"), json_object_get_boolean_member (row, "after_first_epoch"));
    g_assert_cmpfloat_with_epsilon (state.offset, json_object_get_double_member (row, "alpha_offset"), 1e-9);
    g_assert_cmpfloat_with_epsilon (100 * state.threshold, json_object_get_double_member (row, "threshold_percent"), 1e-9);
    g_assert_cmpfloat_with_epsilon (state.lambda, json_object_get_double_member (row, "lambda"), 1e-9);
  }
  pj_coding_state_clear (&state);
}

static void
schedule (void)
{
  g_autoptr (JsonObject) o = fixture_load ("spec/autopruner.json");
  JsonObject *linear = json_node_get_object (fixture_at (o, "linear_schedule"));
  unsigned per_epoch = (unsigned) fixture_number (linear, "iterations_per_epoch");
  PjCodingPlan plan;
  PjCodingState state;

  pj_coding_plan_init (&plan, PJ_CODING_MOBILENET, (unsigned) fixture_number (linear, "epochs"), per_epoch);
  pj_coding_state_init (&state, &plan, 1);
  double start = pj_coding_alpha (&plan, &state, 0), step = fixture_number (linear, "step");
  g_assert_cmpfloat (start, ==, fixture_number (linear, "start"));
  g_assert_cmpfloat_with_epsilon (pj_coding_alpha (&plan, &state, 1), fixture_number (linear, "alpha_after_1"), 1e-9);
  g_assert_cmpfloat_with_epsilon (pj_coding_alpha (&plan, &state, 1) - start, step, 1e-9);
  g_assert_cmpfloat_with_epsilon (pj_coding_alpha (&plan, &state, per_epoch), fixture_number (linear, "alpha_after_epoch_1"), 1e-9);
  g_assert_cmpfloat_with_epsilon (pj_coding_alpha (&plan, &state, plan.n_steps - 1) + step, fixture_number (linear, "end"), 1e-9);
  pj_coding_state_clear (&state);
}

static void
vote (void)
{
  g_autoptr (JsonObject) o = fixture_load ("spec/autopruner.json");
  int n;
  g_autofree float *codes = fixture_floats (o, "vote/codes_of_4_iterations", &n);
  g_autofree int *binary = fixture_ints (o, "vote/binary", &n);
  PjCodingPlan plan;
  PjCodingState state;

  pj_coding_plan_init (&plan, PJ_CODING_VGG, 3, 1000);
  g_autofree float *above = fixture_floats (o, "vote/fraction_above_half", NULL);
  plan.window = 5;
  pj_coding_state_init (&state, &plan, 3);
  for (int i = 0; i < 4; i++)
    g_assert_false (pj_coding_vote (&state, &plan, codes + 3 * i));
  for (int c = 0; c < 3; c++)
    g_assert_cmpfloat (state.votes[c] / 4.0, ==, above[c]);
  pj_coding_state_clear (&state);
  plan.window = 4;
  pj_coding_state_init (&state, &plan, 3);
  for (int i = 0; i < 4; i++)
    g_assert_cmpint (pj_coding_vote (&state, &plan, codes + 3 * i), ==, i == 3);
  for (int c = 0; c < 3; c++)
    g_assert_cmpint (state.code[c], ==, binary[c]);
  g_assert_cmpfloat_with_epsilon (state.mean[0], (0.9 + 0.8 + 0.7 + 0.95) / 4, 1e-6);
  g_assert_cmpfloat_with_epsilon (pj_coding_removed (&state), 2.0 / 3, 1e-9);
  pj_coding_state_clear (&state);
}

/* --- runs --- */

/* What a run told, saved and is told. */
typedef struct {
  GHashTable *last;            /* series -> double: its newest value */
  GBytes *state;
  uint64_t x;
  int freeze_at, finish_at, polls;
  int group;
} Watch;

static void
metric_cb (gpointer data, const char *series, double x, double y)
{
  Watch *self = data;
  g_hash_table_insert (self->last, g_strdup (series), g_memdup2 (&y, sizeof y));
}

static gboolean
save_cb (uint64_t step, GBytes *state, gpointer data, GError **error)
{
  Watch *self = data;
  g_clear_pointer (&self->state, g_bytes_unref);
  self->state = g_bytes_ref (state);
  self->x = step;
  return TRUE;
}

static gboolean
command_cb (PjCommand *command, gpointer data)
{
  Watch *self = data;
  int poll = self->polls++;
  command->group = self->group;
  command->kind = poll == self->freeze_at ? PJ_COMMAND_FREEZE : PJ_COMMAND_FINISH;
  return poll == self->freeze_at || poll == self->finish_at;
}

static void
watch_init (Watch *self)
{
  *self = (Watch) { .last = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free), .freeze_at = -1, .finish_at = -1 };
}

static void
watch_clear (Watch *self)
{
  g_hash_table_unref (self->last);
  g_clear_pointer (&self->state, g_bytes_unref);
}

static double
last_of (const Watch *self, const char *what, const char *group)
{
  g_autofree char *series = g_strdup_printf ("%s %s", what, group);
  const double *y = g_hash_table_lookup (self->last, series);
  g_assert_nonnull (y);
  return *y;
}

/* @set: "name=value …" */
static PjCutPlan *
run_with (Lab *lab, Watch *watch, const double *ratios, const char *set, GBytes *resume, GError **error)
{
  const PjMethod *method = pj_method_find ("autopruner");
  g_auto (GStrv) settings = g_strsplit (set, " ", -1);
  g_autofree double *values = pj_method_values (method, (const char *const *) settings, error);
  PjMethodLife life = { .resume = resume, .seconds = 1e9, .save = save_cb, .command = command_cb, .data = watch };
  PjPruneSettings prune = { .ratios = ratios, .values = values, .life = &life };
  g_assert_nonnull (values);
  lab->hooks.metric = metric_cb;
  if (lab->hooks.data == NULL)
    lab->hooks.data = watch;
  lab->scoring.hooks = &lab->hooks;
  return method->choose (method, &lab->scoring, &prune, NULL, error);
}

#define SETTINGS "net=vgg order=together epochs=12 code-batch=16 code-lr=0.01"

/* Gates end open or closed, as many open as asked for, and the cut network is the masked one. */
static void
gates_become_binary (void)
{
  g_auto (Lab) lab = { 0 };
  Watch watch;
  g_autoptr (GError) error = NULL;
  lab_init_residual (&lab, 320);
  g_autofree double *ratios = lab_ratios (&lab, "x y", 0.4);
  watch_init (&watch);
  g_autoptr (PjCutPlan) plan = run_with (&lab, &watch, ratios, SETTINGS, NULL, &error);
  g_assert_no_error (error);
  for (int i = 0; i < 2; i++) {
    const char *name = i == 0 ? "x" : "y";
    const PjGroup *group = pj_groups_find (lab.groups, name);
    int kept = pj_cut_plan_n_kept (plan, group);
    g_test_message ("%s: %d of %d, rate %.3f, ends %.3f, alpha %.2f", name, kept, group->n_channels, last_of (&watch, "rate", name),
                    last_of (&watch, "gates0", name) + last_of (&watch, "gates9", name), last_of (&watch, "alpha", name));
    g_assert_cmpint (abs (kept - 2), <=, 1);
    g_assert_cmpfloat (last_of (&watch, "gates0", name) + last_of (&watch, "gates9", name), >=, 0.8);
    g_assert_cmpfloat (fabs (last_of (&watch, "rate", name) - 0.4), <=, 0.21);
    g_assert_cmpfloat (last_of (&watch, "alpha", name), >, 1);
  }
  g_assert_nonnull (plan->weights);
  g_autoptr (PjGraph) cut = pj_cut (lab.graph, lab.groups, plan, &error);
  g_assert_no_error (error);
  g_autofree float *x = net_noise (4 * 64, 9), *masked = net_run (plan->weights, lab.groups, plan, x, 4), *small = net_run (cut, NULL, NULL, x, 4);
  assert_close (small, masked, 4 * (int) pj_graph_n_classes (cut), 1e-5, "cut and masked");
  watch_clear (&watch);
}

static void
assert_same (const PjCutPlan *a, const PjCutPlan *b)
{
  g_assert_cmpuint (a->n_cuts, ==, b->n_cuts);
  for (unsigned i = 0; i < a->n_cuts; i++)
    g_assert_cmpmem (a->cuts[i].keep, (size_t) a->cuts[i].n_channels, b->cuts[i].keep, (size_t) b->cuts[i].n_channels);
  for (unsigned v = 0; v < pj_graph_n_values (a->weights); v++) {
    const PjBlob *x = pj_graph_value (a->weights, (int) v)->data, *y = pj_graph_value (b->weights, (int) v)->data;
    if (x != NULL)
      g_assert_cmpmem (pj_blob_data (x), pj_blob_n_elems (x) * 4, pj_blob_data (y), pj_blob_n_elems (y) * 4);
  }
}

/* Stopped anywhere, in the first turn or in the second, it ends with the same masks and the same weights. */
static void
resumes (void)
{
  static const int stops[] = { 3, 11, 30 };
  const char *set = "net=vgg order=one-by-one epochs=2 code-batch=16";
  g_auto (Lab) whole = { 0 };
  Watch watch;
  lab_init_residual (&whole, 160);
  g_autofree double *ratios = lab_ratios (&whole, "x y", 0.5);
  watch_init (&watch);
  g_autoptr (PjCutPlan) expected = run_with (&whole, &watch, ratios, set, NULL, NULL);
  watch_clear (&watch);
  g_assert_nonnull (expected);
  for (guint i = 0; i < G_N_ELEMENTS (stops); i++) {
    g_auto (Lab) lab = { 0 };
    g_autoptr (GError) error = NULL;
    lab_init_residual (&lab, 160);
    lab_cancel_after (&lab, stops[i]);
    watch_init (&watch);
    const PjMethod *method = pj_method_find ("autopruner");
    g_auto (GStrv) settings = g_strsplit (set, " ", -1);
    g_autofree double *values = pj_method_values (method, (const char *const *) settings, NULL);
    PjMethodLife life = { .seconds = 1e9, .save = save_cb, .data = &watch };
    PjPruneSettings prune = { .ratios = ratios, .values = values, .life = &life };
    lab.scoring.hooks = &lab.hooks;
    g_assert_null (method->choose (method, &lab.scoring, &prune, NULL, &error));
    g_assert_error (error, PJ_ERROR, PJ_ERROR_CANCELLED);
    g_assert_nonnull (watch.state);
    g_clear_error (&error);
    lab.scoring.hooks = NULL;
    life.resume = watch.state;
    g_autoptr (GBytes) held = g_bytes_ref (watch.state);
    g_autoptr (PjCutPlan) plan = method->choose (method, &lab.scoring, &prune, NULL, &error);
    g_assert_no_error (error);
    assert_same (plan, expected);
    /* A checkpoint of other settings is refused. */
    g_autoptr (GBytes) half = g_bytes_new_from_bytes (held, 0, g_bytes_get_size (held) / 2);
    life.resume = half;
    g_assert_null (method->choose (method, &lab.scoring, &prune, NULL, &error));
    g_assert_error (error, PJ_ERROR, PJ_ERROR_INVALID);
    watch_clear (&watch);
  }
}

/* A frozen group keeps the gates of that moment; the end comes when a person asks for it. */
static void
commands (void)
{
  g_auto (Lab) lab = { 0 };
  Watch watch;
  g_autoptr (GError) error = NULL;
  lab_init_residual (&lab, 160);
  g_autofree double *ratios = lab_ratios (&lab, "x y", 0.5);
  watch_init (&watch);
  watch.group = pj_groups_find (lab.groups, "x")->id;
  watch.freeze_at = 4;
  watch.finish_at = 12;
  g_autoptr (PjCutPlan) plan = run_with (&lab, &watch, ratios, "net=vgg order=together epochs=50 code-batch=16", NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (plan->n_cuts, ==, 2);
  g_assert_cmpint (watch.polls, <, 20);
  watch_clear (&watch);

  watch_init (&watch);
  watch.group = pj_groups_find (lab.groups, "x")->id;
  watch.freeze_at = 2;
  g_autoptr (PjCutPlan) frozen = run_with (&lab, &watch, ratios, "net=vgg order=together epochs=4 code-batch=16", NULL, &error);
  g_assert_no_error (error);
  g_assert_nonnull (frozen);
  g_assert_cmpfloat (last_of (&watch, "frozen", "x"), ==, 1);
  g_assert_cmpfloat (last_of (&watch, "frozen", "y"), ==, 0);
  g_assert_cmpfloat (last_of (&watch, "gates0", "x") + last_of (&watch, "gates9", "x"), ==, 1);
  watch_clear (&watch);
}

static void
expect_refusal (Lab *lab, const double *ratios, const char *set, const char *words)
{
  const PjMethod *method = pj_method_find ("autopruner");
  g_auto (GStrv) settings = g_strsplit (set, " ", -1);
  g_autoptr (GError) error = NULL;
  g_autofree double *values = pj_method_values (method, (const char *const *) settings, &error);
  PjPruneSettings prune = { .ratios = ratios, .values = values };
  g_autoptr (PjCutPlan) plan = values != NULL ? method->choose (method, &lab->scoring, &prune, NULL, &error) : NULL;
  g_assert_null (plan);
  g_assert_nonnull (error);
  if (strstr (error->message, words) == NULL)
    g_error ("“%s” lacks “%s”", error->message, words);
}

static void
refuses (void)
{
  g_auto (Lab) lab = { 0 };
  lab_init_residual (&lab, 40);
  g_autofree double *inner = lab_ratios (&lab, "x", 0.5), *stream = lab_ratios (&lab, "proj", 0.5), *none = lab_ratios (&lab, "x", 0);
  expect_refusal (&lab, inner, "code-batch=64", "use more pictures or a smaller code-batch");
  expect_refusal (&lab, inner, "epochs=-1", "a whole number from 0 to 1000");
  expect_refusal (&lab, inner, "net=lenet", "one of auto, vgg, resnet, mobilenet");
  expect_refusal (&lab, inner, "speed=2", "has no setting “speed”");
  expect_refusal (&lab, none, "code-batch=16", "keep ratio of 0");
  expect_refusal (&lab, stream, "code-batch=16", "residual stream");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/prune/autopruner/fixture/controller", controller);
  g_test_add_func ("/prune/autopruner/fixture/schedule", schedule);
  g_test_add_func ("/prune/autopruner/fixture/vote", vote);
  g_test_add_func ("/prune/autopruner/gates-become-binary", gates_become_binary);
  g_test_add_func ("/prune/autopruner/resumes", resumes);
  g_test_add_func ("/prune/autopruner/commands", commands);
  g_test_add_func ("/prune/autopruner/refuses", refuses);
  return g_test_run ();
}
