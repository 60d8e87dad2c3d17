/* SPDX-License-Identifier: MIT */
/* Pruning with all settings: what is said before the start, what is stored, and what follows by itself. */
#include <string.h>

#include "prune-test.h"

static const PjmSetting *
find_setting (const GArray *settings, const char *name)
{
  for (guint i = 0; i < settings->len; i++)
    if (strcmp (g_array_index (settings, PjmSetting, i).name, name) == 0)
      return &g_array_index (settings, PjmSetting, i);
  return NULL;
}

static void
test_settings (Place *place, gconstpointer data)
{
  guint n;
  g_autoptr (GArray) thinet = pjm_project_get_settings (place->project, "thinet");
  g_autoptr (GArray) none = pjm_project_get_settings (place->project, "weight-sum");
  g_assert_cmpuint (none->len, ==, 0);
  const PjmSetting *greedy = find_setting (thinet, "greedy"), *epochs = find_setting (thinet, "between-epochs");
  g_assert_nonnull (greedy);
  g_assert_cmpstr (greedy->choices[1], ==, "forward");
  g_assert_nonnull (epochs);
  g_assert_true (epochs->whole && epochs->choices == NULL && epochs->most >= 1 && *epochs->about != '\0');
  g_assert_true (pjm_project_method_takes_budget (place->project, "weight-sum"));
  g_assert_false (pjm_project_method_takes_budget (place->project, "thinet"));
  g_assert_true (pjm_project_method_mends (place->project, "thinet"));
  g_assert_false (pjm_project_method_mends (place->project, "thinet-ls"));
  /* Every word to choose from has something better to read. */
  const PjmChoice *methods = pjm_project_get_methods (place->project, &n);
  guint n_words = 0;
  for (guint i = 0; i < n; i++) {
    g_autoptr (GArray) settings = pjm_project_get_settings (place->project, methods[i].name);
    for (guint k = 0; k < settings->len; k++) {
      const PjmSetting *setting = &g_array_index (settings, PjmSetting, k);
      for (guint w = 0; setting->choices != NULL && setting->choices[w] != NULL; w++, n_words++)
        g_assert_cmpstr (pjm_setting_choice_title (setting->choices[w]), !=, setting->choices[w]);
    }
  }
  g_assert_cmpuint (n_words, >=, 20);
  const PjmChoice *tied = pjm_project_get_tied (place->project, &n);
  g_assert_cmpuint (n, >=, 5);
  g_assert_cmpstr (tied[0].name, ==, "usual");
  const PjmChoice *widths = pjm_project_get_widths (place->project, &n);
  g_assert_cmpuint (n, ==, 3);
  g_assert_true (*widths[1].title != '\0' && *widths[1].about != '\0');
}

