/* SPDX-License-Identifier: MIT */
/* Pruning with all settings: what is said before the start, what is stored, and what follows by itself. */
#include <string.h>

#include "io/onnx.h"
#include "ops/op.h"
#include "project-test.h"
#include "session/session.h"
#include "support/net.h"

/* --- answers --- */

typedef struct { gboolean done; PjmPruneOutlook *outlook; PjmProfile *profile; double seconds; GError *error; } Answer;

static gboolean
is_answered (gpointer data)
{
  return ((Answer *) data)->done;
}

static void
checked_cb (GObject *project, GAsyncResult *result, gpointer data)
{
  Answer *answer = data;
  answer->outlook = pjm_project_check_prune_finish (PJM_PROJECT (project), result, &answer->error);
  answer->done = TRUE;
}

static void
estimated_cb (GObject *project, GAsyncResult *result, gpointer data)
{
  Answer *answer = data;
  answer->seconds = pjm_project_estimate_prune_finish (PJM_PROJECT (project), result, &answer->error);
  answer->done = TRUE;
}

static void
profiled_cb (GObject *project, GAsyncResult *result, gpointer data)
{
  Answer *answer = data;
  answer->profile = pjm_project_profile_finish (PJM_PROJECT (project), result, &answer->error);
  answer->done = TRUE;
}

static PjmPruneOutlook *
check (Place *place, const PjmPruneOptions *options)
{
  Answer answer = { 0 };
  pjm_project_check_prune_async (place->project, options, NULL, checked_cb, &answer);
  wait_until (is_answered, &answer);
  g_assert_no_error (answer.error);
  return answer.outlook;
}

static void
assert_refused (Place *place, const PjmPruneOptions *options, const char *text)
{
  g_autoptr (PjmPruneOutlook) outlook = check (place, options);
  g_assert_nonnull (outlook->refusal);
  if (strstr (outlook->refusal, text) == NULL)
    g_error ("“%s” does not say “%s”", outlook->refusal, text);
}

static guint64
count (Place *place, const char *property)
{
  guint64 value;
  g_object_get (place->project, property, &value, NULL);
  return value;
}

/* --- jobs --- */

static PjmJob *
job_at (Place *place, guint i)
{
  GListModel *jobs = pjm_project_get_jobs (place->project);
  g_assert_cmpuint (i, <, n_items (jobs));
  g_autoptr (PjmJob) job = g_list_model_get_item (jobs, i);
  return job;
}

static gboolean
is_idle (gpointer project)
{
  gboolean busy;
  g_object_get (project, "busy", &busy, NULL);
  return !busy;
}

/* "choose cut" (transfer full) */
static char *
kinds_of (Place *place)
{
  g_autoptr (GString) kinds = g_string_new (NULL);
  for (guint i = 0; i < n_items (pjm_project_get_jobs (place->project)); i++) {
    g_autofree char *kind = place_text (job_at (place, i), "kind");
    g_string_append_printf (kinds, "%s%s", i > 0 ? " " : "", kind);
  }
  return g_string_free (g_steal_pointer (&kinds), FALSE);
}

static void
assert_kinds (Place *place, const char *wanted)
{
  g_autofree char *kinds = kinds_of (place);
  g_assert_cmpstr (kinds, ==, wanted);
}

static void
assert_all_done (Place *place, const char *wanted)
{
  assert_kinds (place, wanted);
  for (guint i = 0; i < n_items (pjm_project_get_jobs (place->project)); i++)
    g_assert_cmpint (pjm_job_get_state (job_at (place, i)), ==, PJM_JOB_DONE);
}

/* The program ends as by a kill in the middle of the job @i, and begins again. */
static void
restart_killed (Place *place, guint i)
{
  g_autofree char *path = place_text (place->project, "path");
  place_stop (place);
  PjSession *session = pj_session_open (path, 0, NULL);
  g_autoptr (GPtrArray) jobs = pj_session_list_jobs (session, NULL);
  PjJobRecord *record = jobs->pdata[i];
  record->state = PJ_JOB_RUNNING;
  g_assert_true (pj_session_update_job (session, record, NULL));
  pj_session_close (session);
  place_start (place);
  place_open (place, path, NULL);
  g_assert_cmpint (pjm_job_get_state (job_at (place, i)), ==, PJM_JOB_INTERRUPTED);
}

/* The settings that the session has of the job @i, oldest first. */
static char *
stored_settings (Place *place, guint i)
{
  g_autofree char *path = place_text (place->project, "path");
  g_autoptr (PjSession) session = pj_session_open (path, PJ_SESSION_READ_ONLY, NULL);
  g_assert_nonnull (session);
  g_autoptr (GPtrArray) jobs = pj_session_list_jobs (session, NULL);
  g_assert_cmpuint (i, <, jobs->len);
  return g_strdup (((PjJobRecord *) jobs->pdata[i])->settings);
}

