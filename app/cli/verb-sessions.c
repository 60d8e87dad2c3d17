/* SPDX-License-Identifier: MIT */
/* sessions: look into a session file, go on with stopped work, get networks and reports out. */
#include <string.h>

#include "base/error.h"
#include "cli/verbs.h"
#include "model/work-export.h"
#include "model/work-open.h"
#include "model/work-settings.h"
#include "model/work-train.h"
#include "session/model.h"

static char *out, *format;

static const GOptionEntry entries[] = {
  { "out", 0, 0, G_OPTION_ARG_FILENAME, &out,
    "For export, report and labels: the file; for resume: instead of the one that was asked for", "FILE" },
  { "format", 0, 0, G_OPTION_ARG_FILENAME, &format, "Of export (default: onnx)", "NAME" },
  { NULL }
};

/* "2026-03-01 14:05". (transfer full) */
static char *
date (int64_t time)
{
  g_autoptr (GDateTime) when = g_date_time_new_from_unix_local (time);
  return when != NULL ? g_date_time_format (when, "%Y-%m-%d %H:%M") : g_strdup ("?");
}

static const char *
state_name (PjJobState state)
{
  static const char *const names[] = { "queued", "running", "done", "failed", "cancelled", "interrupted" };
  return (unsigned) state < G_N_ELEMENTS (names) ? names[state] : "?";
}

/* A number in @text, or a usage error. */
static gboolean
read_number (const char *text, const char *what, int64_t *number, GError **error)
{
  gint64 value = 0;
  if (!g_ascii_string_to_signed (text, 10, 1, G_MAXINT64, &value, NULL))
    return cli_usage (error, "“%s” is not the number of a %s", text, what);
  *number = value;
  return TRUE;
}

/* Also what the command line resumes as a whole. */
static gboolean
can_resume (const PjJobRecord *job)
{
  gboolean stopped = job->state != PJ_JOB_DONE && job->state != PJ_JOB_RUNNING;
  return pj_work_can_resume (job) || (stopped && g_str_equal (job->kind, CLI_JOB_PRUNE));
}

/* --- list --- */

static gboolean
list_steps (Cli *cli, PjSession *session, GError **error)
{
  g_autoptr (GPtrArray) steps = pj_session_list_steps (session, error);
  if (steps == NULL)
    return FALSE;
  int64_t current = pj_session_current_step (session);
  JsonArray *list = json_array_new ();
  CliTable *table = cli_table_new ((const char *[]) { "", ">step", ">from", "when", "what", "", ">top-1", NULL });
  for (guint i = 0; i < steps->len; i++) {
    const PjStepRecord *step = steps->pdata[i];
    g_autofree char *id = g_strdup_printf ("%" G_GINT64_FORMAT, step->id), *when = date (step->time);
    g_autofree char *parent = step->parent != 0 ? g_strdup_printf ("%" G_GINT64_FORMAT, step->parent) : g_strdup ("");
    g_autofree char *known = pj_work_known_accuracy (session, step->model);
    g_autofree char *top1 = known != NULL ? cli_percent (g_ascii_strtod (known, NULL)) : g_strdup ("");
    cli_table_add (table, step->id == current ? "→" : "", id, parent, when, step->title, step->detail != NULL
                   ? step->detail : "", top1, NULL);
    JsonObject *object = json_object_new ();
    json_object_set_int_member (object, "id", step->id);
    json_object_set_int_member (object, "parent", step->parent);
    json_object_set_int_member (object, "time", step->time);
    json_object_set_string_member (object, "title", step->title);
    json_object_set_string_member (object, "detail", step->detail);
    if (known != NULL)
      json_object_set_double_member (object, "top1", g_ascii_strtod (known, NULL));
    json_array_add_object_element (list, object);
  }
  cli_say (cli, "History (→ is where it stands)\n");
  cli_table_print (table, cli);
  json_object_set_int_member (cli->result, "current", current);
  json_object_set_array_member (cli->result, "steps", list);
  return TRUE;
}

