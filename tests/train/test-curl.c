/* SPDX-License-Identifier: MIT */
/* The two stages of CURL's fine-tuning: the specification's numbers, and that both stages go on after a stop as if
 * nothing had happened. */
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "compute/plan.h"
#include "fixture.h"
#include "net.h"
#include "ops/op.h"
#include "sets.h"
#include "train/evaluate.h"
#include "train/mixup.h"
#include "train/soft-labels.h"
#include "train/trainer.h"

static float *
batch_floats (JsonObject *o, const char *path, int n_expected)
{
  int n;
  float *x = fixture_floats (o, path, &n);
  g_assert_cmpint (n, ==, n_expected);
  return x;
}

/* A network of one matrix.  Picture n is the n-th unit vector, so the n-th column of the matrix holds the logits of
 * picture n, and the gradient of that column is that of those logits. */
typedef struct {
  PjDevice *device;
  PjGraph *graph;
  PjParams *params;
  PjPlan *plan;
  int weight;
} Table;

static void
table_init (Table *self, const float *student, PjPlanOptions options)
{
  g_autoptr (GError) error = NULL;
  float w[3 * 2];
  const float units[] = { 1, 0, 0, 1 };
  for (int n = 0; n < 2; n++)
    for (int k = 0; k < 3; k++)
      w[k * 2 + n] = student[n * 3 + k];
  self->device = sets_device ();
  self->graph = pj_graph_new ("table");
  int x = pj_graph_add_input (self->graph, "x", PJ_SHAPE (1, 2, 1, 1));
  self->weight = net_param_from (self->graph, "w", PJ_SHAPE (3, 2), w);
  int b = net_param (self->graph, "b", PJ_SHAPE (3), 0, 0, 1);
  pj_graph_set_output (self->graph, net_gemm (self->graph, "fc", net_unary (self->graph, "flat", &pj_op_flatten, x), self->weight, b));
  self->params = pj_params_new (self->device, self->graph, TRUE, &error);
  g_assert_no_error (error);
  options.batch = 2;
  options.mode = PJ_PLAN_SCORE;
  self->plan = pj_plan_new (self->graph, self->params, &options, &error);
  g_assert_no_error (error);
  g_assert_true (pj_plan_set_images (self->plan, units, NULL));
}

/* Mean loss of the batch; @grads: of the logits. */
static double
table_run (Table *self, float *grads)
{
  float loss[2], dw[6];
  g_assert_true (pj_plan_forward (self->plan, NULL, NULL) && pj_plan_backward (self->plan, NULL) && pj_plan_read_loss (self->plan, loss, NULL)
                 && pj_params_read_grad (self->params, self->weight, dw, NULL));
  for (int n = 0; n < 2; n++)
    for (int k = 0; k < 3; k++)
      grads[n * 3 + k] = dw[k * 2 + n];
  return (loss[0] + loss[1]) / 2;
}

static void
table_clear (Table *self)
{
  pj_plan_free (self->plan);
  pj_params_free (self->params);
  pj_graph_unref (self->graph);
  pj_device_free (self->device);
}

static void
refine_fixture (void)
{
  static const uint32_t indices[] = { 4, 1 };
  g_autoptr (JsonObject) o = fixture_load ("spec/curl.json");
  g_autofree float *student = batch_floats (o, "label_refine/student_logits", 6);
  g_autofree float *labels = batch_floats (o, "label_refine/label_logits", 6);
  int n_labels;
  g_autofree int *classes = fixture_ints (o, "label_refine/labels", &n_labels);
  float alpha = (float) fixture_number (o, "label_refine/alpha"), grads[6];

  for (int t = 1; t <= 2; t++) {
    g_autofree char *base = g_strdup_printf ("label_refine/results/T=%d", t);
    g_autofree char *loss = g_strconcat (base, "/loss", NULL), *grad = g_strconcat (base, "/grad_student_logits", NULL);
    g_autofree float *expected = batch_floats (o, grad, 6);
    Table table;
    table_init (&table, student, (PjPlanOptions) { .cross_entropy = 1 - alpha, .distill = alpha, .distill_temperature = (float) t,
                                                   .distill_reverse = TRUE });
    g_assert_true (pj_plan_set_labels (table.plan, classes, NULL) && pj_plan_set_teacher (table.plan, labels, NULL));
    g_assert_cmpfloat_with_epsilon (table_run (&table, grads), fixture_number (o, loss), 1e-6);
    assert_close (grads, expected, 6, 1e-5, grad);
    table_clear (&table);

    g_autofree char *of_labels = g_strconcat (base, "/grad_label_logits", NULL);
    g_autofree float *slope = batch_floats (o, of_labels, 6);
    static const int rates[] = { 1, 10 };
    for (int r = 0; r < 2; r++) {
      g_autofree char *path = g_strdup_printf ("%s/labels_after_rate_%d", base, rates[r]);
      g_autofree float *after = batch_floats (o, path, 6);
      float row[6];
      /* Pictures have their place in the set, not in the batch. */
      g_autoptr (PjSoftLabels) all = pj_soft_labels_new (6, 3, NULL);
      for (int n = 0; n < 2; n++)
        memcpy (all->logits + indices[n] * 3, labels + n * 3, 3 * sizeof (float));
      pj_soft_labels_update (all, indices, 2, student, alpha, t, rates[r]);
      pj_soft_labels_gather (all, indices, 2, row);
      assert_close (row, after, 6, 1e-6, path);
      for (int k = 0; k < 6; k++)
        g_assert_cmpfloat_with_epsilon ((labels[k] - row[k]) / rates[r], slope[k], 1e-6);
      for (int k = 0; k < 3; k++)
        g_assert_true (all->logits[k] == 0 && all->logits[2 * 3 + k] == 0);
    }
  }
}

