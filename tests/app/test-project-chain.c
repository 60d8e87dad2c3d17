/* SPDX-License-Identifier: MIT */
/* Jobs that follow one another, over the end of the program. */
#include "prune-test.h"
#include "session/session.h"

/* The program may end where it will: what was to follow goes on afterwards. */
static void
test_chain_over_restart (Place *place, gconstpointer data)
{
  PjmPruneOptions options;
  place_open_all (place);
  pjm_prune_options_init (&options, "weight-sum");
  options.keep = PJM_KEEP_SHARE;
  options.share = 0.5;
  options.cut = options.recalibrate = TRUE;
  options.tune.kind = PJM_TUNE_CURL;
  options.tune.epochs = 1000;
  options.tune.epochs_b = 1;
  options.tune.max_steps = 400;
  options.tune.batch = 4;
  g_assert_nonnull (pjm_project_prune (place->project, &options));
  /* In the middle of a training, which goes on from its checkpoint and brings the other one along. */
  wait_until (has_kinds, &(KindsWanted) { place, "choose cut recalibrate fine-tune" });
  wait_until (has_points, job_at (place, 3));
  restart_killed (place, 3);
  assert_kinds (place, "choose cut recalibrate fine-tune");
  for (guint i = 0; i < 3; i++)
    g_assert_false (pjm_job_can_resume (job_at (place, i)));
  g_assert_true (pjm_job_can_resume (job_at (place, 3)));
  g_assert_true (pjm_project_resume (place->project, job_at (place, 3)));
  wait_job (job_at (place, 3), PJM_JOB_DONE);
  wait_until (has_kinds, &(KindsWanted) { place, "choose cut recalibrate fine-tune fine-tune" });
  wait_until (is_idle, place->project);
  g_autofree char *title = place_text (job_at (place, 4), "title"), *settings = stored_settings (place, 4);
  g_assert_cmpstr (title, ==, "Refine labels, 400 steps");
  assert_has (settings, "teacher-step 1\n");
  assert_nothing_failed (place);
}

/* Between two jobs, and in one that cannot go on by itself: the one before is done, and what follows it is offered there. */
static void
test_chain_between_jobs (Place *place, gconstpointer data)
{
  PjmPruneOptions options;
  place_open_all (place);
  g_autofree char *path = place_text (place->project, "path");
  /* The line is kept, so that the cut waits behind it when the program ends. */
  pjm_prune_options_init (&options, "weight-sum");
  options.keep = PJM_KEEP_SHARE;
  options.share = 0.5;
  options.cut = TRUE;
  options.tune.kind = PJM_TUNE_PLAIN;
  options.tune.max_steps = 2;
  PjmJob *first = pjm_project_prune (place->project, &options);
  PjmJob *long_one = pjm_project_fine_tune (place->project, 100000, 0.01);
  wait_job (first, PJM_JOB_DONE);
  wait_until (has_points, long_one);
  place_restart (place);
  place_open (place, path, NULL);
  assert_kinds (place, "choose fine-tune");
  g_assert_true (pjm_job_can_resume (job_at (place, 0)));
  /* From the step that it made, wherever one is. */
  pjm_project_go_to (place->project, 0);
  g_assert_true (pjm_project_resume (place->project, job_at (place, 0)));
  g_assert_false (pjm_job_can_resume (job_at (place, 0)));
  wait_until (has_kinds, &(KindsWanted) { place, "choose fine-tune cut fine-tune" });
  wait_until (is_idle, place->project);
  g_assert_cmpint (pjm_job_get_state (job_at (place, 3)), ==, PJM_JOB_DONE);
  g_autofree char *tuned = place_text (job_at (place, 3), "title");
  g_assert_cmpstr (tuned, ==, "Fine-tune, 2 steps");
  assert_nothing_failed (place);

  /* It went on: it is not offered again. */
  place_restart (place);
  place_open (place, path, NULL);
  g_assert_false (pjm_job_can_resume (job_at (place, 0)));

  /* Killed in the cut, which cannot go on: it is made again. */
  restart_killed (place, 2);
  g_assert_false (pjm_job_can_resume (job_at (place, 2)));
  g_assert_true (pjm_job_can_resume (job_at (place, 0)));
}

/* What a person stopped is not offered, and neither is what was dismissed. */
static void
test_chain_stopped (Place *place, gconstpointer data)
{
  PjmPruneOptions options;
  place_open_all (place);
  g_autofree char *path = place_text (place->project, "path");
  pjm_prune_options_init (&options, "weight-sum");
  options.keep = PJM_KEEP_SHARE;
  options.share = 0.5;
  options.recalibrate = TRUE;
  for (guint i = 0; i < 2; i++) {
    PjmJob *first = pjm_project_prune (place->project, &options);
    PjmJob *long_one = pjm_project_fine_tune (place->project, 100000, 0.01);
    wait_job (first, PJM_JOB_DONE);
    wait_until (has_points, long_one);
    PjmJob *waiting = job_at (place, n_items (pjm_project_get_jobs (place->project)) - 1);
    g_assert_cmpint (pjm_job_get_state (waiting), ==, PJM_JOB_QUEUED);
    if (i == 0) {
      pjm_job_cancel (waiting);
      wait_job (waiting, PJM_JOB_CANCELLED);
    }
    place_restart (place);
    place_open (place, path, NULL);
    guint at = i == 0 ? 0 : 2;
    g_assert_cmpint (pjm_job_can_resume (job_at (place, at)), ==, i == 1);
    pjm_project_undo (place->project);
  }
  pjm_project_dismiss_job (place->project, job_at (place, 2));
  g_assert_false (pjm_job_can_resume (job_at (place, 2)));
  place_restart (place);
  place_open (place, path, NULL);
  g_assert_false (pjm_job_can_resume (job_at (place, 2)));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  place_add ("/app/prune/chain/goes-on-after-a-kill", test_chain_over_restart);
  place_add ("/app/prune/chain/between-two-jobs", test_chain_between_jobs);
  place_add ("/app/prune/chain/stopped-stays-stopped", test_chain_stopped);
  return g_test_run ();
}