static gboolean
list_jobs (Cli *cli, PjSession *session, GError **error)
{
  g_autoptr (GPtrArray) jobs = pj_session_list_jobs (session, error);
  if (jobs == NULL)
    return FALSE;
  JsonArray *list = json_array_new ();
  CliTable *table = cli_table_new ((const char *[]) { ">job", "what", "state", ">took", "device", "seed", "", NULL });
  for (guint i = 0; i < jobs->len; i++) {
    const PjJobRecord *job = jobs->pdata[i];
    g_autofree char *id = g_strdup_printf ("%" G_GINT64_FORMAT, job->id);
    g_autofree char *took = cli_duration ((double) job->elapsed_ms / 1e3);
    g_autofree char *seed = g_strdup_printf ("%" G_GUINT64_FORMAT, job->seed);
    /* Details of the result stand in lines of their own. */
    const char *end = job->result != NULL ? strchr (job->result, '\n') : NULL;
    g_autofree char *result = end != NULL ? g_strndup (job->result, (gsize) (end - job->result)) : g_strdup (job->result);
    gboolean resumable = can_resume (job);
    cli_table_add (table, id, job->title, state_name (job->state), took, job->device != NULL ? job->device : "", seed,
                   resumable ? "can be resumed" : job->error != NULL ? job->error : result != NULL ? result : "", NULL);
    JsonObject *object = json_object_new ();
    json_object_set_int_member (object, "id", job->id);
    json_object_set_string_member (object, "kind", job->kind);
    json_object_set_string_member (object, "title", job->title);
    json_object_set_string_member (object, "state", state_name (job->state));
    json_object_set_int_member (object, "elapsed_ms", job->elapsed_ms);
    json_object_set_boolean_member (object, "resumable", resumable);
    json_object_set_string_member (object, "result", result);
    if (end != NULL)
      json_object_set_string_member (object, "details", end + 1);
    json_object_set_string_member (object, "error", job->error);
    json_object_set_string_member (object, "settings", job->settings);
    json_array_add_object_element (list, object);
  }
  cli_say (cli, "\nJobs\n");
  cli_table_print (table, cli);
  json_object_set_array_member (cli->result, "jobs", list);
  return TRUE;
}

static gboolean
list_comparisons (Cli *cli, PjSession *session, GError **error)
{
  g_autoptr (GPtrArray) all = pj_session_list_comparisons (session, error);
  if (all == NULL)
    return FALSE;
  JsonArray *list = json_array_new ();
  for (guint i = 0; i < all->len; i++) {
    const PjComparisonRecord *record = all->pdata[i];
    g_autofree char *when = date (record->time), *base = cli_percent (record->base_accuracy);
    cli_say (cli, "%s  %" G_GINT64_FORMAT "  %s  %s: %u rows, not cut %s\n", i == 0 ? "\nComparisons\n" : "",
             record->id, when, record->title,
             record->rows->len, base);
    JsonObject *object = json_object_new ();
    json_object_set_int_member (object, "id", record->id);
    json_object_set_string_member (object, "title", record->title);
    json_object_set_int_member (object, "rows", record->rows->len);
    json_object_set_double_member (object, "base_accuracy", record->base_accuracy);
    json_array_add_object_element (list, object);
  }
  json_object_set_array_member (cli->result, "comparisons", list);
  return TRUE;
}

static gboolean
list (Cli *cli, PjSession *session, const char *argument, GError **error)
{
  g_autofree char *data = pj_session_get_meta (session, PJ_META_DATA);
  cli_say (cli, "%s%s%s\n", pj_session_path (session), data != NULL ? ", data: " : "", data != NULL ? data : "");
  json_object_set_string_member (cli->result, "session", pj_session_path (session));
  return list_steps (cli, session, error) && list_jobs (cli, session, error) && list_comparisons (cli, session, error);
}

/* --- one step --- */

