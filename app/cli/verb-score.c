/* SPDX-License-Identifier: MIT */
/* score: one number per channel. */
#include <stdlib.h>
#include <string.h>

#include "cli/verbs.h"
#include "io/file.h"
#include "model/work-open.h"
#include "model/work-prune.h"
#include "model/work-settings.h"
#include "session/model.h"

static char *data, *criterion, *csv, *tied, *session;
static int n_images;
static gboolean list;

static const GOptionEntry entries[] = {
  { "criterion", 0, 0, G_OPTION_ARG_FILENAME, &criterion, "How channels are judged; see --list (default: weight-sum)",
    "NAME" },
  { "data", 0, 0, G_OPTION_ARG_FILENAME, &data, "Data set (default: sample)", "DATA" },
  { "samples", 0, 0, G_OPTION_ARG_INT, &n_images,
    "Calibration pictures from the training part (default: the criterion's own)", "N" },
  { "tied", 0, 0, G_OPTION_ARG_FILENAME, &tied,
    "How layers that are cut together are joined: usual, sum, mean, max, fragile or first", "WORD" },
  { "session", 0, 0, G_OPTION_ARG_FILENAME, &session,
    "Session that records the work (default: for criteria that take minutes beside --csv; none: nowhere)", "FILE" },
  { "csv", 0, 0, G_OPTION_ARG_FILENAME, &csv, "Also write group,channel,score to a file", "FILE" },
  { "list", 0, 0, G_OPTION_ARG_NONE, &list, "List the criteria", NULL },
  { NULL }
};

static gboolean
show_list (Cli *cli)
{
  JsonArray *names = json_array_new ();
  for (const PjCriterion *const *c = pj_criteria (); *c != NULL; c++) {
    cli_say (cli, "%s: %s\n    %s\n    %s\n", (*c)->name, (*c)->title, (*c)->about, (*c)->source);
    JsonObject *object = json_object_new ();
    json_object_set_string_member (object, "name", (*c)->name);
    json_object_set_string_member (object, "title", (*c)->title);
    json_object_set_string_member (object, "about", (*c)->about);
    json_object_set_string_member (object, "source", (*c)->source);
    json_array_add_object_element (names, object);
  }
  json_object_set_array_member (cli->result, "criteria", names);
  return TRUE;
}

static gboolean
write_csv (const PjGroups *groups, const PjScores *scores, const char *path, GError **error)
{
  g_autoptr (GString) text = g_string_new ("group,channel,score\n");
  for (unsigned i = 0; i < scores->n_groups; i++) {
    const PjGroupScores *group = &scores->groups[i];
    for (int c = 0; group->score != NULL && c < group->n_channels; c++) {
      char number[G_ASCII_DTOSTR_BUF_SIZE];
      g_string_append_printf (text, "\"%s\",%d,%s\n", pj_groups_get (groups, (unsigned) group->group)->name, c,
                              g_ascii_dtostr (number, sizeof number, group->score[c]));
    }
  }
  g_autoptr (PjFileWriter) writer = pj_file_writer_new (path, error);
  return writer != NULL && pj_file_writer_append (writer, text->str, text->len, error)
         && pj_file_writer_finish (writer, error);
}

static int
compare_numbers (const void *a, const void *b)
{
  double x = *(const double *) a, y = *(const double *) b;
  return (x > y) - (x < y);
}

static void
show_group (CliTable *table, JsonArray *json, const PjGroup *group, const PjGroupScores *scores)
{
  JsonObject *object = json_object_new ();
  json_object_set_string_member (object, "group", group->name);
  g_autofree char *channels = g_strdup_printf ("%d", scores->n_channels);
  if (scores->score == NULL) {
    cli_table_add (table, group->name, channels, "", "", "", scores->refusal, NULL);
    json_object_set_string_member (object, "refusal", scores->refusal);
  } else {
    int n = scores->n_channels;
    g_autofree double *sorted = g_memdup2 (scores->score, (gsize) n * sizeof (double));
    qsort (sorted, (size_t) n, sizeof (double), compare_numbers);
    int weakest = 0;
    JsonArray *values = json_array_new ();
    for (int c = 0; c < n; c++) {
      json_array_add_double_element (values, scores->score[c]);
      weakest = scores->score[c] < scores->score[weakest] ? c : weakest;
    }
    g_autofree char *low = g_strdup_printf ("%.4g", sorted[0]), *middle = g_strdup_printf ("%.4g", sorted[n / 2]);
    g_autofree char *high = g_strdup_printf ("%.4g", sorted[n - 1]);
    g_autofree char *which = g_strdup_printf ("weakest: channel %d", weakest);
    cli_table_add (table, group->name, channels, low, middle, high, which, NULL);
    json_object_set_array_member (object, "scores", values);
  }
  json_array_add_object_element (json, object);
}

/* Before what runs the network once per channel. */
static void
say_estimate (Cli *cli, const CliModel *model, const PjWork *work, const PjCriterion *chosen)
{
  double seconds;
  g_auto (PjWorkChoose) choice;
  pj_work_choose_init (&choice);
  g_free (choice.method);
  choice.method = g_strdup (chosen->name);
  choice.keep = g_strsplit ("0.5", ",", -1);
  choice.n_images = (unsigned) n_images;
  if (!chosen->slow || !pj_work_choose_estimate (work, model->groups, &choice, &seconds, NULL) || seconds < 1)
    return;
  g_autofree char *text = cli_duration (seconds);
  cli_note (cli, "Scoring is going to take about %s.", text);
  json_object_set_double_member (cli->result, "estimated_seconds", seconds);
}