static void
assert_has (const char *text, const char *part)
{
  if (strstr (text, part) == NULL)
    g_error ("“%s” has no “%s”", text, part);
}

/* --- tests --- */

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

static gboolean
has_progress (gpointer job)
{
  return place_number (job, "fraction") > 0.3;
}

static gboolean
has_points (gpointer job)
{
  return pjm_job_n_series (job) > 0;
}

typedef struct { Place *place; const char *kinds; } KindsWanted;

static gboolean
has_kinds (gpointer data)
{
  KindsWanted *wanted = data;
  g_autofree char *kinds = kinds_of (wanted->place);
  return strcmp (kinds, wanted->kinds) == 0;
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

/* Blocks first, then channels by AMC's rule on what is left; one of them alone is enough. */
static void
test_drop_blocks (Place *place, gconstpointer data)
{
  PjmPruneOptions options;
  place_open_all (place);
  guint n_blocks = pjm_project_count_blocks (place->project);
  guint64 macs = count (place, "macs");
  g_assert_cmpuint (n_blocks, ==, 1);
  pjm_prune_options_init (&options, "apoz");
  options.drop_blocks = n_blocks + 1;
  assert_refused (place, &options, "Only 1 residual block");
  options.drop_blocks = n_blocks;
  options.cut = options.recalibrate = TRUE;
  g_autoptr (PjmPruneOutlook) outlook = check (place, &options);
  g_assert_null (outlook->refusal);
  g_assert_cmpuint (outlook->macs, ==, 0);
  g_assert_nonnull (pjm_project_prune (place->project, &options));
  wait_until (is_idle, place->project);
  assert_nothing_failed (place);
  assert_kinds (place, "remove-parts recalibrate");
  g_assert_cmpuint (count (place, "macs"), <, macs);
  g_assert_cmpuint (pjm_project_count_blocks (place->project), ==, 0);

  /* From the start again. */
  pjm_project_undo (place->project);
  pjm_project_undo (place->project);
  wait_until (is_idle, place->project);
  g_assert_cmpuint (pjm_project_count_blocks (place->project), ==, n_blocks);
  options.keep = PJM_KEEP_SHARE;
  options.share = 0.6;
  options.multiple = PJM_ROUND_AMC;
  options.constants = "all";
  g_assert_nonnull (pjm_project_prune (place->project, &options));
  wait_until (is_idle, place->project);
  assert_nothing_failed (place);
  assert_kinds (place, "remove-parts recalibrate remove-parts choose cut recalibrate");
  g_autofree char *chosen = stored_settings (place, 5);
  assert_has (chosen, "multiple -8");
  assert_has (chosen, "constants all");
}

/* Two blocks one after the other, of which gates are to leave one. */
static void
open_two_blocks (Place *place)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = g_build_filename (place->folder, "blocks.onnx", NULL);
  g_autoptr (PjGraph) g = pj_graph_new ("blocks");
  int x = net_block (g, "stem", pj_graph_add_input (g, "x", PJ_SHAPE (1, 1, 8, 8)), 8, 3, 1, TRUE);
  for (int b = 0; b < 2; b++) {
    const char *const names[2][4] = { { "a1", "a2", "add_a", "relu_a" }, { "b1", "b2", "add_b", "relu_b" } };
    int y = net_block (g, names[b][1], net_block (g, names[b][0], x, 12, 3, 1, TRUE), 8, 3, 1, FALSE);
    x = net_unary (g, names[b][3], &pj_op_relu, net_add (g, names[b][2], y, x));
  }
  x = net_unary (g, "flatten", &pj_op_flatten, net_unary (g, "gap", &pj_op_global_avg_pool, x));
  x = net_gemm (g, "fc", x, net_param (g, "fc.w", PJ_SHAPE (4, 8), 0, 1, 7), net_param (g, "fc.b", PJ_SHAPE (4), 0, 1, 7));
  pj_graph_set_output (g, x);
  pj_onnx_export (g, NULL, path, &error);
  g_assert_no_error (error);
  place_open (place, path, NULL);
}