static gboolean
show (Cli *cli, PjSession *session, const char *argument, GError **error)
{
  int64_t id = 0;
  g_auto (PjWorkPlace) place = { 0 };
  if ((argument != NULL && !read_number (argument, "step", &id, error))
      || !pj_work_open_step (session, id, &place, error))
    return FALSE;
  PjCost before, after;
  pj_graph_cost (place.graph, &before);
  if (!pj_cut_predict_cost (place.graph, place.groups, place.plan, &after, error))
    return FALSE;
  g_autofree char *macs = cli_count ((double) before.macs), *params = cli_count ((double) before.learnable);
  g_autofree char *macs_after = cli_count ((double) after.macs), *when = date (place.step->time);
  cli_say (cli, "step %" G_GINT64_FORMAT ": %s, %s\n%s\n%s: %s MACs, %s parameters; with what is marked cut: %s MACs\n",
           place.step->id,
           place.step->title, when, place.step->detail != NULL ? place.step->detail : "",
           pj_graph_get_name (place.graph), macs, params, macs_after);
  JsonObject *kept = json_object_new ();
  CliTable *table = cli_table_new ((const char *[]) { "group", ">kept", ">of", ">ratio", "", NULL });
  for (unsigned i = 0; i < pj_groups_n (place.groups); i++) {
    const PjGroup *group = pj_groups_get (place.groups, i);
    int n = pj_cut_plan_n_kept (place.plan, group);
    g_autofree char *n_kept = g_strdup_printf ("%d", n), *all = g_strdup_printf ("%d", group->n_channels);
    g_autofree char *ratio = g_strdup_printf ("%.3g", place.ratios[group->id]);
    cli_table_add (table, group->name, n_kept, all, ratio, group->lock_reason != NULL ? "locked" : "", NULL);
    json_object_set_int_member (kept, group->name, n);
  }
  cli_table_print (table, cli);
  json_object_set_int_member (cli->result, "step", place.step->id);
  json_object_set_string_member (cli->result, "title", place.step->title);
  cli_json_cost (cli->result, &before);
  json_object_set_int_member (cli->result, "macs_after", (gint64) after.macs);
  json_object_set_object_member (cli->result, "kept", kept);
  return TRUE;
}

static gboolean
go (Cli *cli, PjSession *session, const char *argument, GError **error)
{
  int64_t id = 0;
  if (argument == NULL)
    return cli_usage (error, "go needs the number of a step");
  return read_number (argument, "step", &id, error) && pj_session_go_to (session, id, error)
         && show (cli, session, argument, error);
}

static gboolean
export (Cli *cli, PjSession *session, const char *argument, GError **error)
{
  int64_t id = 0;
  g_auto (PjWorkPlace) place = { 0 };
  if (out == NULL)
    return cli_usage (error, "export needs --out");
  g_autofree char *where = pj_session_get_meta (session, PJ_META_DATA);
  if (!cli_check_export (format, out, TRUE, where != NULL, error)
      || (argument != NULL && !read_number (argument, "step", &id, error))
      || !pj_work_open_step (session, id, &place, error))
    return FALSE;
  g_autoptr (PjDataset) dataset = where != NULL ? pj_work_open_data (where, NULL) : NULL;
  g_autoptr (PjGraph) original = pj_work_find_original (session, place.step->id, error);
  if (original == NULL)
    return FALSE;
  g_autofree char *accuracy = pj_work_known_accuracy (session, place.step->model);
  CliModel model = { .graph = place.graph, .accuracy = accuracy, .original = original };
  PjWork work = { .device = cli_device (cli, error), .graph = place.graph, .dataset = dataset, .hooks = &cli->hooks };
  return work.device != NULL && cli_export (cli, &model, &work, format != NULL ? format : "onnx", out, "out", error);
}

/* --- comparisons --- */