static gboolean
show_scores (Cli *cli, const PjGroups *all, const PjCriterion *chosen, const PjScores *scores, PjTied policy, uint64_t seed,
             const char *path, GError **error)
{
  cli_say (cli, "%s, higher is more important", chosen->title);
  cli_say (cli, scores->n_images > 0 ? ", measured on %u training pictures\n" : "\n", scores->n_images);
  JsonArray *groups = json_array_new ();
  CliTable *table = cli_table_new ((const char *[]) { "group", ">channels", ">lowest", ">median", ">highest", "",
                                                      NULL });
  for (unsigned i = 0; i < scores->n_groups; i++)
    show_group (table, groups, pj_groups_get (all, (unsigned) scores->groups[i].group), &scores->groups[i]);
  cli_table_print (table, cli);
  json_object_set_string_member (cli->result, "criterion", chosen->name);
  json_object_set_string_member (cli->result, "tied", pj_tied_rows[policy].name);
  json_object_set_int_member (cli->result, "images", scores->n_images);
  json_object_set_int_member (cli->result, "seed", (gint64) seed);
  json_object_set_array_member (cli->result, "groups", groups);
  return path == NULL || write_csv (all, scores, path, error);
}

gboolean
cli_score_resume (Cli *cli, PjSession *from, const PjJobRecord *job, const char *target, GError **error)
{
  g_auto (PjWorkPlace) place = { 0 };
  PjTied policy;
  g_autofree char *where = pj_settings_get (job->settings, "data");
  if (!pj_work_open_step (from, job->step, &place, error))
    return FALSE;
  g_autoptr (PjDataset) dataset = where != NULL ? pj_work_open_data (where, error) : NULL;
  if (where != NULL && dataset == NULL)
    return FALSE;
  PjWork work = {
    .device = cli->device, .session = from, .step = job->step, .job = job->id, .graph = place.graph, .dataset = dataset,
    .data = where, .out = target, .hooks = &cli->hooks,
  };
  g_autoptr (PjScores) scores = pj_work_score_again (&work, place.groups, job->settings, &policy, NULL, error);
  g_autofree char *name = pj_settings_get (job->settings, "criterion");
  return scores != NULL && show_scores (cli, place.groups, pj_criterion_find (name), scores, policy, job->seed, target, error);
}

static gboolean
score (Cli *cli, CliModel *model, const char *origin, const PjCriterion *chosen, PjTied policy, GError **error)
{
  g_autofree char *where = NULL;
  g_autoptr (PjDataset) dataset = NULL;
  if (chosen->needs != PJ_NEEDS_NOTHING && (dataset = cli_open_data (cli, data, &where, error)) == NULL)
    return FALSE;
  PjWork work;
  g_autofree char *target = csv != NULL ? g_canonicalize_filename (csv, NULL) : NULL;
  /* A session is for going on with what takes minutes, and for who asks for one. */
  if (((session != NULL || chosen->slow) && !cli_keep_session (cli, model, session, csv, origin, error))
      || !cli_work (cli, model, dataset, where, target, &work, error))
    return FALSE;
  say_estimate (cli, model, &work, chosen);
  g_autoptr (PjScores) scores = pj_work_score (&work, model->groups, chosen->name, policy, (unsigned) n_images,
                                               (uint64_t) cli->seed, NULL, error);
  if (scores == NULL)
    return FALSE;
  return show_scores (cli, model->groups, chosen, scores, policy, (uint64_t) cli->seed, csv, error);
}

static gboolean
run (Cli *cli, char **args, GError **error)
{
  if (list)
    return show_list (cli);
  if (args[0] == NULL)
    return cli_usage (error, "score needs MODEL");
  if (n_images < 0)
    return cli_usage (error, "--samples must be a number of pictures");
  const char *name = criterion != NULL ? criterion : "weight-sum";
  const PjCriterion *chosen = pj_criterion_find (name);
  if (chosen == NULL) {
    g_autoptr (GPtrArray) names = g_ptr_array_new ();
    for (const PjCriterion *const *c = pj_criteria (); *c != NULL; c++)
      g_ptr_array_add (names, (gpointer) (*c)->name);
    g_ptr_array_add (names, NULL);
    const char *meant = cli_suggest (name, (const char *const *) names->pdata);
    return cli_usage (error, "there is no criterion “%s”%s%s%s", name, meant != NULL ? "; did you mean "
                      : "; --list lists them",
                      meant != NULL ? meant : "", meant != NULL ? "?" : "");
  }
  PjTied policy = PJ_TIED_USUAL;
  g_autoptr (GError) reason = NULL;
  if (tied != NULL && !pj_tied_find (tied, &policy, &reason))
    return cli_usage (error, "--tied: %s", reason->message);
  g_auto (CliModel) model = { 0 };
  if (!cli_check_out (csv, error) || !cli_open_model (cli, args[0], TRUE, &model, error))
    return FALSE;
  return score (cli, &model, args[0], chosen, policy, error);
}

const CliVerb cli_verb_score = {
  .name = "score",
  .arguments = "MODEL",
  .summary = "Judges every channel by a criterion",
  .about = "If MODEL is a session, the scores are stored in it.  Criteria that run the network once per channel take\n"
           "minutes: stopped or killed, they go on with “sessions … resume”.\n\n"
           "Examples:\n"
           "  penjing-cli score --list\n"
           "  penjing-cli score model.onnx --criterion apoz --data fashion-mnist --samples 1000\n"
           "  penjing-cli score model.onnx --criterion weight-sum --csv scores.csv",
  .entries = entries,
  .n_min = 0,
  .n_max = 1,
  .run = run,
};
