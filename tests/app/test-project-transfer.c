/* SPDX-License-Identifier: MIT */
/* Pruning before or after a transfer to few pictures, as a job of the project. */
#include <string.h>

#include "prune-test.h"

/* Before or after a transfer: refusals, an estimate, and branches whose best one is shown in the end. */
static void
check_transfer_cb (GObject *project, GAsyncResult *result, gpointer data)
{
  Answer *answer = data;
  answer->outlook = pjm_project_check_transfer_finish (PJM_PROJECT (project), result, &answer->error);
  answer->done = TRUE;
}

static void
estimate_transfer_cb (GObject *project, GAsyncResult *result, gpointer data)
{
  Answer *answer = data;
  answer->seconds = pjm_project_estimate_transfer_finish (PJM_PROJECT (project), result, &answer->error);
  answer->done = TRUE;
}

static char *
transfer_refusal (Place *place, const PjmTransferOptions *options)
{
  Answer answer = { 0 };
  pjm_project_check_transfer_async (place->project, options, NULL, check_transfer_cb, &answer);
  wait_until (is_answered, &answer);
  g_assert_no_error (answer.error);
  char *refusal = g_strdup (answer.outlook->refusal);
  pjm_prune_outlook_free (answer.outlook);
  return refusal;
}

static void
assert_transfer_refused (Place *place, const PjmTransferOptions *options, const char *text)
{
  g_autofree char *refusal = transfer_refusal (place, options);
  if (refusal == NULL || strstr (refusal, text) == NULL)
    g_error ("“%s” does not say “%s”", refusal, text);
}

/* A network that was cut is shown. */
typedef struct { Place *place; guint64 macs; } Smaller;

static gboolean
is_smaller (gpointer data)
{
  Smaller *smaller = data;
  return count (smaller->place, "macs") < smaller->macs;
}

static void
test_transfer (Place *place, gconstpointer data)
{
  PjmTransferOptions options;
  Answer answer = { 0 };
  pjm_transfer_options_init (&options);
  place_open (place, place->onnx, NULL);
  assert_transfer_refused (place, &options, "folder of your own pictures");
  place_open (place, place->data, NULL);
  options.share = 0;
  assert_transfer_refused (place, &options, "above 0");
  options.share = 0.6;
  options.epochs = 3;
  assert_transfer_refused (place, &options, "too few");
  options.epochs = 8;
  options.method = "thinet";
  assert_transfer_refused (place, &options, "budget");
  g_assert_false (pjm_project_method_takes_transfer (place->project, "thinet"));
  g_assert_true (pjm_project_method_takes_transfer (place->project, "curl"));
  options.method = "curl";
  options.large = "/there/is/no/such/folder";
  assert_transfer_refused (place, &options, "no/such");
  options.large = place->data;
  options.large_epochs = 1;
  options.n_images = 32;
  options.n_test = 64;
  g_autofree char *none = transfer_refusal (place, &options);
  g_assert_null (none);
  pjm_project_estimate_transfer_async (place->project, &options, NULL, estimate_transfer_cb, &answer);
  wait_until (is_answered, &answer);
  g_assert_no_error (answer.error);
  g_assert_cmpfloat (answer.seconds, >, 0);

  Smaller smaller = { place, count (place, "macs") };
  guint n_before = n_items (pjm_project_get_history (place->project));
  PjmJob *job = pjm_project_transfer (place->project, &options);
  /* Cancelled in the middle, what was made stays, and the rest comes when it is resumed. */
  wait_until (has_progress, job);
  pjm_job_cancel (job);
  wait_job (job, PJM_JOB_CANCELLED);
  wait_until (is_idle, place->project);
  wait_until (is_smaller, &smaller);
  g_assert_true (pjm_project_resume (place->project, job));
  wait_job (job, PJM_JOB_DONE);
  wait_until (is_idle, place->project);
  wait_until (is_smaller, &smaller);
  assert_nothing_failed (place);
  guint n = n_items (pjm_project_get_history (place->project));
  g_assert_cmpuint (n, >=, n_before + 12);
  g_autofree char *result = place_text (job, "result"), *path = place_text (place->project, "path");
  g_test_message ("%s, %u steps", result, n);
  assert_has (result, "T1 ");
  assert_has (result, "T2 with CURL");
  /* The session has the same steps. */
  place_restart (place);
  place_open (place, path, NULL);
  g_assert_cmpuint (n_items (pjm_project_get_history (place->project)), ==, n);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  place_add ("/app/prune/transfer", test_transfer);
  return g_test_run ();
}