static gboolean
write_report (Cli *cli, PjSession *session, const PjComparisonRecord *record, const char *path, GError **error)
{
  g_auto (PjWorkPlace) place = { 0 };
  g_auto (PjWorkCompare) settings;
  pj_work_compare_init (&settings);
  g_autoptr (PjJobRecord) job = pj_session_get_job (session, record->job, error);
  if (job == NULL || !pj_work_compare_read (&settings, job->settings, error)
      || !pj_work_open_step (session, record->step, &place, error))
    return FALSE;
  g_autoptr (PjComparison) comparison = pj_work_comparison (place.groups, record, error);
  if (comparison == NULL)
    return FALSE;
  g_autofree char *where = pj_settings_get (job->settings, "data");
  g_autoptr (PjDataset) dataset = pj_work_open_data (where, NULL);
  /* The device that measured, not the one of today. */
  if (cli->device == NULL && job->device != NULL)
    cli->device = pj_device_open (job->device, NULL);
  return cli_report (cli, pj_graph_get_name (place.graph), dataset != NULL ? pj_dataset_name (dataset) : where,
                     place.groups, comparison,
                     &settings, path, NULL, error);
}

static gboolean
report (Cli *cli, PjSession *session, const char *argument, GError **error)
{
  int64_t id = 0;
  if (argument != NULL && !read_number (argument, "comparison", &id, error))
    return FALSE;
  g_autoptr (GPtrArray) all = cli_check_out (out, error) ? pj_session_list_comparisons (session, error) : NULL;
  if (all == NULL)
    return FALSE;
  for (guint i = all->len; i-- > 0;) {
    const PjComparisonRecord *record = all->pdata[i];
    if (id == 0 || record->id == id)
      return write_report (cli, session, record, out, error);
  }
  g_set_error (error, PJ_STORE_ERROR, PJ_STORE_ERROR_MISSING, "session “%s” has no such comparison",
               pj_session_path (session));
  return FALSE;
}

/* --- labels --- */

/* Those of the newest job that refined any, or of one by its number. */
static gboolean
labels (Cli *cli, PjSession *session, const char *argument, GError **error)
{
  int64_t id = 0;
  if (out == NULL)
    return cli_usage (error, "labels needs --out FILE.npy");
  if (argument != NULL && !read_number (argument, "job", &id, error))
    return FALSE;
  g_autoptr (GPtrArray) jobs = cli_check_out (out, error) ? pj_session_list_jobs (session, error) : NULL;
  if (jobs == NULL)
    return FALSE;
  for (guint i = jobs->len; i-- > 0;) {
    const PjJobRecord *job = jobs->pdata[i];
    if (id != 0 && job->id != id)
      continue;
    g_autoptr (GError) reason = NULL;
    unsigned n, n_classes;
    g_autofree float *logits = pj_session_get_labels (session, job->id, &n, &n_classes, &reason);
    if (logits != NULL)
      return cli_write_labels (cli, out, n, n_classes, logits, error);
    if (reason != NULL) {
      g_propagate_error (error, g_steal_pointer (&reason));
      return FALSE;
    }
  }
  g_set_error (error, PJ_STORE_ERROR, PJ_STORE_ERROR_MISSING,
               "session “%s” has no such refined labels; trainings with --refine, --curl-b and --finetune-b leave them", pj_session_path (session));
  return FALSE;
}

/* --- resume --- */

/* The job that @job is a part of goes before it, if it was stopped, too. */
static PjJobRecord *
find_whole (const GPtrArray *jobs, PjJobRecord *job)
{
  int64_t whole = pj_work_part_of (job);
  for (guint i = 0; whole != 0 && i < jobs->len; i++) {
    PjJobRecord *other = jobs->pdata[i];
    if (other->id == whole && can_resume (other))
      return other;
  }
  return job;
}

