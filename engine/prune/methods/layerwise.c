/* SPDX-License-Identifier: MIT */
#include "prune/methods/layerwise.h"

#include "base/alloc.h"
#include "compute/plan.h"
#include "prune/budget/budget.h"
#include "prune/scores/calibration.h"
#include "prune/methods/channel-refit.h"
#include "prune/methods/layerwise-state.h"
#include "prune/reconstruct/reader.h"
#include "train/trainer.h"

#define BATCH 64

/* A reader with the targets of its sampled places. */
typedef struct {
  PjReader *reader;       /* borrowed */
  float *target;          /* pictures x places */
  PjGram *gram;
} Sampled;

/* A group to be cut. */
typedef struct {
  const PjGroup *group;
  int n_keep;
  GPtrArray *readers;     /* PjReader */
  GArray *sampled;        /* Sampled, one per reader */
} Task;

/* @between: training after each cut, or NULL for none: layers are then judged by the network as it is by then */
typedef struct {
  const PjScoring *scoring;
  const PjPruneSettings *settings;
  PjCalibration *pictures;
  GPtrArray *tasks;       /* Task, in network order */
  PjLayerwiseSelect select;
  PjLayerwiseMend mend;
  const PjTrainOptions *between;
} Layerwise;

static void
sampled_clear (gpointer data)
{
  Sampled *self = data;
  pj_free (self->target);
  pj_gram_free (self->gram);
}

static void
task_free (gpointer data)
{
  Task *self = data;
  g_ptr_array_unref (self->readers);
  g_array_unref (self->sampled);
  g_free (self);
}

/* --- what can be judged --- */

gboolean
pj_layerwise_fit (const PjMethod *self, const PjScoring *scoring, const PjGroup *group, GError **error)
{
  if (group->ties->len > 0) {
    g_set_error (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_UNFIT,
                 "“%s” is a residual stream, which %s leaves whole; set its keep ratio to 1 or use a criterion", group->name, self->title);
    return FALSE;
  }
  g_autoptr (GPtrArray) readers = pj_readers_new (scoring->graph, group);
  if (readers->len == 0) {
    g_set_error (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_UNFIT, "“%s” is read by no layer whose output could be rebuilt", group->name);
    return FALSE;
  }
  unsigned n = scoring->dataset != NULL ? pj_calibration_count (scoring, PJ_LAYERWISE_IMAGES) : G_MAXUINT;
  /* Ten samples per unknown, and ten per picture. */
  if (n < (unsigned) group->n_channels) {
    g_set_error (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_UNFIT,
                 "“%s”: %u pictures are too few to judge %d channels; use at least %d", group->name, n,
                 group->n_channels, group->n_channels);
    return FALSE;
  }
  return TRUE;
}

static gboolean
add_task (Layerwise *self, const PjGroup *group, int n_keep, GError **error)
{
  Task *task = g_new0 (Task, 1);

  g_ptr_array_add (self->tasks, task);
  task->group = group;
  task->n_keep = n_keep;
  task->readers = pj_readers_new (self->scoring->graph, group);
  task->sampled = g_array_new (FALSE, TRUE, sizeof (Sampled));
  g_array_set_clear_func (task->sampled, sampled_clear);
  for (guint i = 0; i < task->readers->len; i++) {
    Sampled sampled = { .reader = task->readers->pdata[i] };
    size_t n = (size_t) self->pictures->n_images * PJ_LAYERWISE_PLACES;
    sampled.target = pj_alloc (n * sizeof (float), "sampled outputs", error);
    sampled.gram = sampled.target != NULL ? pj_gram_new (group->n_channels, error) : NULL;
    g_array_append_val (task->sampled, sampled);
    if (sampled.gram == NULL)
      return FALSE;
  }
  return TRUE;
}

static gboolean
make_tasks (Layerwise *self, const PjPruneSettings *settings, GError **error)
{
  for (unsigned i = 0; i < pj_groups_n (self->scoring->groups); i++) {
    const PjGroup *group = pj_groups_get (self->scoring->groups, i);
    int k = settings->ratios[i] == 1 ? group->n_channels : pj_group_keep_count (group, settings->ratios[i], settings->multiple);
    if (k < group->n_channels && !add_task (self, group, k, error))
      return FALSE;
  }
  return TRUE;
}

