/* SPDX-License-Identifier: MIT */
/* The step of the optimiser, and the trainer: it learns, repeats itself bit for bit, and goes on after a stop as if there had
 * been none. */
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/fault.h"
#include "compute/plan.h"
#include "fixture.h"
#include "net.h"
#include "ops/op.h"
#include "sets.h"
#include "train/arch.h"
#include "train/evaluate.h"
#include "train/schedule.h"
#include "train/trainer.h"

/* --- the optimiser --- */

/* Steps of a device on one weight whose gradient is handed in; what it moves by is the momentum. */
static void
sgd (gconstpointer data)
{
  const gboolean nesterov = GPOINTER_TO_INT (data);
  g_autoptr (JsonObject) spec = fixture_load ("spec/schedules.json");
  int n;
  g_autofree float *grads = fixture_floats (spec, "sgd/grads", &n);
  g_autofree float *rows = fixture_floats (spec, nesterov ? "sgd/nesterov_velocity_weight" : "sgd/velocity_weight", NULL);
  float w0[2] = { 0 }, before, one = 1;
  g_autoptr (GError) error = NULL;
  const PjStep step = {
    .lr = (float) fixture_number (spec, "sgd/lr"), .momentum = (float) fixture_number (spec, "sgd/momentum"),
    .weight_decay = (float) fixture_number (spec, "sgd/decay"), .nesterov = nesterov,
  };

  before = w0[0] = (float) fixture_number (spec, "sgd/w0");
  PjGraph *g = pj_graph_new ("sgd");
  int flat = net_unary (g, "flat", &pj_op_flatten, pj_graph_add_input (g, "x", PJ_SHAPE (1, 1, 1, 1)));
  int weight = net_param_from (g, "w", PJ_SHAPE (2, 1), w0);
  pj_graph_set_output (g, net_gemm (g, "fc", flat, weight, -1));
  const char *id = g_getenv ("PJ_TEST_DEVICE");
  PjDevice *device = pj_device_open (id != NULL ? id : "cpu", &error);
  g_assert_no_error (error);
  PjPlanOptions options = { .batch = 1, .mode = PJ_PLAN_TRAIN, .logit_grads = TRUE };
  PjParams *params = pj_params_new (device, g, TRUE, &error);
  PjPlan *plan = pj_plan_new (g, params, &options, &error);
  g_assert_no_error (error);
  for (int i = 0; i < n; i++) {
    const float logit_grads[2] = { grads[i], 0 };
    g_assert_true (pj_plan_set_images (plan, &one, &error) && pj_plan_forward (plan, &step, &error));
    g_assert_true (pj_plan_set_logit_grads (plan, logit_grads, &error) && pj_plan_finish (plan, &error));
    g_autoptr (PjGraph) after = pj_params_download (params, g, &error);
    float w = ((const float *) pj_blob_data (pj_graph_value (after, weight)->data))[0];
    g_assert_cmpfloat_with_epsilon (w, rows[2 * i + 1], 1e-6);
    /* Nesterov moves by the gradient and what the momentum is going to be. */
    double moved = (before - w) / step.lr, decayed = grads[i] + step.weight_decay * before;
    g_assert_cmpfloat_with_epsilon (nesterov ? (moved - decayed) / step.momentum : moved, rows[2 * i], 5e-5);
    before = w;
  }
  pj_plan_free (plan);
  pj_params_free (params);
  pj_device_free (device);
  pj_graph_unref (g);
}

/* --- the trainer --- */

/* Everything a run reported, and when to stop it. */
typedef struct {
  GString *trace;             /* "series step value" */
  unsigned polls, cancel_after;
  double progress, accuracy;
  PjTrainState state;         /* the last checkpoint */
  unsigned n_checkpoints;
  gboolean refuse;
} Log;

static void
log_progress (gpointer data, const char *stage, double fraction)
{
  Log *log = data;
  g_assert_cmpfloat (fraction, >=, log->progress);
  g_assert_cmpfloat (fraction, <=, 1);
  log->progress = fraction;
}

static void
log_metric (gpointer data, const char *series, double x, double y)
{
  Log *log = data;
  g_string_append_printf (log->trace, "%s %g %.9g\n", series, x, y);
  if (strcmp (series, "test accuracy") == 0)
    log->accuracy = y;
}

static gboolean
log_is_cancelled (gpointer data)
{
  Log *log = data;
  return log->cancel_after > 0 && ++log->polls > log->cancel_after;
}

static gboolean
log_checkpoint (const PjTrainState *state, gpointer data, GError **error)
{
  Log *log = data;
  if (log->refuse) {
    g_set_error (error, PJ_ERROR, PJ_ERROR_IO, "the disk is full");
    return FALSE;
  }
  pj_train_state_clear (&log->state);
  log->state = *state;
  g_bytes_ref (log->state.params);
  log->n_checkpoints++;
  return TRUE;
}