/* A label that equals the student's belief stays, a rate of 0 leaves every bit. */
static void
refine_limits (void)
{
  static const uint32_t indices[] = { 1, 0 };
  const float student[] = { 1.5f, -2, 0.25f, 3, 0, -1 }, before[] = { 3, 0, -1, 1.5f, -2, 0.25f };
  g_autoptr (PjSoftLabels) all = pj_soft_labels_new (2, 3, NULL);
  memcpy (all->logits, before, sizeof before);
  pj_soft_labels_update (all, indices, 2, student, 0.7, 2, 100);
  assert_close (all->logits, before, 6, 1e-6, "equal");
  const float other[] = { 0, 0, 0, 9, 9, 0 };
  memcpy (all->logits, other, sizeof other);
  pj_soft_labels_update (all, indices, 2, student, 0.7, 2, 0);
  g_assert_cmpmem (all->logits, sizeof other, other, sizeof other);
}

static void
mixup_fixture (void)
{
  g_autoptr (JsonObject) o = fixture_load ("spec/curl.json");
  g_autofree float *x = batch_floats (o, "mixup_kd/mixup/x", 4), *expected = batch_floats (o, "mixup_kd/mixup/mixed", 4);
  g_autofree float *teacher = batch_floats (o, "mixup_kd/teacher_logits", 6), *student = batch_floats (o, "mixup_kd/student_logits", 6);
  int n;
  g_autofree int *partner = fixture_ints (o, "mixup_kd/mixup/perm", &n);
  double lambda = fixture_number (o, "mixup_kd/mixup/lambda"), alpha = fixture_number (o, "mixup_kd/alpha");
  const int32_t classes[] = { 0, 1 };
  float mixed[4], shares[6], grads[6];
  pj_mixup_blend (x, classes, 2, 2, 3, lambda, (const uint32_t *) partner, mixed, shares);
  assert_close (mixed, expected, 4, 1e-6, "mixed");
  g_assert_cmpfloat_with_epsilon (shares[0], lambda, 1e-6);
  g_assert_cmpfloat_with_epsilon (shares[1], 1 - lambda, 1e-6);

  struct { float ce, kd; const char *path; } parts[] = {
    { 1, 0, "mixup_kd/ce_term" }, { 0, 1, "mixup_kd/kd_term" }, { (float) (1 - alpha), (float) alpha, "mixup_kd/loss" },
  };
  for (guint i = 0; i < G_N_ELEMENTS (parts); i++) {
    Table table;
    table_init (&table, student, (PjPlanOptions) { .cross_entropy = parts[i].ce, .distill = parts[i].kd, .soft_labels = parts[i].ce > 0,
                                                   .distill_temperature = (float) fixture_number (o, "mixup_kd/T") });
    if (parts[i].ce > 0)
      g_assert_true (pj_plan_set_soft_labels (table.plan, shares, NULL));
    if (parts[i].kd > 0)
      g_assert_true (pj_plan_set_teacher (table.plan, teacher, NULL));
    g_assert_cmpfloat_with_epsilon (table_run (&table, grads), fixture_number (o, parts[i].path), 1e-6);
    /* Of the cross-entropy alone: softmax minus shares, over the batch. */
    for (int k = 0; i == 0 && k < 6; k++) {
      double sum = 0;
      for (int j = 0; j < 3; j++)
        sum += exp (student[k / 3 * 3 + j]);
      g_assert_cmpfloat_with_epsilon (grads[k], (exp (student[k]) / sum - shares[k]) / 2, 1e-6);
    }
    table_clear (&table);
  }
}