/* --- passes --- */

/* The rows of one batch of one reader: @x pictures x places x channels. */
static void
make_rows (const PjReader *reader, const PjBatch *batch, uint64_t seed, unsigned first, const float *in, float *x)
{
  size_t size = pj_reader_n_elems (reader);

  for (unsigned n = 0; n < batch->n; n++) {
    PjPlace places[PJ_LAYERWISE_PLACES];
    pj_reader_places (reader, seed, first + n, places, PJ_LAYERWISE_PLACES);
    for (int p = 0; p < PJ_LAYERWISE_PLACES; p++)
      pj_reader_row (reader, in + n * size, places[p], x + ((size_t) n * PJ_LAYERWISE_PLACES + p) * reader->n_channels);
  }
}

/* Reference pass: the target is the sum of all contributions. */
static void
keep_targets (Sampled *self, const float *x, size_t first, size_t n_rows)
{
  int c = self->reader->n_channels;

  for (size_t r = 0; r < n_rows; r++) {
    double sum = 0;
    for (int j = 0; j < c; j++)
      sum += x[r * c + j];
    self->target[first + r] = (float) sum;
  }
}

static int
compare_int (gconstpointer a, gconstpointer b)
{
  return *(const int *) a - *(const int *) b;
}

/* Distinct values that the readers of @tasks read, ascending. */
static GArray *
read_values (const GPtrArray *tasks)
{
  GArray *values = g_array_new (FALSE, FALSE, sizeof (int));
  g_autoptr (GHashTable) seen = g_hash_table_new (NULL, NULL);

  for (guint t = 0; t < tasks->len; t++) {
    const Task *task = tasks->pdata[t];
    for (guint i = 0; i < task->readers->len; i++) {
      int value = ((const PjReader *) task->readers->pdata[i])->value;
      if (g_hash_table_add (seen, GINT_TO_POINTER (value)))
        g_array_append_val (values, value);
    }
  }
  g_array_sort (values, compare_int);
  return values;
}

/* Elements of the largest value and of the longest row. */
static void
find_sizes (const GPtrArray *tasks, size_t *value, size_t *row)
{
  *value = *row = 1;
  for (guint t = 0; t < tasks->len; t++) {
    const Task *task = tasks->pdata[t];
    *row = MAX (*row, (size_t) task->group->n_channels);
    for (guint i = 0; i < task->readers->len; i++)
      *value = MAX (*value, pj_reader_n_elems (task->readers->pdata[i]));
  }
}

static gboolean
pass_batch (Layerwise *self, PjPlan *plan, const GPtrArray *tasks, gboolean reference, const PjBatch *batch,
            unsigned first, float *in, float *x, GError **error)
{
  if (!pj_plan_set_images (plan, batch->images, error) || !pj_plan_forward (plan, NULL, error))
    return FALSE;
  for (guint t = 0; t < tasks->len; t++) {
    const Task *task = tasks->pdata[t];
    for (guint i = 0; i < task->sampled->len; i++) {
      Sampled *sampled = &g_array_index (task->sampled, Sampled, i);
      size_t start = (size_t) first * PJ_LAYERWISE_PLACES, n_rows = (size_t) batch->n * PJ_LAYERWISE_PLACES;
      if (!pj_plan_read_value (plan, sampled->reader->value, in, error))
        return FALSE;
      make_rows (sampled->reader, batch, self->scoring->seed, first, in, x);
      if (reference || self->between != NULL)
        keep_targets (sampled, x, start, n_rows);
      if (!reference)
        pj_gram_add (sampled->gram, x, sampled->target + start, n_rows);
    }
  }
  return TRUE;
}