static void
log_clear (Log *log)
{
  pj_train_state_clear (&log->state);
  g_string_free (log->trace, TRUE);
}

typedef struct {
  PjDevice *device;
  PjDataset *set;
  PjGraph *start;
  PjTrainOptions options;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  f->device = sets_device ();
  f->set = sets_bars (200, 40);
  f->start = sets_net (3);
  pj_train_options_init (&f->options);
  f->options.epochs = 3;
  f->options.batch = 16;
  f->options.lr = 0.1f;
  f->options.warmup_steps = 4;
  f->options.crop = 1;
  f->options.flip = FALSE;
  f->options.eval_every_epoch = TRUE;
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  pj_graph_unref (f->start);
  pj_dataset_unref (f->set);
  pj_device_free (f->device);
}

static PjGraph *
train (Fixture *f, PjGraph *teacher, Log *log, const PjTrainState *resume, double seconds, PjTrainResult *result, GError **error)
{
  PjHooks hooks = { log, log_progress, log_metric, log_is_cancelled };
  log->progress = 0;
  return pj_train (f->device, f->start, f->set, &sets_format, &f->options, teacher, resume, log_checkpoint, log, seconds, &hooks,
                   result, error);
}

static void
assert_same_weights (const PjGraph *a, const PjGraph *b)
{
  for (unsigned v = 0; v < pj_graph_n_values (a); v++) {
    const PjValue *x = pj_graph_value (a, (int) v), *y = pj_graph_value (b, (int) v);
    if (x->kind == PJ_VALUE_PARAM)
      g_assert_cmpmem (pj_blob_data (x->data), pj_blob_n_elems (x->data) * 4, pj_blob_data (y->data), pj_blob_n_elems (y->data) * 4);
  }
}

static void
learns (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  Log log = { g_string_new (NULL) };
  PjTrainResult result;
  f->options.epochs = 6;
  g_autoptr (PjGraph) trained = train (f, NULL, &log, NULL, 1000, &result, &error);
  g_assert_no_error (error);
  g_test_message ("loss %g, accuracy %g, %g images/s, stall %g", result.train_loss, log.accuracy, result.images_per_second, result.stall_share);
  g_assert_cmpuint (result.steps, ==, 6 * 10);
  g_autofree char *how = pj_train_describe (&f->options);
  g_assert_cmpstr (pj_graph_get_meta (trained, PJ_TRAIN_NOTE), ==, how);
  g_assert_cmpfloat (result.train_loss, <, 0.5);
  g_assert_cmpfloat (log.accuracy, >, 0.9);
  g_assert_cmpfloat (result.images_per_second, >, 0);
  g_assert_cmpfloat (log.progress, ==, 1);
  g_assert_cmpuint (log.n_checkpoints, ==, 0);
  log_clear (&log);
}

/* The first losses, held against a record of them: see golden.txt for how it was made. */
static void
golden (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = g_build_filename (g_getenv ("PJ_TEST_FIXTURES"), "train", "golden.txt", NULL), *text = NULL;
  Log log = { g_string_new (NULL) };
  g_autoptr (PjGraph) trained = train (f, NULL, &log, NULL, 1000, NULL, &error);
  g_assert_no_error (error);
  if (g_getenv ("PJ_TEST_WRITE_GOLDEN") != NULL)
    g_assert_true (g_file_set_contents (path, log.trace->str, -1, NULL));
  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  g_auto (GStrv) wanted = g_strsplit (text, "\n", -1), got = g_strsplit (log.trace->str, "\n", -1);
  g_assert_cmpuint (g_strv_length (wanted), ==, g_strv_length (got));
  for (int i = 0; wanted[i] != NULL && *wanted[i] != '\0'; i++) {
    const char *a = strrchr (wanted[i], ' '), *b = strrchr (got[i], ' ');
    g_assert_cmpmem (wanted[i], (size_t) (a - wanted[i]), got[i], (size_t) (b - got[i]));
    /* Other processors and devices round differently, and thirty steps let it grow. */
    g_assert_cmpfloat_with_epsilon (g_ascii_strtod (b, NULL), g_ascii_strtod (a, NULL), 0.02 * fabs (g_ascii_strtod (a, NULL)) + 0.01);
  }
  log_clear (&log);
}