static void
test_refusals (Place *place, gconstpointer data)
{
  PjmPruneOptions options;
  pjm_prune_options_init (&options, "weight-sum");
  Answer answer = { 0 };
  pjm_project_check_prune_async (place->project, &options, NULL, checked_cb, &answer);
  wait_until (is_answered, &answer);
  g_assert_error (answer.error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
  g_clear_error (&answer.error);

  place_open (place, place->onnx, NULL);
  assert_refused (place, &options, "how much");
  g_assert_null (pjm_project_prune (place->project, &options));
  assert_failed (place, "how much");
  options.keep = PJM_KEEP_SHARE;
  options.method = "apoz";
  assert_refused (place, &options, "pictures");
  options.method = "thinet";
  place_open (place, place->data, NULL);
  options.keep = PJM_KEEP_MACS;
  assert_refused (place, &options, "keep ratios");
  options.method = "weight-sum";
  options.share = 0;
  assert_refused (place, &options, "how much");
  options.share = 0.5;
  options.widths = "sideways";
  assert_refused (place, &options, "hourglass");
  options.widths = NULL;
  options.method = "autopruner";
  options.keep = PJM_KEEP_SHARE;
  options.set = (const char *const[]) { "alpha=-3", NULL };
  assert_refused (place, &options, "alpha");
}

/* What is said before is what comes out. */
static void
test_outlook (Place *place, gconstpointer data)
{
  PjmPruneOptions options;
  place_open_all (place);
  pjm_prune_options_init (&options, "weight-sum");
  options.keep = PJM_KEEP_SHARE;
  options.share = 0.5;
  options.multiple = 4;
  options.widths = "hourglass";
  g_autoptr (PjmPruneOutlook) outlook = check (place, &options);
  g_assert_null (outlook->refusal);
  g_assert_cmpuint (outlook->macs, <, count (place, "macs"));
  wait_job (pjm_project_prune (place->project, &options), PJM_JOB_DONE);
  g_assert_cmpuint (count (place, "macs-after"), ==, outlook->macs);
  g_assert_cmpuint (count (place, "params-after"), ==, outlook->params);
  g_assert_cmpuint (count (place, "macs"), >, outlook->macs);

  options.keep = PJM_KEEP_PARAMS;
  options.share = 0.75;
  g_autoptr (PjmPruneOutlook) budget = check (place, &options);
  g_assert_cmpuint (budget->macs, ==, 0);
  g_assert_cmpuint (budget->params, ==, (guint64) (0.75 * (double) count (place, "params")));

  Answer answer = { 0 };
  options.method = "apoz";
  pjm_project_estimate_prune_async (place->project, &options, NULL, estimated_cb, &answer);
  wait_until (is_answered, &answer);
  g_assert_no_error (answer.error);
  g_assert_cmpfloat (answer.seconds, >, 0);
  /* Nobody waits for what was asked before: the newest question cancels it. */
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  answer.done = FALSE;
  pjm_project_estimate_prune_async (place->project, &options, cancellable, estimated_cb, &answer);
  g_cancellable_cancel (cancellable);
  wait_until (is_answered, &answer);
  g_assert_error (answer.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&answer.error);
}

/* Choose, cut, measure the norms again, train: each starts when the one before it has ended. */
static void
test_whole_way (Place *place, gconstpointer data)
{
  PjmPruneOptions options;
  place_open_all (place);
  guint64 macs = count (place, "macs");
  pjm_prune_options_init (&options, "weight-sum");
  options.keep = PJM_KEEP_MACS;
  options.share = 0.625;
  options.floor = 0.25;
  options.multiple = 2;
  options.tied = "fragile";
  options.cut = options.recalibrate = TRUE;
  options.tune.kind = PJM_TUNE_CURL;
  options.tune.epochs = options.tune.epochs_b = 1;
  options.tune.max_steps = 2;
  options.tune.batch = 16;
  g_assert_nonnull (pjm_project_prune (place->project, &options));
  wait_until (is_idle, place->project);
  assert_nothing_failed (place);
  assert_all_done (place, "choose cut recalibrate fine-tune fine-tune");
  g_assert_cmpuint (count (place, "macs"), <=, (guint64) (0.625 * (double) macs));
  g_assert_cmpuint (count (place, "macs"), >, macs / 4);
  g_autofree char *a = place_text (job_at (place, 3), "title"), *b = place_text (job_at (place, 4), "title");
  g_assert_cmpstr (a, ==, "Mixup and distillation, 2 steps");
  g_assert_cmpstr (b, ==, "Refine labels, 2 steps");

  g_autofree char *chosen = stored_settings (place, 0), *stage_a = stored_settings (place, 3), *stage_b = stored_settings (place, 4);
  assert_has (chosen, "macs 0.625\n");
  assert_has (chosen, "floor 0.25");
  assert_has (chosen, "multiple 2");
  assert_has (chosen, "tied fragile");
  /* The teacher is the network before the cut, which is the first step. */
  assert_has (stage_a, "mixup 1");
  assert_has (stage_a, "teacher-step 1\n");
  assert_has (stage_b, "refine yes");
  assert_has (stage_b, "teacher-step 1\n");

  /* The list says the same after closing. */
  g_autofree char *path = place_text (place->project, "path");
  place_restart (place);
  place_open (place, path, NULL);
  g_autofree char *again = place_text (job_at (place, 4), "title");
  g_assert_cmpstr (again, ==, "Refine labels, 2 steps");
}

/* A cancelled job takes what would follow with it; resumed, it brings it along. */
static void
test_cancel (Place *place, gconstpointer data)
{
  PjmTuneOptions options;
  place_open_all (place);
  pjm_tune_options_init (&options);
  options.kind = PJM_TUNE_CURL;
  options.epochs = 1000;
  options.epochs_b = 1;
  options.max_steps = 400;
  options.batch = 4;
  PjmJob *job = pjm_project_tune (place->project, &options);
  g_assert_nonnull (job);
  wait_until (has_points, job);
  pjm_job_cancel (job);
  wait_job (job, PJM_JOB_CANCELLED);
  wait_until (is_idle, place->project);
  g_assert_cmpuint (n_items (pjm_project_get_jobs (place->project)), ==, 1);
  /* Twice: what comes after it is kept each time. */
  g_assert_true (pjm_project_resume (place->project, job));
  pjm_job_cancel (job);
  wait_job (job, PJM_JOB_CANCELLED);
  g_assert_cmpuint (n_items (pjm_project_get_jobs (place->project)), ==, 1);
  g_assert_true (pjm_project_resume (place->project, job));
  wait_job (job, PJM_JOB_DONE);
  wait_until (is_idle, place->project);
  assert_nothing_failed (place);
  assert_all_done (place, "fine-tune fine-tune");
  g_autofree char *b = place_text (job_at (place, 1), "title");
  g_assert_cmpstr (b, ==, "Refine labels, 400 steps");
}

static void
test_teacher (Place *place, gconstpointer data)
{
  PjmTuneOptions options;
  place_open_all (place);
  wait_job (pjm_project_fine_tune (place->project, 1, 0.02), PJM_JOB_DONE);
  pjm_tune_options_init (&options);
  options.kind = PJM_TUNE_DISTILL;
  options.distill = 0.25;
  options.temperature = 3;
  options.teacher = 1;
  PjmJob *job = pjm_project_tune (place->project, &options);
  g_autofree char *title = place_text (job, "title");
  g_assert_cmpstr (title, ==, "Fine-tune with a teacher, 1 epoch");
  wait_job (job, PJM_JOB_DONE);
  g_autofree char *settings = stored_settings (place, 1);
  assert_has (settings, "distill 0.25");
  assert_has (settings, "distill-temperature 3");
  assert_has (settings, "teacher-step 2\n");
}

static void
test_profile (Place *place, gconstpointer data)
{
  Answer answer = { 0 };
  place_open_all (place);
  pjm_project_profile_async (place->project, TRUE, 4, NULL, profiled_cb, &answer);
  wait_until (is_answered, &answer);
  g_assert_no_error (answer.error);
  double sum = 0;
  gboolean has_a1 = FALSE, convolves = FALSE;
  for (guint i = 0; i < answer.profile->kernels->len; i++) {
    const PjmKernel *kernel = &g_array_index (answer.profile->kernels, PjmKernel, i);
    sum += kernel->ms;
    has_a1 = has_a1 || strcmp (kernel->layer, "a1") == 0;
    convolves = convolves || (kernel->kind == 0 && kernel->flops > 0 && strcmp (kernel->segment, "backward") == 0);
    g_assert_cmpuint (kernel->kind, <, PJM_N_KERNEL_KINDS);
    g_assert_cmpfloat (kernel->share, >=, 0);
    g_assert_true (*pjm_kernel_kind_title (kernel->kind) != '\0');
  }
  g_assert_true (has_a1 && convolves);
  g_assert_cmpfloat (ABS (sum - answer.profile->ms), <=, 1e-9 * sum);
  g_assert_true (answer.profile->train && answer.profile->batch == 4 && answer.profile->memory > 0);
  g_assert_cmpfloat (answer.profile->peak_flops, >, 0);
  pjm_profile_free (answer.profile);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  place_add ("/app/prune/settings", test_settings);
  place_add ("/app/prune/refusals", test_refusals);
  place_add ("/app/prune/outlook", test_outlook);
  place_add ("/app/prune/whole-way", test_whole_way);
  place_add ("/app/prune/cancel", test_cancel);
  place_add ("/app/prune/teacher", test_teacher);
  place_add ("/app/prune/profile", test_profile);
  return g_test_run ();
}
