/* SPDX-License-Identifier: MIT */
/* What goes into a session comes out of it again, also after closing: weights, history, jobs, curves,
 * checkpoints, scores, comparisons. */
#include <math.h>
#include <string.h>

#include "session-test.h"

static void
test_meta (Place *place, gconstpointer data)
{
  PjSession *session = session_make (place);
  g_assert_null (pj_session_get_meta (session, "data"));
  g_assert_true (pj_session_set_meta (session, "data", "/pictures/猫", NULL));
  g_assert_true (pj_session_set_meta (session, "gone", "x", NULL));
  g_assert_true (pj_session_set_meta (session, "gone", NULL, NULL));
  pj_session_close (session);

  session = session_make (place);
  g_autofree char *text = pj_session_get_meta (session, "data");
  g_assert_cmpstr (text, ==, "/pictures/猫");
  g_assert_null (pj_session_get_meta (session, "gone"));
  pj_session_close (session);
}

/* At rest a session is one file. */
static void
test_one_file (Place *place, gconstpointer data)
{
  PjSession *session = session_make (place);
  g_assert_true (pj_session_set_meta (session, "a", "b", NULL));
  pj_session_close (session);
  g_autoptr (GDir) dir = g_dir_open (place->folder, 0, NULL);
  g_assert_cmpstr (g_dir_read_name (dir), ==, "a.penjing");
  g_assert_null (g_dir_read_name (dir));
}

/* 600,000 numbers go through the pieces, 3 do not. */
static void
test_weights (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  PjSession *session = session_make (place);
  for (size_t n = 3; n <= 600000; n *= 200000) {
    g_autoptr (PjBlob) blob = blob_make (0.5f, n);
    g_assert_true (pj_session_put_blob (session, blob, &error));
    g_autoptr (PjBlob) back = pj_session_get_blob (session, pj_blob_hash (blob), &error);
    g_assert_no_error (error);
    g_assert_cmpmem (pj_blob_data (blob), n * sizeof (float), pj_blob_data (back), pj_blob_n_elems (back) * sizeof (float));
  }
  g_assert_null (pj_session_get_blob (session, "0000", &error));
  g_assert_error (error, PJ_STORE_ERROR, PJ_STORE_ERROR_DAMAGED);
  pj_session_close (session);
}

static void
test_branches_share (Place *place, gconstpointer data)
{
  PjSession *session = session_make (place);
  g_autoptr (PjBlob) shared = blob_make (1.0f, 10), other = blob_make (2.0f, 10), lost = blob_make (3.0f, 10);
  int64_t first = model_make (session, "one", shared);
  int64_t root = step_make (session, first, "import");
  g_assert_cmpint (model_make (session, "one", shared), ==, first);
  g_autoptr (GBytes) onnx = g_bytes_new ("two", 3);
  g_assert_true (pj_session_put_blob (session, other, NULL));
  int64_t second = pj_session_put_model (session, "net", onnx,
                                         (const char *[]) { pj_blob_hash (shared), pj_blob_hash (other), NULL }, NULL);
  g_assert_cmpint (second, !=, first);
  step_make (session, second, "branch a");
  g_assert_true (pj_session_go_to (session, root, NULL));
  step_make (session, second, "branch b");
  g_assert_cmpuint (pj_session_n_blobs (session), ==, 2);

  /* Weights without a step are what an interrupted import leaves: the next opening removes them. */
  model_make (session, "three", lost);
  g_assert_cmpuint (pj_session_n_blobs (session), ==, 3);
  pj_session_close (session);
  session = session_make (place);
  g_assert_cmpuint (pj_session_n_blobs (session), ==, 2);
  g_autoptr (GBytes) back = pj_session_get_model (session, second, NULL);
  g_assert_true (g_bytes_equal (back, onnx));
  pj_session_close (session);
}

