/* SPDX-License-Identifier: MIT */
/* parts: whole branches and layers that can be removed; and removing them on the way of “prune”. */
#include <string.h>

#include "cli/verbs.h"
#include "graph/grouped.h"
#include "model/work-open.h"
#include "model/work-parts.h"
#include "model/work-prune.h"

static char *data, *judge;
static int n_images;

static const GOptionEntry entries[] = {
  { "judge", 0, 0, G_OPTION_ARG_FILENAME, &judge, "Measure how far the answers move without each block or layer", "blocks|layers" },
  { "data", 0, 0, G_OPTION_ARG_FILENAME, &data, "With --judge: data set (default: sample)", "DATA" },
  { "samples", 0, 0, G_OPTION_ARG_INT, &n_images, "With --judge: training pictures to measure on (default 256)", "N" },
  { NULL }
};

static const char *
kind_name (PjPartKind kind)
{
  return kind == PJ_PART_BRANCH ? "block" : "layer";
}

static void
show_part (CliTable *table, JsonArray *list, const PjGraph *graph, const PjPart *part, const double *scores)
{
  PjCost cost, all;
  pj_part_cost (graph, part, &cost);
  pj_graph_cost (graph, &all);
  double share = (double) cost.macs / (double) MAX (1, all.macs);
  g_autofree char *macs = cli_count ((double) cost.macs), *params = cli_count ((double) cost.learnable), *percent = cli_percent (share);
  gboolean judged = scores != NULL && scores[part->id] >= 0;
  g_autofree char *score = judged ? g_strdup_printf ("%.4g", scores[part->id]) : g_strdup ("");
  g_autofree char *verdict = part->lock_reason != NULL ? g_strdup_printf ("no: %s", part->lock_reason) : g_strdup ("yes");
  cli_table_add (table, part->name, kind_name (part->kind), macs, percent, params, score, verdict, NULL);
  JsonObject *object = json_object_new ();
  json_object_set_string_member (object, "name", part->name);
  json_object_set_string_member (object, "kind", kind_name (part->kind));
  cli_json_cost (object, &cost);
  if (judged)
    json_object_set_double_member (object, "kl", scores[part->id]);
  if (part->lock_reason != NULL)
    json_object_set_string_member (object, "lock_reason", part->lock_reason);
  json_array_add_object_element (list, object);
}

static void
show (Cli *cli, const PjGraph *graph, const PjParts *parts, const double *scores)
{
  JsonArray *list = json_array_new ();
  CliTable *table = cli_table_new ((const char *[]) { "part", "kind", ">MACs", ">of all", ">parameters", scores != NULL ? ">KL without it" : ">",
                                                      "can be removed", NULL });
  for (unsigned i = 0; i < pj_parts_n (parts); i++)
    show_part (table, list, graph, pj_parts_get (parts, i), scores);
  cli_table_print (table, cli);
  if (pj_parts_n (parts) == 0)
    cli_say (cli, "  No block has a shortcut, and no layer keeps the shape of its input.\n");
  json_object_set_array_member (cli->result, "parts", list);
}

static gboolean
judge_parts (Cli *cli, CliModel *model, const PjParts *parts, double *scores, GError **error)
{
  PjPartKind kind = strcmp (judge, "layers") == 0 ? PJ_PART_LAYER : PJ_PART_BRANCH;
  g_autofree char *where = NULL;
  g_autoptr (PjDataset) dataset = cli_open_data (cli, data, &where, error);
  PjWork work;
  return dataset != NULL && cli_work (cli, model, dataset, where, NULL, &work, error)
         && pj_work_judge_parts (&work, parts, kind, (unsigned) n_images, (uint64_t) cli->seed, scores, NULL, error);
}

static gboolean
run (Cli *cli, char **args, GError **error)
{
  g_auto (CliModel) model = { 0 };
  if (judge != NULL && strcmp (judge, "blocks") != 0 && strcmp (judge, "layers") != 0)
    return cli_usage (error, "--judge must be blocks or layers, not “%s”", judge);
  if (n_images < 0)
    return cli_usage (error, "--samples must be a number of pictures");
  if (!cli_open_model (cli, args[0], judge != NULL, &model, error))
    return FALSE;
  g_autoptr (PjParts) parts = pj_parts_new (model.graph);
  g_autofree double *scores = judge != NULL ? g_new0 (double, MAX (1, pj_parts_n (parts))) : NULL;
  if (judge != NULL && !judge_parts (cli, &model, parts, scores, error))
    return FALSE;
  show (cli, model.graph, parts, scores);
  return TRUE;
}

/* --- on the way of prune --- */

/* By part id, 1 for what goes; NULL with @error set. (transfer full) */
static guint8 *
choose (Cli *cli, PjWork *work, const PjParts *parts, const CliDrop *drop, GError **error)
{
  g_autofree guint8 *removed = g_malloc0 (MAX (1, pj_parts_n (parts)));
  g_autofree double *scores = g_new0 (double, MAX (1, pj_parts_n (parts)));
  if (!pj_work_named_parts (parts, PJ_PART_BRANCH, (const char *const *) drop->blocks, removed, error)
      || !pj_work_named_parts (parts, PJ_PART_LAYER, (const char *const *) drop->layers, removed, error))
    return NULL;
  if (drop->n_weakest > 0
      && (!pj_work_judge_parts (work, parts, PJ_PART_BRANCH, 0, (uint64_t) cli->seed, scores, NULL, error)
          || !pj_work_weakest_parts (parts, PJ_PART_BRANCH, scores, drop->n_weakest, removed, error)))
    return NULL;
  return g_steal_pointer (&removed);
}