static void
test_gates_of_blocks (Place *place, gconstpointer data)
{
  PjmPruneOptions options;
  Answer answer = { 0 };
  pjm_prune_options_init (&options, "autopruner");
  options.keep = PJM_KEEP_BLOCKS;
  place_open (place, place->onnx, NULL);
  assert_refused (place, &options, "needs pictures");
  place_open (place, place->data, NULL);
  assert_refused (place, &options, "takes two");
  open_two_blocks (place);
  place_open (place, place->data, NULL);
  guint64 macs = count (place, "macs");
  options.method = "thinet-ls";
  assert_refused (place, &options, "AutoPruner");
  options.method = "autopruner";
  options.share = 1;
  assert_refused (place, &options, "above 0 and below 1");
  options.share = 0.5;
  options.set = (const char *const[]) { "epochs=2", "code-batch=16", NULL };
  options.recalibrate = TRUE;
  g_autoptr (PjmPruneOutlook) outlook = check (place, &options);
  g_assert_null (outlook->refusal);
  pjm_project_estimate_prune_async (place->project, &options, NULL, estimated_cb, &answer);
  wait_until (is_answered, &answer);
  g_assert_no_error (answer.error);
  g_assert_cmpfloat (answer.seconds, >, 0);
  g_assert_nonnull (pjm_project_prune (place->project, &options));
  wait_until (is_idle, place->project);
  assert_nothing_failed (place);
  assert_kinds (place, "gate-blocks recalibrate");
  g_assert_cmpuint (pjm_project_count_blocks (place->project), ==, 1);
  g_assert_cmpuint (count (place, "macs"), <, macs);
  g_autofree char *settings = stored_settings (place, 0), *title = place_text (job_at (place, 0), "title");
  assert_has (settings, "keep-blocks 0.5\n");
  assert_has (settings, "code-batch=16");
  g_assert_cmpstr (title, ==, "Train gates of blocks");
}

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

/* Weights that were trained under gates are measured without the closed channels: opened, they are another network. */
static void
test_sensitivity_of_gates (Place *place, gconstpointer data)
{
  PjmPruneOptions options;
  guint n, n_pictures;
  double base = -1;
  g_autofree char *reading = NULL;
  place_open_all (place);
  pjm_prune_options_init (&options, "autopruner");
  options.keep = PJM_KEEP_SHARE;
  options.share = 0.5;
  options.set = (const char *const[]) { "epochs=2", "alpha=1", "alpha-end=20", "code-batch=16", "code-lr=0.05", NULL };
  wait_job (pjm_project_prune (place->project, &options), PJM_JOB_DONE);
  PjmJob *measured = pjm_project_evaluate (place->project);
  wait_job (measured, PJM_JOB_DONE);
  wait_job (pjm_project_measure_sensitivity (place->project), PJM_JOB_DONE);
  const double *points = pjm_project_get_sensitivity (place->project, place_layer (place, "a1"), &n, &base, &n_pictures, &reading);
  g_assert_nonnull (points);
  guint n_before = n;
  g_autofree double *before = g_memdup2 (points, 2 * n * sizeof (double));
  g_autofree char *result = place_text (measured, "result");
  g_test_message ("%s; %g", result, base);
  g_assert_cmpfloat_with_epsilon (g_ascii_strtod (result, NULL) / 100, base, 0.006);

  g_assert_nonnull (strstr (reading, "without those that are marked"));

  /* What is cut has no gates any more, and is what was measured. */
  wait_job (pjm_project_cut (place->project), PJM_JOB_DONE);
  wait_job (pjm_project_measure_sensitivity (place->project), PJM_JOB_DONE);
  g_autofree char *cut = NULL;
  double same = -1;
  points = pjm_project_get_sensitivity (place->project, place_layer (place, "a1"), &n, &same, &n_pictures, &cut);
  g_assert_cmpuint (n, ==, n_before);
  for (guint i = 0; i < 2 * n; i++)
    g_assert_cmpfloat_with_epsilon (points[i], before[i], 1e-9);
  g_assert_cmpfloat_with_epsilon (same, base, 1e-9);
  g_assert_null (strstr (cut, "without those that are marked"));
  assert_nothing_failed (place);
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
  place_add ("/app/prune/chain/goes-on-after-a-kill", test_chain_over_restart);
  place_add ("/app/prune/chain/between-two-jobs", test_chain_between_jobs);
  place_add ("/app/prune/chain/stopped-stays-stopped", test_chain_stopped);
  place_add ("/app/prune/teacher", test_teacher);
  place_add ("/app/prune/drop-blocks", test_drop_blocks);
  place_add ("/app/prune/gates-of-blocks", test_gates_of_blocks);
  place_add ("/app/prune/transfer", test_transfer);
  place_add ("/app/prune/sensitivity-of-gates", test_sensitivity_of_gates);
  place_add ("/app/prune/profile", test_profile);
  return g_test_run ();
}