static void
repeats (Fixture *f, gconstpointer data)
{
  Log a = { g_string_new (NULL) }, b = { g_string_new (NULL) }, c = { g_string_new (NULL) };
  g_autoptr (PjGraph) x = train (f, NULL, &a, NULL, 1000, NULL, NULL), y = train (f, NULL, &b, NULL, 0, NULL, NULL);
  g_assert_cmpstr (a.trace->str, ==, b.trace->str);
  assert_same_weights (x, y);
  g_assert_cmpuint (b.n_checkpoints, ==, 30);
  f->options.seed = 2;
  g_autoptr (PjGraph) z = train (f, NULL, &c, NULL, 1000, NULL, NULL);
  g_assert_cmpstr (a.trace->str, !=, c.trace->str);
  log_clear (&a);
  log_clear (&b);
  log_clear (&c);
}

/* Stopped after each possible poll and continued from its checkpoint: nothing shows it, not even the curves. */
static void
resumes (Fixture *f, gconstpointer data)
{
  Log whole = { g_string_new (NULL) };
  f->options.epochs = 2;
  PjTrainResult wanted, result;
  g_autoptr (PjGraph) expected = train (f, NULL, &whole, NULL, 1000, &wanted, NULL);
  gboolean finished = FALSE;
  for (unsigned stop = 1; !finished; stop++) {
    g_autoptr (GError) error = NULL;
    Log log = { g_string_new (NULL), .cancel_after = stop };
    g_autoptr (PjGraph) trained = train (f, NULL, &log, NULL, 1000, &result, &error);
    finished = trained != NULL;
    if (!finished) {
      g_assert_error (error, PJ_ERROR, PJ_ERROR_CANCELLED);
      g_assert_cmpuint (log.n_checkpoints, ==, 1);
      log.cancel_after = 0;
      PjTrainState from = log.state;
      log.state = (PjTrainState) { 0 };
      trained = train (f, NULL, &log, &from, 1000, &result, NULL);
      pj_train_state_clear (&from);
    }
    assert_same_weights (trained, expected);
    g_assert_cmpstr (log.trace->str, ==, whole.trace->str);
    g_assert_cmpfloat (result.train_loss, ==, wanted.train_loss);
    log_clear (&log);
  }
  log_clear (&whole);
}

/* Every checkpoint of a run leads to the same end, the last one included. */
static gboolean
keep_all (const PjTrainState *state, gpointer data, GError **error)
{
  PjTrainState copy = *state;
  g_bytes_ref (copy.params);
  g_array_append_val ((GArray *) data, copy);
  return TRUE;
}

static void
resumes_from_any (Fixture *f, gconstpointer data)
{
  g_autoptr (GArray) states = g_array_new (FALSE, FALSE, sizeof (PjTrainState));
  f->options.max_steps = 13;      /* ends in the middle of an epoch */
  g_autoptr (PjGraph) expected = pj_train (f->device, f->start, f->set, &sets_format, &f->options, NULL, NULL, keep_all, states, 0,
                                           NULL, NULL, NULL);
  g_assert_cmpuint (states->len, ==, 13);
  for (guint i = 0; i < states->len; i++) {
    PjTrainState *state = &g_array_index (states, PjTrainState, i);
    g_autoptr (PjGraph) trained = pj_train (f->device, f->start, f->set, &sets_format, &f->options, NULL, state, NULL, NULL, 0, NULL,
                                            NULL, NULL);
    assert_same_weights (trained, expected);
  }
  g_autoptr (GError) error = NULL;
  f->options.max_steps = 5;
  g_assert_null (pj_train (f->device, f->start, f->set, &sets_format, &f->options, NULL,
                           &g_array_index (states, PjTrainState, 12), NULL, NULL, 0, NULL, NULL, &error));
  g_assert_error (error, PJ_ERROR, PJ_ERROR_INVALID);
  for (guint i = 0; i < states->len; i++)
    pj_train_state_clear (&g_array_index (states, PjTrainState, i));
}

static void
cancel_reports_full_disk (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  Log log = { g_string_new (NULL), .cancel_after = 7, .refuse = TRUE };
  g_assert_null (train (f, NULL, &log, NULL, 1000, NULL, &error));
  g_assert_error (error, PJ_ERROR, PJ_ERROR_IO);
  g_assert_nonnull (strstr (error->message, "the disk is full"));
  log_clear (&log);
}

/* A student that only imitates ends where its teacher is, without seeing a label. */
static void
distills (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  Log log = { g_string_new (NULL) }, student_log = { g_string_new (NULL) };
  f->options.epochs = 6;
  g_autoptr (PjGraph) teacher = train (f, NULL, &log, NULL, 1000, NULL, &error);
  g_assert_no_error (error);
  f->options.distill = 1;
  f->options.distill_temperature = 2;
  PjTrainResult first, last;
  f->options.max_steps = 10;
  f->options.epochs = 8;
  g_autoptr (PjGraph) beginner = train (f, teacher, &student_log, NULL, 1000, &first, &error);
  g_assert_no_error (error);
  f->options.max_steps = 0;
  g_autoptr (PjGraph) student = train (f, teacher, &student_log, NULL, 1000, &last, &error);
  g_assert_no_error (error);
  g_assert_cmpfloat (last.train_loss, <, 0.5 * first.train_loss);
  g_assert_cmpfloat (student_log.accuracy, >, 0.85);
  log_clear (&log);
  log_clear (&student_log);
}

