/* SPDX-License-Identifier: MIT */
#include "prune/small-data.h"

#include "base/error.h"
#include "train/evaluate.h"
#include "train/head.h"

typedef struct {
  const PjScoring *scoring;
  const PjSmallDataOptions *options;
  PjDataset *small;
  PjFormat format;            /* of the small set */
  GPtrArray *rows;
  PjSmallDataFunc func;
  gpointer data;
  PjHooksSpan span;           /* of the step at work */
  unsigned n_steps, n_done;
} Experiment;

void
pj_small_data_row_free (PjSmallDataRow *self)
{
  if (self == NULL)
    return;
  pj_graph_unref (self->graph);
  g_free (self);
}

/* Hooks for the next of the long steps. */
static const PjHooks *
next_step (Experiment *self, const char *what)
{
  pj_hooks_span_init (&self->span, self->scoring->hooks, (double) self->n_done / self->n_steps, (self->n_done + 1.0) / self->n_steps, what);
  self->n_done++;
  return &self->span.hooks;
}

static gboolean
add_row (Experiment *self, const char *name, const char *title, PjGraph *graph, GError **error)
{
  PjSmallDataRow *row = g_new0 (PjSmallDataRow, 1);
  PjAccuracy accuracy;

  row->name = name;
  row->title = title;
  row->graph = pj_graph_ref (graph);
  g_ptr_array_add (self->rows, row);
  pj_graph_cost (graph, &row->cost);
  if (!pj_evaluate (self->scoring->device, graph, self->small, PJ_SPLIT_TEST, &self->format, self->options->n_test, NULL, NULL,
                    &self->span.hooks, &accuracy, error))
    return FALSE;
  row->top1 = accuracy.top1;
  row->n = accuracy.n;
  pj_accuracy_clear (&accuracy);
  if (self->func != NULL)
    self->func (row, self->data);
  return TRUE;
}

static PjGraph *
train (Experiment *self, PjGraph *graph, PjDataset *dataset, const PjFormat *format, const PjTrainOptions *options, PjGraph *teacher,
       const char *what, GError **error)
{
  return pj_train (self->scoring->device, graph, dataset, format, options, teacher, NULL, NULL, NULL, 0, next_step (self, what), NULL, error);
}

/* Cut on @dataset, its norms measured again there. */
static PjGraph *
prune (Experiment *self, PjGraph *graph, PjDataset *dataset, const PjFormat *format, const char *what, GError **error)
{
  const PjSmallDataOptions *o = self->options;
  g_autoptr (PjGroups) groups = pj_groups_new (graph);
  PjScoring scoring = *self->scoring;
  PjPruneSettings settings = { .global = TRUE, .kind = PJ_BUDGET_MACS, .target = o->target, .values = o->values };

  scoring.graph = graph;
  scoring.groups = groups;
  scoring.dataset = dataset;
  scoring.format = format;
  scoring.n_images = o->n_images;
  scoring.seed = o->seed;
  scoring.hooks = next_step (self, what);
  if (!pj_prune_settings_check (o->method, &scoring, &settings, error))
    return NULL;
  g_autoptr (PjCutPlan) plan = o->method->choose (o->method, &scoring, &settings, NULL, error);
  g_autoptr (PjGraph) cut = plan != NULL ? pj_cut (graph, groups, plan, error) : NULL;
  return cut != NULL ? pj_recalibrate (scoring.device, cut, dataset, format, 0, o->seed, scoring.hooks, error) : NULL;
}

/* --- the ways --- */

static PjTrainOptions
plain (const Experiment *self, unsigned epochs)
{
  PjTrainOptions options = self->options->tune;
  options.epochs = epochs;
  options.seed = self->options->seed;
  return options;
}

/* Prune on the large set, then transfer. */
static gboolean
run_t1 (Experiment *self, GError **error)
{
  const PjScoring *s = self->scoring;
  PjTrainOptions on_large = plain (self, self->options->large_epochs), on_small = plain (self, self->options->epochs);
  g_autoptr (PjGraph) cut = prune (self, s->graph, s->dataset, s->format, "T1, pruning on the large set: ", error);
  if (cut == NULL)
    return FALSE;
  g_autoptr (PjGraph) tuned = on_large.epochs > 0 ? train (self, cut, s->dataset, s->format, &on_large, NULL, "T1, on the large set: ", error)
                                                  : pj_graph_ref (cut);
  g_autoptr (PjGraph) moved = tuned != NULL ? pj_graph_with_head (tuned, pj_dataset_n_classes (self->small), self->options->seed, error) : NULL;
  g_autoptr (PjGraph) last = moved != NULL ? train (self, moved, self->small, &self->format, &on_small, NULL, "T1, on the small set: ", error) : NULL;
  return last != NULL && add_row (self, "t1", "T1: pruned, then transferred", last, error);
}