/* Runs @graph over all pictures for the readers of @tasks. */
static gboolean
run_pass (Layerwise *self, PjGraph *graph, const GPtrArray *tasks, gboolean reference, const PjHooks *hooks,
          const char *what, GError **error)
{
  g_autoptr (PjParams) params = pj_params_new (self->scoring->device, graph, FALSE, error);
  if (params == NULL)
    return FALSE;
  g_autoptr (GArray) values = read_values (tasks);
  PjPlanOptions options = {
    .batch = self->pictures->batch, .mode = PJ_PLAN_INFER, .prefix = TRUE,
    .observed = (const int *) values->data, .n_observed = values->len,
  };
  g_autoptr (PjPlan) plan = pj_plan_new (graph, params, &options, error);
  if (plan == NULL)
    return FALSE;
  size_t value, row;
  find_sizes (tasks, &value, &row);
  float *in = pj_alloc (value * options.batch * sizeof (float), "activations of one batch", error);
  float *x = in != NULL ? pj_alloc (row * options.batch * PJ_LAYERWISE_PLACES * sizeof (float), "sampled rows", error) : NULL;
  gboolean ok = x != NULL;
  GError *reason = NULL;
  const PjBatch *batch;
  unsigned n = 0;

  pj_calibration_rewind (self->pictures);
  while (ok && (batch = pj_calibration_next (self->pictures, hooks, what, n, &reason)) != NULL) {
    ok = pass_batch (self, plan, tasks, reference, batch, n, in, x, &reason);
    n += batch->n;
  }
  pj_free (in);
  pj_free (x);
  if (reason == NULL)
    return ok;
  g_propagate_error (error, reason);
  return FALSE;
}

/* --- one group --- */

/* Lets the readers of @task read from @graph, in which other groups were cut. */
static gboolean
follow (const Task *task, const PjGraph *graph, GError **error)
{
  g_autoptr (PjGroups) groups = pj_groups_new (graph);
  const PjGroup *group = pj_groups_find (groups, task->group->name);
  g_autoptr (GPtrArray) readers = group != NULL ? pj_readers_new (graph, group) : NULL;
  gboolean same = readers != NULL && readers->len == task->readers->len;

  for (guint i = 0; same && i < readers->len; i++)
    same = pj_reader_follow (task->readers->pdata[i], readers->pdata[i]);
  if (!same)
    g_set_error (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_UNFIT, "“%s” is not the same group after the cuts before it", task->group->name);
  return same;
}

static PjGram *
sum_up (const Task *task, GError **error)
{
  g_autoptr (PjGram) sum = pj_gram_new (task->group->n_channels, error);

  if (sum == NULL)
    return NULL;
  for (guint i = 0; i < task->sampled->len; i++) {
    const PjGram *gram = g_array_index (task->sampled, Sampled, i).gram;
    double voice = task->sampled->len == 1 || !(gram->yy > 0) ? 1 : 1 / gram->yy;
    pj_gram_merge (sum, gram, voice);
  }
  return g_steal_pointer (&sum);
}

void
pj_layerwise_by_order (const PjGram *gram, PjGramOrder how, double *score)
{
  g_autofree int *order = g_new (int, gram->n);

  pj_gram_order (gram, how, order);
  for (int i = 0; i < gram->n; i++)
    score[order[i]] = (i + 1.0) / gram->n;
}

/* What stays of one group, and factors if they are to mend. */
static gboolean
decide (const Layerwise *self, const Task *task, gboolean factors, PjCutPlan *plan, double *score, GError **error)
{
  int n = task->group->n_channels;
  g_autoptr (PjGram) gram = sum_up (task, error);
  if (gram == NULL)
    return FALSE;
  g_autofree guint8 *keep = g_malloc (n);
  g_autofree double *w = g_new (double, n);
  g_autofree float *scale = g_new (float, n);

  self->select (gram, task->n_keep, score);
  pj_group_keep_top (task->group, score, task->n_keep, keep);
  if (factors)
    pj_gram_fit (gram, keep, w, NULL);
  for (int c = 0; factors && c < n; c++)
    scale[c] = (float) w[c];
  pj_cut_plan_set (plan, task->group, keep, factors ? scale : NULL);
  return TRUE;
}

/* The readers' weights as they are by now, where training moves them. */
static void
take_weights (const Layerwise *self, Task *task, const PjCutPlan *plan)
{
  const PjGraph *source = pj_cut_plan_source (plan, self->scoring->graph);
  for (guint i = 0; self->between != NULL && i < task->readers->len; i++) {
    PjReader *reader = task->readers->pdata[i];
    reader->weight = pj_blob_data (pj_graph_value (source, pj_graph_node (source, reader->node)->inputs[1])->data);
  }
}