/* Seven classes, unlike the data. */
static PjGraph *
other_network (void)
{
  PjArchOptions options = { .c = 1, .h = 8, .w = 8, .n_classes = 7, .width = 1, .seed = 1 };
  return pj_arch_build (pj_arch_find ("vgg-mini"), &options, NULL);
}

static void
teacher_must_fit (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  Log log = { g_string_new (NULL) };
  g_autoptr (PjGraph) other = other_network ();
  f->options.distill = 0.5f;
  g_assert_null (train (f, other, &log, NULL, 1000, NULL, &error));
  g_assert_error (error, PJ_DATA_ERROR, PJ_DATA_ERROR_MISMATCH);
  g_assert_nonnull (strstr (error->message, "7 classes"));
  g_clear_error (&error);
  g_assert_null (train (f, NULL, &log, NULL, 1000, NULL, &error));
  g_assert_error (error, PJ_ERROR, PJ_ERROR_INVALID);
  log_clear (&log);
}

static void
divergence_is_told (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  Log log = { g_string_new (NULL) };
  f->options.lr = 100;
  f->options.warmup_steps = 0;
  f->options.weight_decay = 0.9f;
  f->options.epochs = 40;
  g_assert_null (train (f, NULL, &log, NULL, 1000, NULL, &error));
  g_assert_error (error, PJ_ERROR, PJ_ERROR_INVALID);
  g_assert_nonnull (strstr (error->message, "diverged"));
  log_clear (&log);
}

static void
data_must_fit (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  PjFormat wrong = sets_format;
  g_autoptr (PjGraph) other = other_network ();
  wrong.h = 9;
  g_assert_null (pj_train (f->device, f->start, f->set, &wrong, &f->options, NULL, NULL, NULL, NULL, 0, NULL, NULL, &error));
  g_assert_error (error, PJ_DATA_ERROR, PJ_DATA_ERROR_MISMATCH);
  g_clear_error (&error);
  g_assert_null (pj_train (f->device, other, f->set, &sets_format, &f->options, NULL, NULL, NULL, NULL, 0, NULL, NULL, &error));
  g_assert_error (error, PJ_DATA_ERROR, PJ_DATA_ERROR_MISMATCH);
}

/* Each large allocation of a run fails once. */
static void
no_memory (Fixture *f, gconstpointer data)
{
  gboolean finished = FALSE;
  f->options.max_steps = 2;
  f->options.distill = 0.5f;
  for (unsigned nth = 1; !finished; nth++) {
    g_autoptr (GError) error = NULL;
    Log log = { g_string_new (NULL) };
    pj_fault_arm (PJ_FAULT_ALLOC, nth);
    g_autoptr (PjGraph) trained = train (f, f->start, &log, NULL, 1000, NULL, &error);
    finished = !pj_fault_fired (PJ_FAULT_ALLOC);
    pj_fault_arm (PJ_FAULT_ALLOC, 0);
    g_assert_true ((trained != NULL) == finished);
    if (!finished)
      g_assert_error (error, PJ_ERROR, PJ_ERROR_NO_MEMORY);
    g_assert_cmpuint (nth, <, 500);
    log_clear (&log);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define RUN(path, func) g_test_add (path, Fixture, NULL, set_up, func, tear_down)
  g_test_add_data_func ("/train/sgd/momentum", GINT_TO_POINTER (FALSE), sgd);
  g_test_add_data_func ("/train/sgd/nesterov", GINT_TO_POINTER (TRUE), sgd);
  RUN ("/train/trainer/learns", learns);
  RUN ("/train/trainer/golden", golden);
  RUN ("/train/trainer/repeats", repeats);
  RUN ("/train/trainer/resumes-bit-exactly", resumes);
  RUN ("/train/trainer/resumes-from-any-checkpoint", resumes_from_any);
  RUN ("/train/trainer/cancel-reports-full-disk", cancel_reports_full_disk);
  RUN ("/train/trainer/distills", distills);
  RUN ("/train/trainer/teacher-must-fit", teacher_must_fit);
  RUN ("/train/trainer/divergence-is-told", divergence_is_told);
  RUN ("/train/trainer/data-must-fit", data_must_fit);
  RUN ("/train/trainer/no-memory", no_memory);
  return g_test_run ();
}