static void
test_undo (Place *place, gconstpointer data)
{
  g_autoptr (PjBlob) blob = blob_make (1.0f, 10);
  PjSession *session = session_make (place);
  g_assert_cmpint (pj_session_current_step (session), ==, 0);
  int64_t model = model_make (session, "one", blob);
  int64_t a = step_make (session, model, "a"), b = step_make (session, model, "b"), c = step_make (session, model, "c");
  g_assert_cmpint (pj_session_current_step (session), ==, c);
  g_assert_cmpint (pj_session_undo_step (session), ==, b);
  g_assert_cmpint (pj_session_redo_step (session), ==, 0);
  pj_session_go_to (session, b, NULL);
  pj_session_go_to (session, a, NULL);
  g_assert_cmpint (pj_session_undo_step (session), ==, 0);
  pj_session_close (session);

  /* Both directions survive closing. */
  session = session_make (place);
  g_assert_cmpint (pj_session_current_step (session), ==, a);
  g_assert_cmpint (pj_session_redo_step (session), ==, b);
  pj_session_go_to (session, b, NULL);
  g_assert_cmpint (pj_session_redo_step (session), ==, c);

  /* A new branch takes over redo; the old one can still be visited. */
  int64_t d = step_make (session, model, "d");
  pj_session_go_to (session, b, NULL);
  g_assert_cmpint (pj_session_redo_step (session), ==, d);
  pj_session_go_to (session, c, NULL);
  pj_session_go_to (session, a, NULL);
  pj_session_go_to (session, pj_session_redo_step (session), NULL);
  g_assert_cmpint (pj_session_redo_step (session), ==, c);

  g_autoptr (GError) error = NULL;
  g_assert_false (pj_session_go_to (session, 99, &error));
  g_assert_error (error, PJ_STORE_ERROR, PJ_STORE_ERROR_MISSING);
  g_assert_cmpint (pj_session_current_step (session), ==, b);
  g_autoptr (GPtrArray) steps = pj_session_list_steps (session, NULL);
  g_assert_cmpuint (steps->len, ==, 4);
  g_assert_cmpint (((PjStepRecord *) steps->pdata[3])->parent, ==, b);
  pj_session_close (session);
}

static void
test_step (Place *place, gconstpointer data)
{
  g_autoptr (PjBlob) blob = blob_make (1.0f, 10);
  PjSession *session = session_make (place);
  int64_t model = model_make (session, "one", blob);
  g_autoptr (PjStepRecord) step = pj_step_record_new (PJ_STEP_CUT, model, "剪枝");
  guint8 keep[3] = { 0, 1, 1 };
  float scale[3] = { 0.0f, 1.5f, -2.0f };
  step->detail = g_strdup ("29.1 M → 7.3 M");
  step->criterion = g_strdup ("apoz");
  step->settings = g_strdup ("seed 1\n");
  step->job = 7;
  g_ptr_array_add (step->cuts, pj_stored_cut_new ("conv2", 3, 0.7, keep, scale));
  g_assert_true (pj_session_add_step (session, step, NULL));
  pj_session_close (session);

  session = session_make (place);
  g_autoptr (GError) error = NULL;
  g_autoptr (PjStepRecord) back = pj_session_get_step (session, step->id, &error);
  g_assert_no_error (error);
  g_assert_cmpint (back->kind, ==, PJ_STEP_CUT);
  g_assert_cmpint (back->model, ==, model);
  g_assert_cmpint (back->job, ==, 7);
  g_assert_cmpint (back->time, ==, step->time);
  g_assert_cmpstr (back->title, ==, "剪枝");
  g_assert_cmpstr (back->detail, ==, step->detail);
  g_assert_cmpstr (back->criterion, ==, "apoz");
  g_assert_cmpstr (back->settings, ==, "seed 1\n");
  g_assert_cmpuint (back->cuts->len, ==, 1);
  const PjStoredCut *cut = back->cuts->pdata[0];
  g_assert_cmpstr (cut->group, ==, "conv2");
  g_assert_cmpfloat (cut->ratio, ==, 0.7);
  g_assert_cmpmem (cut->keep, cut->n_channels, keep, 3);
  g_assert_cmpmem (cut->scale, 12, scale, 12);
  pj_session_close (session);
}