static gboolean
refit (Layerwise *self, const Task *task, PjGraph *before, const PjHooks *hooks, PjCutPlan *plan, GError **error)
{
  const PjScoring *scoring = self->scoring;
  g_autoptr (PjGraph) changed =
    pj_channel_refit (scoring, self->pictures, self->between != NULL ? before : scoring->graph, before,
                      pj_cut_plan_source (plan, scoring->graph), task->readers,
                      pj_cut_plan_get (plan, task->group->id)->keep, hooks, error);
  if (changed != NULL)
    pj_cut_plan_set_weights (plan, changed);
  return changed != NULL;
}

/* Trains the network as cut so far; what it learns, factors included, goes back into the whole one. */
static gboolean
train (Layerwise *self, const PjHooks *hooks, PjCutPlan *plan, GError **error)
{
  const PjScoring *s = self->scoring;
  g_autoptr (PjGraph) small = pj_cut (s->graph, s->groups, plan, error);
  g_autoptr (PjGraph) trained = small == NULL ? NULL
    : pj_train (s->device, small, s->dataset, s->format, self->between, NULL, NULL, NULL, NULL, 0, hooks, NULL, error);
  g_autoptr (PjGraph) whole = trained != NULL ? pj_cut_put_back (s->graph, s->groups, plan, trained, error) : NULL;
  if (whole == NULL)
    return FALSE;
  for (unsigned i = 0; i < plan->n_cuts; i++)
    g_clear_pointer (&plan->cuts[i].scale, g_free);
  pj_cut_plan_set_weights (plan, whole);
  return TRUE;
}

static gboolean
choose_group (Layerwise *self, Task *task, const PjHooks *hooks, PjCutPlan *plan, double *score, GError **error)
{
  const PjScoring *scoring = self->scoring;
  gboolean new_weights = self->mend == PJ_LAYERWISE_WEIGHTS && pj_channel_refit_fits (scoring->graph, task->readers);
  g_autoptr (PjGraph) graph = pj_cut (scoring->graph, scoring->groups, plan, error);
  g_autoptr (GPtrArray) alone = g_ptr_array_new ();

  if (graph == NULL || !follow (task, graph, error))
    return FALSE;
  take_weights (self, task, plan);
  g_ptr_array_add (alone, task);
  return run_pass (self, graph, alone, FALSE, hooks, task->group->name, error)
         && decide (self, task, self->mend != PJ_LAYERWISE_NONE && !new_weights, plan, score, error)
         && (!new_weights || refit (self, task, graph, hooks, plan, error))
         && (self->between == NULL || train (self, hooks, plan, error));
}

/* --- all groups --- */

static PjScores *
scores_new (const Layerwise *self, const char *name)
{
  PjScores *scores = g_new0 (PjScores, 1);

  scores->criterion = g_strdup (name);
  scores->seed = self->scoring->seed;
  scores->n_images = self->pictures->n_images;
  scores->n_groups = self->tasks->len;
  scores->groups = g_new0 (PjGroupScores, self->tasks->len);
  for (guint t = 0; t < self->tasks->len; t++) {
    const PjGroup *group = ((const Task *) self->tasks->pdata[t])->group;
    scores->groups[t] = (PjGroupScores) { group->id, group->n_channels, g_new0 (double, group->n_channels), NULL };
  }
  return scores;
}

/* Groups that an earlier run had decided. */
static gboolean
restore (Layerwise *self, PjCutPlan *plan, PjScores *scores, unsigned *n_done, GError **error)
{
  const PjMethodLife *life = self->settings->life;
  *n_done = 0;
  return life == NULL || life->resume == NULL
         || pj_layerwise_restore (life->resume, self->scoring, plan, scores, n_done, error);
}

static gboolean
save (Layerwise *self, const PjCutPlan *plan, const PjScores *scores, unsigned n_done, GError **error)
{
  const PjMethodLife *life = self->settings->life;
  if (life == NULL || life->save == NULL)
    return TRUE;
  g_autoptr (GBytes) state = pj_layerwise_save (self->scoring, plan, scores, n_done, error);
  return state != NULL && life->save (n_done, state, life->data, error);
}