/* "conv2=0,3" into @plan. */
static gboolean
mark_groups (const PjGraph *graph, const PjGroups *groups, const char *text, PjCutPlan *plan, GError **error)
{
  const char *equals = strrchr (text, '=');
  g_autofree char *name = equals != NULL ? g_strndup (text, (gsize) (equals - text)) : NULL;
  g_auto (GStrv) words = g_strsplit (equals != NULL ? equals + 1 : "", ",", -1);
  g_autofree int *numbers = g_new0 (int, g_strv_length (words) + 1);
  unsigned n = 0;
  for (char **word = words; *word != NULL; word++) {
    gint64 number;
    if (!g_ascii_string_to_signed (*word, 10, 0, G_MAXINT, &number, NULL))
      return cli_usage (error, "“%s” names no groups of a convolution: write --drop-groups CONV=0,3", text);
    numbers[n++] = (int) number;
  }
  if (n == 0)
    return cli_usage (error, "“%s” names no groups of a convolution: write --drop-groups CONV=0,3", text);
  return pj_grouped_drop (graph, groups, name, numbers, n, plan, error);
}

static PjCutPlan *
mark_all_groups (const PjGraph *graph, const PjGroups *groups, char **texts, GError **error)
{
  g_autoptr (PjCutPlan) plan = pj_cut_plan_new ();
  for (; texts != NULL && *texts != NULL; texts++)
    if (!mark_groups (graph, groups, *texts, plan, error))
      return NULL;
  return g_steal_pointer (&plan);
}

gboolean
cli_check_drop (const PjGraph *graph, const CliDrop *drop, GError **error)
{
  g_autoptr (PjParts) parts = pj_parts_new (graph);
  g_autoptr (PjGroups) groups = pj_groups_new (graph);
  g_autofree guint8 *removed = g_malloc0 (MAX (1, pj_parts_n (parts)));
  g_autoptr (PjCutPlan) plan = mark_all_groups (graph, groups, drop->groups, error);
  return plan != NULL && pj_work_named_parts (parts, PJ_PART_BRANCH, (const char *const *) drop->blocks, removed, error)
         && pj_work_named_parts (parts, PJ_PART_LAYER, (const char *const *) drop->layers, removed, error);
}

static gboolean
drop_parts (Cli *cli, CliModel *model, PjWork *work, const CliDrop *drop, JsonArray *names, GError **error)
{
  g_auto (PjWorkDone) done = { 0 };
  g_autoptr (PjParts) parts = pj_parts_new (model->graph);
  g_autofree guint8 *removed = choose (cli, work, parts, drop, error);
  PjGraph *small = removed != NULL ? pj_work_remove_parts (work, parts, removed, (uint64_t) cli->seed, model->accuracy, &done, error)
                                   : NULL;
  if (small == NULL)
    return FALSE;
  for (unsigned i = 0; i < pj_parts_n (parts); i++)
    if (removed[i]) {
      cli_note (cli, "Removed %s %s", kind_name (pj_parts_get (parts, i)->kind), pj_parts_get (parts, i)->name);
      json_array_add_string_element (names, pj_parts_get (parts, i)->name);
    }
  cli_model_advance (model, small, done.step);
  return TRUE;
}

static gboolean
drop_groups (Cli *cli, CliModel *model, PjWork *work, const CliDrop *drop, JsonArray *names, GError **error)
{
  g_auto (PjWorkDone) done = { 0 };
  g_autoptr (PjCutPlan) plan = mark_all_groups (model->graph, model->groups, drop->groups, error);
  if (plan == NULL)
    return FALSE;
  work->graph = model->graph;
  work->step = model->step;
  PjGraph *small = pj_work_cut (work, model->groups, plan, NULL, (uint64_t) cli->seed, model->accuracy, &done, error);
  if (small == NULL)
    return FALSE;
  for (char **text = drop->groups; *text != NULL; text++) {
    cli_note (cli, "Removed groups %s", *text);
    json_array_add_string_element (names, *text);
  }
  cli_model_advance (model, small, done.step);
  return TRUE;
}

gboolean
cli_drop (Cli *cli, CliModel *model, PjWork *work, const CliDrop *drop, GError **error)
{
  if (!json_object_has_member (cli->result, "removed"))
    json_object_set_array_member (cli->result, "removed", json_array_new ());
  JsonArray *names = json_object_get_array_member (cli->result, "removed");
  gboolean parts = drop->blocks != NULL || drop->layers != NULL || drop->n_weakest > 0;
  return (!parts || drop_parts (cli, model, work, drop, names, error))
         && (drop->groups == NULL || drop_groups (cli, model, work, drop, names, error));
}

const CliVerb cli_verb_parts = {
  .name = "parts",
  .arguments = "MODEL",
  .summary = "Lists residual blocks and layers that can be removed whole",
  .about = "Without a block its shortcut stays; a layer can be removed where its output has the shape of its input.  --judge removes\n"
           "each in turn and measures how far the class probabilities move (Kullback-Leibler divergence); the smallest are the least\n"
           "missed.  “prune --drop-block NAME” removes one.\n\n"
           "Examples:\n"
           "  penjing-cli parts model.onnx\n"
           "  penjing-cli parts model.onnx --judge blocks --data ~/photos\n"
           "  penjing-cli prune model.onnx --drop-block stage2.block3 --finetune 1 --out small.onnx",
  .entries = entries,
  .n_min = 1,
  .n_max = 1,
  .run = run,
};