/* Shares of batches are spread as Beta (α, α), partners are a permutation, and all of it repeats. */
static void
mixup_draws (void)
{
  enum { B = 8, N = 2000 };
  float images[B];
  int32_t labels[B];
  uint32_t indices[B];
  for (int i = 0; i < B; i++) {
    images[i] = (float) (1 << i);
    labels[i] = i;
    indices[i] = (uint32_t) i;
  }
  const PjBatch batch = { images, labels, indices, B };
  const double alphas[] = { 1, 0.2, 2 };
  for (guint a = 0; a < G_N_ELEMENTS (alphas); a++) {
    g_autoptr (PjMixup) mixup = pj_mixup_new (B, 1, B, alphas[a], 3, NULL), again = pj_mixup_new (B, 1, B, alphas[a], 3, NULL);
    double sum = 0, squares = 0;
    for (unsigned i = 0; i < N; i++) {
      pj_mixup_apply (mixup, &batch, 1, i);
      const float *shares = pj_mixup_labels (mixup);
      double lambda = 1, total = 0;
      for (int n = 0; n < B; n++) {
        /* A picture that met itself does not show λ. */
        if (shares[n * B + n] < 0.999999f)
          lambda = shares[n * B + n];
        total += pj_mixup_images (mixup)[n];
      }
      g_assert_cmpfloat_with_epsilon (total, 255, 1e-3);
      sum += lambda;
      squares += (lambda - 0.5) * (lambda - 0.5);
    }
    pj_mixup_apply (again, &batch, 1, N - 1);
    g_assert_cmpmem (pj_mixup_images (mixup), B * sizeof (float), pj_mixup_images (again), B * sizeof (float));
    /* Mean 1/2, variance 1/(4·(2α + 1)); four standard errors. */
    g_assert_cmpfloat_with_epsilon (sum / N, 0.5, 0.03);
    g_assert_cmpfloat_with_epsilon (squares / N, 1 / (4 * (2 * alphas[a] + 1)), 0.015);
  }
}

/* --- whole runs --- */

typedef struct {
  PjDevice *device;
  PjDataset *set;
  PjGraph *start, *teacher;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  PjTrainOptions o;
  pj_train_options_init (&o);
  f->device = sets_device ();
  f->set = sets_bars (100, 36);
  o.batch = 16;
  o.epochs = 8;
  o.flip = FALSE;
  g_autoptr (PjGraph) net = sets_net (2);
  f->teacher = pj_train (f->device, net, f->set, &sets_format, &o, NULL, NULL, NULL, NULL, 0, NULL, NULL, &error);
  g_assert_no_error (error);
  f->start = sets_net (1);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  pj_graph_unref (f->start);
  pj_graph_unref (f->teacher);
  pj_dataset_unref (f->set);
  pj_device_free (f->device);
}

static gboolean
keep_all (const PjTrainState *state, gpointer data, GError **error)
{
  PjTrainState copy = *state;
  g_bytes_ref (copy.params);
  g_array_append_val ((GArray *) data, copy);
  return TRUE;
}

static void
assert_same (const PjGraph *a, const PjGraph *b)
{
  for (int v = 0; v < (int) pj_graph_n_values (a); v++) {
    const PjValue *x = pj_graph_value (a, v), *y = pj_graph_value (b, v);
    if (x->kind == PJ_VALUE_PARAM)
      g_assert_cmpmem (pj_blob_data (x->data), pj_blob_n_elems (x->data) * sizeof (float), pj_blob_data (y->data),
                       pj_blob_n_elems (y->data) * sizeof (float));
  }
}

static gboolean
differ (const PjGraph *a, const PjGraph *b)
{
  for (int v = 0; v < (int) pj_graph_n_values (a); v++) {
    const PjValue *x = pj_graph_value (a, v), *y = pj_graph_value (b, v);
    if (x->kind == PJ_VALUE_PARAM
        && memcmp (pj_blob_data (x->data), pj_blob_data (y->data), pj_blob_n_elems (x->data) * sizeof (float)) != 0)
      return TRUE;
  }
  return FALSE;
}