static void
test_jobs (Place *place, gconstpointer data)
{
  PjSession *session = session_make (place);
  g_autoptr (PjJobRecord) job = pj_job_record_new ("fine-tune", "Fine-tune, 1 epoch", "epochs 1\n");
  job->seed = G_MAXUINT64;
  g_assert_true (pj_session_add_job (session, job, NULL));
  job->state = PJ_JOB_RUNNING;
  job->device = g_strdup ("cpu");
  job->elapsed_ms = 1234;
  g_assert_true (pj_session_update_job (session, job, NULL));

  const char *loss = g_intern_string ("loss"), *accuracy = g_intern_string ("test accuracy");
  PjPoint points[] = { { loss, 10, 2.0 }, { accuracy, 10, 0.5 }, { loss, 20, NAN }, { loss, 30, 1.0 } };
  g_assert_true (pj_session_add_points (session, job->id, points, 2, NULL));
  g_assert_true (pj_session_add_points (session, job->id, points + 2, 2, NULL));
  pj_session_close (session);

  /* It was running when the session closed: that is an interruption. */
  session = session_make (place);
  g_autoptr (GPtrArray) jobs = pj_session_list_jobs (session, NULL);
  g_assert_cmpuint (jobs->len, ==, 1);
  const PjJobRecord *back = jobs->pdata[0];
  g_assert_cmpint (back->state, ==, PJ_JOB_INTERRUPTED);
  g_assert_cmpuint (back->seed, ==, G_MAXUINT64);
  g_assert_cmpstr (back->settings, ==, "epochs 1\n");
  g_assert_cmpstr (back->device, ==, "cpu");
  g_assert_cmpint (back->elapsed_ms, ==, 1234);
  g_autoptr (GArray) curve = pj_session_get_points (session, job->id, NULL);
  g_assert_cmpuint (curve->len, ==, 4);
  g_assert_cmpstr (g_array_index (curve, PjPoint, 1).series, ==, "test accuracy");
  g_assert_true (isinf (g_array_index (curve, PjPoint, 2).y));
  g_assert_true (pj_session_trim_points (session, job->id, 20, NULL));
  g_autoptr (GArray) trimmed = pj_session_get_points (session, job->id, NULL);
  g_assert_cmpuint (trimmed->len, ==, 3);
  pj_session_close (session);
}

static void
test_checkpoints (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  PjSession *session = session_make (place);
  g_autoptr (PjJobRecord) job = pj_job_record_new ("train", "Train", NULL);
  pj_session_add_job (session, job, NULL);
  PjCheckpoint read = { 0 };
  g_assert_false (pj_session_get_checkpoint (session, job->id, &read, &error));
  g_assert_error (error, PJ_STORE_ERROR, PJ_STORE_ERROR_MISSING);
  for (unsigned i = 1; i <= 4; i++) {
    g_autofree char *text = g_strdup_printf ("state %u", i);
    g_autoptr (GBytes) state = g_bytes_new (text, strlen (text));
    g_assert_true (pj_session_put_checkpoint (session, job->id, &(PjCheckpoint) { i, 64 * i, 0.5 * i, state }, NULL));
  }
  pj_session_close (session);
  session = session_make (place);
  g_assert_true (pj_session_get_checkpoint (session, job->id, &read, NULL));
  g_assert_cmpuint (read.step, ==, 4);
  g_assert_cmpuint (read.n_seen, ==, 256);
  g_assert_cmpfloat (read.loss_sum, ==, 2.0);
  g_assert_cmpmem (g_bytes_get_data (read.state, NULL), 7, "state 4", 7);
  pj_checkpoint_clear (&read);
  g_assert_true (pj_session_drop_checkpoints (session, job->id, NULL));
  g_assert_false (pj_session_get_checkpoint (session, job->id, &read, NULL));
  pj_session_close (session);
}