static gboolean
choose_all (Layerwise *self, PjCutPlan *plan, PjScores *scores, GError **error)
{
  double n_passes = self->tasks->len + 1;
  PjHooksSpan span;
  unsigned first;

  if (!restore (self, plan, scores, &first, error))
    return FALSE;
  pj_hooks_span_init (&span, self->scoring->hooks, 0, 1 / n_passes, NULL);
  if (first < self->tasks->len && self->between == NULL
      && !run_pass (self, self->scoring->graph, self->tasks, TRUE, &span.hooks, "reference outputs", error))
    return FALSE;
  for (guint t = first; t < self->tasks->len; t++) {
    pj_hooks_span_init (&span, self->scoring->hooks, (t + 1) / n_passes, (t + 2) / n_passes, NULL);
    if (!choose_group (self, self->tasks->pdata[t], &span.hooks, plan, scores->groups[t].score, error)
        || !save (self, plan, scores, t + 1, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
read_between (const PjMethod *method, const PjScoring *scoring, const PjPruneSettings *settings, PjTrainOptions *options)
{
  pj_train_options_init (options);
  options->epochs = (unsigned) pj_method_value (method, settings, "between-epochs");
  options->max_steps = (unsigned) pj_method_value (method, settings, "between-steps");
  options->lr = (float) pj_method_value (method, settings, "between-lr");
  options->schedule = PJ_SCHEDULE_CONSTANT;
  options->seed = scoring->seed;
  options->batch = MIN (options->batch, MAX (1, pj_dataset_n (scoring->dataset, PJ_SPLIT_TRAIN)));
  return options->epochs > 0 || options->max_steps > 0;
}

gboolean
pj_layerwise_check (const PjMethod *method, const PjScoring *scoring, const PjPruneSettings *settings, GError **error)
{
  PjTrainOptions between;
  unsigned classes = pj_dataset_n_classes (scoring->dataset), outputs = pj_graph_n_classes (scoring->graph);

  if (!read_between (method, scoring, settings, &between) || classes == outputs)
    return TRUE;
  g_set_error (error, PJ_DATA_ERROR, PJ_DATA_ERROR_MISMATCH,
               "training between the layers needs labels, and the network tells %u classes apart while “%s” has %u; "
               "use between-epochs=0 or other pictures", outputs, pj_dataset_name (scoring->dataset), classes);
  return FALSE;
}

void
pj_layerwise_work (const PjMethod *method, const PjScoring *scoring, const PjPruneSettings *settings, double *forward,
                   double *trained)
{
  unsigned n = pj_calibration_count (scoring, PJ_LAYERWISE_IMAGES), n_train = pj_dataset_n (scoring->dataset, PJ_SPLIT_TRAIN);
  PjTrainOptions between;
  double n_cut = 0;

  for (unsigned i = 0; i < pj_groups_n (scoring->groups); i++)
    n_cut += settings->ratios != NULL && settings->ratios[i] < 1;
  *forward = (n_cut + 1) * n;
  *trained = 0;
  if (!read_between (method, scoring, settings, &between))
    return;
  double most = between.epochs > 0 ? (double) between.epochs * n_train : G_MAXDOUBLE;
  *trained = n_cut * (between.max_steps > 0 ? MIN (most, (double) between.max_steps * between.batch) : most);
}

PjCutPlan *
pj_layerwise_choose (const PjMethod *method, const PjScoring *scoring, const PjPruneSettings *settings,
                     PjLayerwiseSelect select, PjLayerwiseMend mend, PjScores **scores, GError **error)
{
  PjTrainOptions between;

  if (!pj_prune_settings_check (method, scoring, settings, error))
    return NULL;
  g_autoptr (PjCalibration) pictures = pj_calibration_new (scoring, PJ_LAYERWISE_IMAGES, BATCH, error);
  if (pictures == NULL)
    return NULL;
  g_autoptr (GPtrArray) tasks = g_ptr_array_new_with_free_func (task_free);
  gboolean trains = read_between (method, scoring, settings, &between);
  Layerwise self = { scoring, settings, pictures, tasks, select, mend, trains ? &between : NULL };
  if (!make_tasks (&self, settings, error))
    return NULL;
  g_autoptr (PjCutPlan) plan = pj_cut_plan_new ();
  g_autoptr (PjScores) order = scores_new (&self, method->name);
  if (!choose_all (&self, plan, order, error))
    return NULL;
  if (scores != NULL)
    *scores = g_steal_pointer (&order);
  return g_steal_pointer (&plan);
}