/* From every checkpoint the run ends with the same weights and the same labels. */
static void
resumes (Fixture *f, gconstpointer data)
{
  PjTrainOptions o;
  pj_train_options_init (&o);
  if (GPOINTER_TO_INT (data) == 0)
    pj_train_options_curl_a (&o, 2, pj_dataset_n (f->set, PJ_SPLIT_TRAIN));
  else
    pj_train_options_curl_b (&o, 1);
  o.batch = 16;
  o.lr = 0.02f;
  o.max_steps = 9;
  o.refine_rate = 20;
  g_autoptr (GError) error = NULL;
  g_autoptr (GArray) states = g_array_new (FALSE, FALSE, sizeof (PjTrainState));
  PjTrainResult whole = { 0 }, part = { 0 };
  g_autoptr (PjGraph) expected = pj_train (f->device, f->start, f->set, &sets_format, &o, f->teacher, NULL, keep_all, states, 0, NULL,
                                           &whole, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (states->len, >=, 8);
  for (guint i = 0; i < states->len; i += 3) {
    PjTrainState *state = &g_array_index (states, PjTrainState, i);
    g_autoptr (PjGraph) trained = pj_train (f->device, f->start, f->set, &sets_format, &o, f->teacher, state, NULL, NULL, 0, NULL,
                                            &part, &error);
    g_assert_no_error (error);
    assert_same (trained, expected);
    g_assert_true ((part.labels != NULL) == o.refine && (whole.labels != NULL) == o.refine);
    if (o.refine)
      g_assert_cmpmem (part.labels->logits, part.labels->n * 4 * sizeof (float), whole.labels->logits,
                       whole.labels->n * 4 * sizeof (float));
    pj_train_result_clear (&part);
  }
  /* A checkpoint of the other kind is refused. */
  PjTrainOptions plain = o;
  plain.refine = !o.refine;
  plain.mixup = 0;
  plain.distill = 0.5f;
  plain.expand = PJ_EXPAND_ERASE;
  g_assert_null (pj_train (f->device, f->start, f->set, &sets_format, &plain, f->teacher, &g_array_index (states, PjTrainState, 0),
                           NULL, NULL, 0, NULL, NULL, &error));
  g_assert_error (error, PJ_ERROR, PJ_ERROR_INVALID);
  g_clear_error (&error);
  /* Also where the labels alone would be longer than the whole checkpoint. */
  g_autoptr (PjDataset) many = sets_bars (4000, 36);
  plain.refine = TRUE;
  g_assert_null (pj_train (f->device, f->start, many, &sets_format, &plain, f->teacher, &g_array_index (states, PjTrainState, 0),
                           NULL, NULL, 0, NULL, NULL, &error));
  g_assert_error (error, PJ_ERROR, PJ_ERROR_INVALID);
  for (guint i = 0; i < states->len; i++)
    pj_train_state_clear (&g_array_index (states, PjTrainState, i));
  pj_train_result_clear (&whole);
}

static double
top1 (Fixture *f, PjGraph *graph)
{
  PjAccuracy accuracy;
  g_assert_true (pj_evaluate (f->device, graph, f->set, PJ_SPLIT_TEST, &sets_format, 0, NULL, NULL, NULL, &accuracy, NULL));
  double result = accuracy.top1;
  pj_accuracy_clear (&accuracy);
  return result;
}

/* The student learns from both; the labels of stage B begin as the teacher's answers and move. */
static void
learns (Fixture *f, gconstpointer data)
{
  PjTrainOptions o;
  g_autoptr (GError) error = NULL;
  pj_train_options_init (&o);
  o.flip = FALSE;
  pj_train_options_curl_a (&o, 20, pj_dataset_n (f->set, PJ_SPLIT_TRAIN));
  o.batch = 16;
  o.lr = 0.05f;
  g_autoptr (PjGraph) a = pj_train (f->device, f->start, f->set, &sets_format, &o, f->teacher, NULL, NULL, NULL, 0, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpfloat (top1 (f, a), >, 0.7);

  pj_train_options_curl_b (&o, 2);
  o.batch = 16;
  o.lr = 0.01f;
  PjTrainResult moved = { 0 }, still = { 0 };
  g_autoptr (PjGraph) b = pj_train (f->device, a, f->set, &sets_format, &o, f->teacher, NULL, NULL, NULL, 0, NULL, &moved, &error);
  g_assert_no_error (error);
  g_assert_cmpfloat (top1 (f, b), >=, 0.7);
  o.refine_rate = 0;
  g_autoptr (PjGraph) c = pj_train (f->device, a, f->set, &sets_format, &o, f->teacher, NULL, NULL, NULL, 0, NULL, &still, &error);
  g_assert_no_error (error);
  g_autoptr (PjDataset) expanded = pj_dataset_expand (f->set, PJ_EXPAND_ERASE, o.seed);
  g_autoptr (PjSoftLabels) teacher = pj_soft_labels_new (pj_dataset_n (expanded, PJ_SPLIT_TRAIN), 4, NULL);
  g_assert_true (pj_soft_labels_ask (teacher, f->device, f->teacher, expanded, &sets_format, NULL, NULL));
  gsize size = (gsize) teacher->n * 4 * sizeof (float);
  g_assert_cmpuint (teacher->n, ==, 6 * 64);
  g_assert_cmpmem (still.labels->logits, size, teacher->logits, size);
  g_assert_true (memcmp (moved.labels->logits, teacher->logits, size) != 0);
  pj_train_result_clear (&moved);
  pj_train_result_clear (&still);
  /* Its norms are those of the originals, and nothing else differs from the authors' way. */
  o.own_norms = FALSE;
  g_autoptr (PjGraph) d = pj_train (f->device, a, f->set, &sets_format, &o, f->teacher, NULL, NULL, NULL, 0, NULL, NULL, &error);
  g_autoptr (PjGraph) again = pj_recalibrate (f->device, d, f->set, &sets_format, 0, o.seed, NULL, &error);
  g_assert_no_error (error);
  g_assert_true (differ (c, d));
  assert_same (c, again);
}

static void
bad_options (Fixture *f, gconstpointer data)
{
  static const struct { float mixup, distill; gboolean refine; float rate; const char *text; } cases[] = {
    { -1, 0, FALSE, 1, "mixup" }, { 5, 0, FALSE, 1, "mixup" }, { 0, 0, TRUE, 1, "distillation weight" },
    { 1, 0.5f, TRUE, 1, "one of both" }, { 0, 0.5f, TRUE, -1, "labels" },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;
    PjTrainOptions o;
    pj_train_options_init (&o);
    o.mixup = cases[i].mixup;
    o.distill = cases[i].distill;
    o.refine = cases[i].refine;
    o.refine_rate = cases[i].rate;
    g_assert_false (pj_train_options_check (&o, &error));
    g_assert_error (error, PJ_ERROR, PJ_ERROR_INVALID);
    g_assert_nonnull (strstr (error->message, cases[i].text));
  }
  /* Refinement asks a teacher. */
  g_autoptr (GError) error = NULL;
  PjTrainOptions o;
  pj_train_options_init (&o);
  pj_train_options_curl_b (&o, 1);
  g_assert_null (pj_train (f->device, f->start, f->set, &sets_format, &o, NULL, NULL, NULL, NULL, 0, NULL, NULL, &error));
  g_assert_nonnull (strstr (error->message, "teacher"));
}

/* The published settings. */
static void
presets (void)
{
  PjTrainOptions a, b;
  pj_train_options_init (&a);
  b = a;
  pj_train_options_curl_a (&a, 0, 5994);
  pj_train_options_curl_b (&b, 0);
  g_assert_true (a.epochs == 150 && a.batch == 32 && a.warmup_steps == 5 * 187 && a.mixup == 1 && a.distill_temperature == 2);
  g_assert_true (b.epochs == 16 && b.batch == 32 && b.warmup_steps == 0 && b.refine && b.refine_rate == 1 && b.distill_temperature == 1);
  g_assert_cmpfloat_with_epsilon (a.distill, 0.7, 1e-6);
  g_assert_cmpfloat_with_epsilon (b.lr, 1e-4, 1e-9);
  pj_train_options_curl_a (&a, 20, 5994);
  g_assert_cmpuint (a.warmup_steps, ==, 2 * 187);
  g_autofree char *text = pj_train_describe (&b);
  g_assert_nonnull (strstr (text, "expanded, norms of the originals, labels refined at 1, label weight 0.7"));
}

int
main (int argc, char **argv)
{
  if (net_device_missing ())
    return 0;
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/train/curl/refine/fixture", refine_fixture);
  g_test_add_func ("/train/curl/refine/limits", refine_limits);
  g_test_add_func ("/train/curl/mixup/fixture", mixup_fixture);
  g_test_add_func ("/train/curl/mixup/draws", mixup_draws);
  g_test_add_func ("/train/curl/presets", presets);
  g_test_add ("/train/curl/resumes/mixup", Fixture, GINT_TO_POINTER (0), set_up, resumes, tear_down);
  g_test_add ("/train/curl/resumes/refine", Fixture, GINT_TO_POINTER (1), set_up, resumes, tear_down);
  g_test_add ("/train/curl/learns", Fixture, NULL, set_up, learns, tear_down);
  g_test_add ("/train/curl/bad-options", Fixture, NULL, set_up, bad_options, tear_down);
  return g_test_run ();
}