static void
test_scores (Place *place, gconstpointer data)
{
  g_autoptr (PjBlob) blob = blob_make (1.0f, 10);
  PjSession *session = session_make (place);
  int64_t model = model_make (session, "one", blob);
  step_make (session, model, "import");
  uint64_t seed = 0;
  unsigned n_images = 0;
  g_assert_null (pj_session_get_scores (session, model, "apoz", &seed, &n_images, NULL));
  for (int round = 0; round < 2; round++) {
    g_autoptr (GPtrArray) scores = g_ptr_array_new_with_free_func ((GDestroyNotify) pj_stored_score_free);
    g_ptr_array_add (scores, pj_stored_score_new ("conv2", 2, (double[]) { 0.25, round }, NULL));
    g_ptr_array_add (scores, pj_stored_score_new ("conv1", 9, NULL, "no ReLU"));
    g_assert_true (pj_session_put_scores (session, model, "apoz", 5, 300, scores, NULL));
  }
  pj_session_close (session);
  session = session_make (place);
  g_autoptr (GPtrArray) back = pj_session_get_scores (session, model, "apoz", &seed, &n_images, NULL);
  g_assert_cmpuint (back->len, ==, 2);
  g_assert_cmpuint (seed, ==, 5);
  g_assert_cmpuint (n_images, ==, 300);
  const PjStoredScore *first = back->pdata[0], *second = back->pdata[1];
  g_assert_cmpstr (first->group, ==, "conv2");
  g_assert_cmpfloat (first->score[1], ==, 1.0);
  g_assert_null (second->score);
  g_assert_cmpstr (second->refusal, ==, "no ReLU");
  pj_session_close (session);
}

static void
test_comparisons (Place *place, gconstpointer data)
{
  PjSession *session = session_make (place);
  g_autoptr (PjComparisonRecord) comparison = pj_comparison_record_new ("2 methods");
  g_assert_true (pj_session_add_comparison (session, comparison, NULL));
  comparison->base_accuracy = 0.875;
  comparison->base_macs = 1000;
  comparison->n_test = 3;
  comparison->labels = g_memdup2 ((uint16_t[]) { 0, 1, 2 }, 6);
  comparison->answers = g_memdup2 ((uint16_t[]) { 0, 1, 65535 }, 6);
  comparison->classes = g_strdup ("a\nb\nc");
  g_assert_true (pj_session_update_comparison (session, comparison, NULL));
  PjComparisonRowRecord *row = pj_comparison_row_record_new ("thinet", 0.5);
  row->macs = 250;
  row->tuned = 0.8;
  row->seed = 12;
  row->start = 2;
  row->answers = g_memdup2 ((uint16_t[]) { 2, 1, 0 }, 6);
  row->n_answers = 3;
  pj_comparison_row_record_add_layer (row, "conv1", 0.125);
  g_ptr_array_add (row->cuts, pj_stored_cut_new ("conv1", 2, 0.5, (guint8[]) { 1, 0 }, (float[]) { 2.0f, 0.0f }));
  g_ptr_array_add (row->scores, pj_stored_score_new ("conv1", 2, (double[]) { 3.0, 1.0 }, NULL));
  g_assert_true (pj_session_add_comparison_row (session, comparison->id, row, NULL));
  pj_comparison_row_record_free (row);
  pj_session_close (session);

  session = session_make (place);
  g_autoptr (GPtrArray) comparisons = pj_session_list_comparisons (session, NULL);
  g_assert_cmpuint (comparisons->len, ==, 1);
  const PjComparisonRecord *back = comparisons->pdata[0];
  g_assert_cmpfloat (back->base_accuracy, ==, 0.875);
  g_assert_cmpuint (back->base_macs, ==, 1000);
  g_assert_cmpuint (back->rows->len, ==, 1);
  row = back->rows->pdata[0];
  g_assert_cmpfloat (row->tuned, ==, 0.8);
  g_assert_cmpfloat (row->cut, ==, -1.0);
  g_assert_cmpfloat (((PjStoredCut *) row->cuts->pdata[0])->scale[0], ==, 2.0f);
  g_assert_cmpfloat (((PjStoredScore *) row->scores->pdata[0])->score[0], ==, 3.0);
  g_assert_cmpuint (row->seed, ==, 12);
  g_assert_cmpint (row->start, ==, 2);
  g_assert_cmpstr (back->classes, ==, "a\nb\nc");
  g_assert_cmpmem (back->labels, 6, ((uint16_t[]) { 0, 1, 2 }), 6);
  g_assert_cmpmem (back->answers, 6, ((uint16_t[]) { 0, 1, 65535 }), 6);
  g_assert_cmpmem (row->answers, 2 * row->n_answers, ((uint16_t[]) { 2, 1, 0 }), 6);
  g_assert_cmpuint (row->layers->len, ==, 1);
  g_assert_cmpstr (((PjStoredLayer *) row->layers->pdata[0])->group, ==, "conv1");
  g_assert_cmpfloat (((PjStoredLayer *) row->layers->pdata[0])->kl, ==, 0.125);
  pj_session_close (session);
}