/* The two stages of CURL in as many passes over the originals as @epochs. */
static PjGraph *
run_stages (Experiment *self, PjGraph *cut, PjGraph *teacher, GError **error)
{
  unsigned epochs = self->options->epochs, refining = MAX (1, epochs / (2 * PJ_EXPAND_VARIANTS));
  PjTrainOptions a = plain (self, 1), b = a;

  pj_train_options_curl_a (&a, epochs - PJ_EXPAND_VARIANTS * refining, pj_dataset_n (self->small, PJ_SPLIT_TRAIN));
  pj_train_options_curl_b (&b, refining);
  a.lr = self->options->tune.lr;
  g_autoptr (PjGraph) first = train (self, cut, self->small, &self->format, &a, teacher, "T2 by CURL, mixup and distillation: ", error);
  return first != NULL ? train (self, first, self->small, &self->format, &b, teacher, "T2 by CURL, label refinement: ", error) : NULL;
}

/* Transfer, then prune on the small set. */
static gboolean
run_t2 (Experiment *self, GError **error)
{
  PjTrainOptions options = plain (self, self->options->epochs);
  g_autoptr (PjGraph) moved = pj_graph_with_head (self->scoring->graph, pj_dataset_n_classes (self->small), self->options->seed, error);
  g_autoptr (PjGraph) teacher = moved != NULL ? train (self, moved, self->small, &self->format, &options, NULL, "transfer: ", error) : NULL;
  if (teacher == NULL || !add_row (self, "transferred", "transferred, not cut", teacher, error))
    return FALSE;
  g_autoptr (PjGraph) cut = prune (self, teacher, self->small, &self->format, "T2, pruning on the small set: ", error);
  g_autoptr (PjGraph) tuned = cut != NULL ? train (self, cut, self->small, &self->format, &options, NULL, "T2: ", error) : NULL;
  if (tuned == NULL || !add_row (self, "t2", "T2: transferred, then pruned", tuned, error))
    return FALSE;
  g_autoptr (PjGraph) refined = run_stages (self, cut, teacher, error);
  return refined != NULL && add_row (self, "t2-curl", "T2 with CURL's two stages", refined, error);
}

static gboolean
check (const PjScoring *scoring, PjDataset *small, const PjSmallDataOptions *o, GError **error)
{
  if (o->epochs < PJ_SMALL_DATA_LEAST_EPOCHS) {
    g_set_error (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_SETTING,
                 "%u epochs on the small set are too few: an epoch of label refinement counts as six; use at least %d", o->epochs,
                 PJ_SMALL_DATA_LEAST_EPOCHS);
    return FALSE;
  }
  if (!o->method->gives_scores || o->method->fresh != PJ_FRESH_NO) {
    g_set_error (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_SETTING,
                 "%s does not choose under a budget of multiply-adds, which this experiment keeps equal; use curl or a criterion",
                 o->method->title);
    return FALSE;
  }
  if (pj_dataset_n (small, PJ_SPLIT_TRAIN) < 32) {
    g_set_error (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_SETTING, "“%s” has %u training pictures; label refinement needs a batch of 32",
                 pj_dataset_name (small), pj_dataset_n (small, PJ_SPLIT_TRAIN));
    return FALSE;
  }
  return TRUE;
}

GPtrArray *
pj_small_data (const PjScoring *scoring, PjDataset *small, const PjSmallDataOptions *options, PjSmallDataFunc func, gpointer data,
               GError **error)
{
  g_autoptr (GPtrArray) rows = g_ptr_array_new_with_free_func ((GDestroyNotify) pj_small_data_row_free);
  Experiment self = { .scoring = scoring, .options = options, .small = small, .rows = rows, .func = func, .data = data, .n_steps = 5 };

  if (!check (scoring, small, options, error) || !pj_dataset_format_for (small, scoring->graph, FALSE, &self.format, error))
    return NULL;
  if (scoring->dataset != NULL)
    self.n_steps += options->large_epochs > 0 ? 3 : 2;
  if (scoring->dataset != NULL && !run_t1 (&self, error))
    return NULL;
  return run_t2 (&self, error) ? g_steal_pointer (&rows) : NULL;
}