static PjJobRecord *
find_resumable (PjSession *session, int64_t id, GError **error)
{
  g_autoptr (GPtrArray) jobs = pj_session_list_jobs (session, error);
  if (jobs == NULL)
    return NULL;
  for (guint i = jobs->len; i-- > 0;) {
    PjJobRecord *job = jobs->pdata[i];
    if (id != 0 ? job->id != id : !can_resume (job))
      continue;
    PjJobRecord *found = id != 0 ? job : find_whole (jobs, job);
    g_ptr_array_find (jobs, found, &i);
    return g_ptr_array_steal_index (jobs, i);
  }
  g_set_error (error, PJ_STORE_ERROR, PJ_STORE_ERROR_MISSING, id != 0 ? "session “%s” has no such job"
               : "session “%s” has no job that could go on; start the command again", pj_session_path (session));
  return NULL;
}

/* What the stopped command would have done with the network in the end. */
static gboolean
finish_training (Cli *cli, PjSession *session, const PjJobRecord *job, int64_t step, const char *target, GError **error)
{
  g_auto (PjWorkPlace) place = { 0 };
  g_autofree char *where = pj_settings_get (job->settings, "data");
  g_autoptr (PjDataset) dataset = pj_work_open_data (where, error);
  if (dataset == NULL || !pj_work_open_step (session, step, &place, error))
    return FALSE;
  g_auto (CliModel) model = { .graph = g_steal_pointer (&place.graph), .step = step };
  PjWork work = { .device = cli->device, .session = session, .step = step, .graph = model.graph, .dataset = dataset,
                  .data = where,
                  .hooks = &cli->hooks };
  PjAccuracy accuracy;
  if (!cli_measure (cli, &model, &work, 0, &accuracy, error))
    return FALSE;
  g_autofree char *top1 = cli_percent (accuracy.top1);
  cli_say (cli, "top-1 %s on %u test pictures\n", top1, accuracy.n);
  json_object_set_object_member (cli->result, "test", cli_json_accuracy (&accuracy));
  pj_accuracy_clear (&accuracy);
  return target == NULL || cli_export (cli, &model, &work, "onnx", target, "out", error);
}

static gboolean
finish_comparison (Cli *cli, PjSession *session, const PjJobRecord *job, const char *target, GError **error)
{
  g_autoptr (GPtrArray) all = pj_session_list_comparisons (session, error);
  for (guint i = 0; all != NULL && i < all->len; i++) {
    const PjComparisonRecord *record = all->pdata[i];
    if (record->job == job->id)
      return write_report (cli, session, record, target, error);
  }
  return all != NULL;
}

static gboolean
finish_sensitivity (Cli *cli, PjSession *session, const PjJobRecord *job, const char *target, GError **error)
{
  g_auto (PjWorkPlace) place = { 0 };
  if (!pj_work_open_step (session, job->step, &place, error))
    return FALSE;
  g_autoptr (PjSweep) sweep = pj_work_sensitivity_stored (session, job->id, place.groups, error);
  return sweep != NULL && cli_show_sweep (cli, place.groups, sweep, PJ_SWEEP_TOLERANCE, target, error);
}

static gboolean
resume (Cli *cli, PjSession *session, const char *argument, GError **error)
{
  int64_t id = 0;
  if (argument != NULL && !read_number (argument, "job", &id, error))
    return FALSE;
  g_autoptr (PjJobRecord) job = find_resumable (session, id, error);
  if (job == NULL)
    return FALSE;
  /* The same device gives the same bits. */
  if (cli->device_id == NULL)
    cli->device_id = g_strdup (job->device);
  g_autofree char *asked = pj_settings_get (job->settings, "out"), *quoted = g_shell_quote (pj_session_path (session));
  const char *target = out != NULL ? out : asked;
  if (!cli_check_out (target, error) || cli_device (cli, error) == NULL)
    return FALSE;
  cli->resume_hint = g_strdup_printf ("Stopped. To go on: penjing-cli sessions %s resume", quoted);
  cli_note (cli, "Going on with job %" G_GINT64_FORMAT ": %s", job->id, job->title);
  if (g_str_equal (job->kind, CLI_JOB_PRUNE) && can_resume (job))
    return cli_prune_job_resume (cli, session, job, target, error);
  if (g_str_equal (job->kind, "small-data") && can_resume (job))
    return cli_small_data_resume (cli, session, job, target, error);
  if (g_str_equal (job->kind, "score") && can_resume (job))
    return cli_score_resume (cli, session, job, target, error);
  PjWork work = { .device = cli->device, .session = session, .job = job->id, .hooks = &cli->hooks };
  g_auto (PjWorkDone) done = { 0 };
  if (!pj_work_resume (&work, &done, error))
    return FALSE;
  cli_say (cli, "%s: %s\n", job->title, done.text);
  json_object_set_int_member (cli->result, "job", job->id);
  json_object_set_int_member (cli->result, "step", done.step);
  json_object_set_string_member (cli->result, "text", done.text);
  if (strcmp (job->kind, "compare") == 0)
    return finish_comparison (cli, session, job, target, error);
  if (strcmp (job->kind, "sensitivity") == 0)
    return finish_sensitivity (cli, session, job, target, error);
  if (strcmp (job->kind, "train") == 0 || strcmp (job->kind, "fine-tune") == 0)
    return finish_training (cli, session, job, done.step, target, error);
  return TRUE;
}