static void
test_answers (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  PjSession *session = session_make (place);
  g_autoptr (PjBlob) blob = blob_make (1.0f, 10);
  int64_t model = model_make (session, "one", blob);
  g_assert_null (pj_session_get_answers (session, model, &error));
  g_assert_no_error (error);
  uint16_t labels[] = { 0, 1 }, answers[] = { 1, 1 };
  PjAnswersRecord record = { .data = (char *) "here", .classes = (char *) "a\nb", .n = 2, .labels = labels, .answers = answers };
  g_assert_true (pj_session_put_answers (session, model, &record, &error));
  answers[0] = 0;
  g_assert_true (pj_session_put_answers (session, model, &record, &error));
  g_autoptr (PjAnswersRecord) back = pj_session_get_answers (session, model, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (back->data, ==, "here");
  g_assert_cmpstr (back->classes, ==, "a\nb");
  g_assert_cmpmem (back->answers, 2 * back->n, answers, 4);
  g_assert_cmpmem (back->labels, 2 * back->n, labels, 4);

  /* A step with marked channels has answers of its own beside those of its model. */
  g_autoptr (PjStepRecord) step = pj_step_record_new (PJ_STEP_MASKED, model, "marked");
  g_assert_true (pj_session_add_step (session, step, &error));
  g_assert_null (pj_session_get_step_answers (session, step->id, &error));
  g_assert_no_error (error);
  answers[1] = 0;
  g_assert_true (pj_session_put_step_answers (session, step->id, &record, &error));
  g_autoptr (PjAnswersRecord) own = pj_session_get_step_answers (session, step->id, &error);
  g_assert_cmpmem (own->answers, 2 * own->n, answers, 4);
  g_autoptr (PjAnswersRecord) others = pj_session_get_answers (session, model, &error);
  g_assert_cmpuint (others->answers[1], ==, 1);
  pj_session_close (session);
}

#define ADD(name, function) g_test_add ("/session/" name, Place, NULL, place_set_up, function, place_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("meta/round-trip", test_meta);
  ADD ("file/is-one-file-when-closed", test_one_file);
  ADD ("weights/round-trip", test_weights);
  ADD ("weights/shared-between-branches", test_branches_share);
  ADD ("history/undo-redo-branches", test_undo);
  ADD ("history/step-round-trip", test_step);
  ADD ("jobs/interrupted-and-curves", test_jobs);
  ADD ("jobs/checkpoints", test_checkpoints);
  ADD ("scores/round-trip", test_scores);
  ADD ("comparisons/round-trip", test_comparisons);
  ADD ("answers/round-trip", test_answers);
  return g_test_run ();
}