/* --- the verb --- */

static const struct {
  const char *name;
  gboolean writes;
  gboolean (*run) (Cli *cli, PjSession *session, const char *argument, GError **error);
} actions[] = {
  { "list", FALSE, list },
  { "show", FALSE, show },
  { "go", TRUE, go },
  { "resume", TRUE, resume },
  { "export", FALSE, export },
  { "report", FALSE, report },
  { "labels", FALSE, labels },
};

static gboolean
run (Cli *cli, char **args, GError **error)
{
  const char *name = args[1] != NULL ? args[1] : "list";
  const char *known[G_N_ELEMENTS (actions) + 1] = { NULL };
  int action = -1;
  for (int i = 0; i < (int) G_N_ELEMENTS (actions); i++) {
    known[i] = actions[i].name;
    if (strcmp (actions[i].name, name) == 0)
      action = i;
  }
  if (action < 0) {
    const char *meant = cli_suggest (name, known);
    return cli_usage (error, "sessions can list, show, go, resume, export, report and labels, not “%s”%s%s%s", name,
                      meant != NULL ? "; did you mean " : "", meant != NULL ? meant : "", meant != NULL ? "?" : "");
  }
  /* Opening to write, where that is possible, also notices jobs whose process has ended. */
  g_autoptr (PjSession) session = pj_session_open (args[0], 0, error);
  if (session == NULL)
    return FALSE;
  if (actions[action].writes && pj_session_is_read_only (session)) {
    g_set_error (error, PJ_STORE_ERROR, PJ_STORE_ERROR_READ_ONLY,
                 "session “%s” is open in another process or cannot be written; close it there, or work on a copy",
                 args[0]);
    return FALSE;
  }
  return actions[action].run (cli, session, args[1] != NULL ? args[2] : NULL, error);
}

const CliVerb cli_verb_sessions = {
  .name = "sessions",
  .arguments = "FILE [list|show|go|resume|export|report|labels] [NUMBER]",
  .summary = "Looks into a session file, goes on with stopped work, gets networks and reports out",
  .about = "  list            history, jobs and comparisons (the default)\n"
           "  show [STEP]     what is marked at a step\n"
           "  go STEP         makes a step the current one; nothing is lost, later steps stay as a branch\n"
           "  resume [JOB]    goes on with a job that was stopped or interrupted, the newest one by default\n"
           "  export [STEP]   --out FILE\n"
           "  report [NUMBER] the newest comparison, or one by its number; --out FILE.html\n"
           "  labels [JOB]    the labels that a training refined: class scores of each picture before the softmax; --out FILE.npy\n\n"
           "Examples:\n"
           "  penjing-cli sessions work.penjing\n"
           "  penjing-cli sessions work.penjing resume\n"
           "  penjing-cli sessions work.penjing export 4 --out step4.onnx",
  .entries = entries,
  .n_min = 1,
  .n_max = 3,
  .run = run,
};
