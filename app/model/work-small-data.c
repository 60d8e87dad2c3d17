/* SPDX-License-Identifier: MIT */
/* The small-data experiment:
 *
 *   network ─┬─ cut on the large set ─ train there ─ new head ─ train on the small set ──────────────── T1
 *            └─ new head ─ train on the small set ─┬─────────────────────────────────────────── transferred
 *                                                  └─ cut there ─┬─ train ──────────────────────────── T2
 *                                                                └─ mixup, distillation ─ labels ─ T2, CURL
 *
 * Every step of it is a stage: a part of the job, found again by its name. */
#include "model/work-small-data.h"

#include <math.h>
#include <string.h>

#include "data/expand.h"
#include "model/work-open.h"
#include "model/work-private.h"
#include "model/work-prune.h"
#include "model/work-settings.h"
#include "model/work-train.h"
#include "train/head.h"

static const PjField fields[] = {
  { "method", PJ_FIELD_TEXT, G_STRUCT_OFFSET (PjWorkSmallData, method) },
  { "macs", PJ_FIELD_DOUBLE, G_STRUCT_OFFSET (PjWorkSmallData, macs) },
  { "images", PJ_FIELD_UINT, G_STRUCT_OFFSET (PjWorkSmallData, n_images) },
  { "seed", PJ_FIELD_UINT64, G_STRUCT_OFFSET (PjWorkSmallData, seed) },
  { "epochs", PJ_FIELD_UINT, G_STRUCT_OFFSET (PjWorkSmallData, epochs) },
  { "large-epochs", PJ_FIELD_UINT, G_STRUCT_OFFSET (PjWorkSmallData, large_epochs) },
  { "batch", PJ_FIELD_UINT, G_STRUCT_OFFSET (PjWorkSmallData, batch) },
  { "lr", PJ_FIELD_DOUBLE, G_STRUCT_OFFSET (PjWorkSmallData, lr) },
  { "test", PJ_FIELD_UINT, G_STRUCT_OFFSET (PjWorkSmallData, n_test) },
  { "large", PJ_FIELD_TEXT, G_STRUCT_OFFSET (PjWorkSmallData, large) },
  { NULL }
};

void
pj_work_small_data_init (PjWorkSmallData *self)
{
  *self = (PjWorkSmallData) {
    .method = g_strdup ("curl"), .macs = 0.3, .lr = 0.01, .epochs = 20, .large_epochs = 2, .batch = 64, .seed = 1,
  };
}

void
pj_work_small_data_clear (PjWorkSmallData *self)
{
  pj_fields_clear (fields, self);
}

char *
pj_work_small_data_write (const PjWorkSmallData *self)
{
  return pj_fields_write (fields, self);
}

gboolean
pj_work_small_data_read (PjWorkSmallData *self, const char *text, GError **error)
{
  return pj_fields_read (fields, self, text, error);
}

void
pj_small_data_row_free (PjSmallDataRow *self)
{
  if (self == NULL)
    return;
  pj_graph_unref (self->graph);
  g_free (self);
}

const PjSmallDataRow *
pj_small_data_best (const GPtrArray *rows)
{
  const PjSmallDataRow *best = NULL;
  for (guint i = 0; i < rows->len; i++) {
    const PjSmallDataRow *row = rows->pdata[i];
    if (!g_str_equal (row->name, "transferred") && (best == NULL || row->top1 > best->top1))
      best = row;
  }
  return best;
}

/* --- networks on their ways --- */

/* @plan: (nullable): what was chosen to stay; @step: 0 without a session */
typedef struct {
  PjGraph *graph;
  PjCutPlan *plan;
  int64_t step;
} Net;

static void
net_clear (Net *self)
{
  g_clear_pointer (&self->graph, pj_graph_unref);
  g_clear_pointer (&self->plan, pj_cut_plan_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Net, net_clear)

/* @graph: (transfer full). A job that changed nothing made no step. */
static void
net_take (Net *self, PjGraph *graph, int64_t step)
{
  net_clear (self);
  self->graph = graph;
  self->step = step != 0 ? step : self->step;
}

static Net
net_copy (const Net *self)
{
  return (Net) { pj_graph_ref (self->graph), NULL, self->step };
}

/* --- stages --- */

typedef struct {
  PjWork work;                /* of the parts, without a network */
  PjDataset *large;           /* nullable */
  const PjWorkSmallData *settings;
  PjFormat format;            /* of the small set */
  GPtrArray *rows;
  PjSmallDataFunc func;
  gpointer data;
  PjHooksSpan span;           /* of the step at work */
  unsigned n_steps, n_done;
} Experiment;

/* The next of the long steps. */
static void
next_step (Experiment *self, const PjHooks *hooks, const char *what)
{
  pj_hooks_span_init (&self->span, hooks, (double) self->n_done / self->n_steps, (self->n_done + 1.0) / self->n_steps, what);
  self->n_done++;
}

typedef gboolean (*StageFunc) (Experiment *self, const PjWork *work, Net *net, gconstpointer data, GError **error);

static PjWork
part (Experiment *self, const Net *net, gboolean on_large, const char *name)
{
  PjWork work = self->work;
  work.graph = net->graph;
  work.step = net->step;
  work.stage = name;
  work.hooks = &self->span.hooks;
  if (on_large) {
    work.dataset = self->large;
    work.data = self->settings->large;
  }
  return work;
}

static gboolean
go_to (Experiment *self, Net *net, int64_t step, GError **error)
{
  g_auto (PjWorkPlace) place = { 0 };
  if (!pj_work_open_step (self->work.session, step, &place, error))
    return FALSE;
  net_take (net, g_steal_pointer (&place.graph), step);
  net->plan = g_steal_pointer (&place.plan);
  return TRUE;
}

/* Does the stage, or what is left of it. */
static gboolean
do_stage (Experiment *self, Net *net, gboolean on_large, const char *name, StageFunc func, gconstpointer data, GError **error)
{
  PjWork work = part (self, net, on_large, name);
  int64_t job, step;
  if (work.part_of == 0)
    return func (self, &work, net, data, error);
  if (!pj_work_find_stage (work.session, work.part_of, name, &job, &step, error))
    return FALSE;
  if (job != 0) {
    g_auto (PjWorkDone) done = { 0 };
    work.job = job;
    if (!pj_work_resume (&work, &done, error))
      return FALSE;
    step = done.step;
  }
  return step != 0 ? go_to (self, net, step, error) : func (self, &work, net, data, error);
}

static gboolean
choose (Experiment *self, const PjWork *work, Net *net, gconstpointer data, GError **error)
{
  g_auto (PjWorkDone) done = { 0 };
  g_auto (PjWorkChoose) choice;
  g_autoptr (PjGroups) groups = pj_groups_new (net->graph);

  pj_work_choose_init (&choice);
  g_free (choice.method);
  choice.method = g_strdup (self->settings->method);
  choice.macs = self->settings->macs;
  choice.n_images = self->settings->n_images;
  choice.seed = self->settings->seed;
  g_clear_pointer (&net->plan, pj_cut_plan_unref);
  net->plan = pj_work_choose (work, groups, &choice, NULL, &done, error);
  if (net->plan == NULL)
    return FALSE;
  net->step = done.step != 0 ? done.step : net->step;
  return TRUE;
}

static gboolean
cut (Experiment *self, const PjWork *work, Net *net, gconstpointer data, GError **error)
{
  g_auto (PjWorkDone) done = { 0 };
  g_autoptr (PjGroups) groups = pj_groups_new (net->graph);
  PjGraph *small = pj_work_cut (work, groups, net->plan, self->settings->method, self->settings->seed, NULL, &done, error);
  if (small == NULL)
    return FALSE;
  net_take (net, small, done.step);
  return TRUE;
}

static gboolean
recalibrate (Experiment *self, const PjWork *work, Net *net, gconstpointer data, GError **error)
{
  g_auto (PjWorkDone) done = { 0 };
  PjGraph *graph = pj_work_recalibrate (work, 0, self->settings->seed, &done, error);
  if (graph == NULL)
    return FALSE;
  net_take (net, graph, done.step);
  return TRUE;
}

static gboolean
train (Experiment *self, const PjWork *work, Net *net, gconstpointer data, GError **error)
{
  g_auto (PjWorkDone) done = { 0 };
  PjGraph *trained = pj_work_train (work, data, NULL, &done, error);
  if (trained == NULL)
    return FALSE;
  net_take (net, trained, done.step);
  return TRUE;
}

/* The classes of the small set; pictures come in as this set's do on all ways. */
static gboolean
new_head (Experiment *self, const PjWork *work, Net *net, gconstpointer data, GError **error)
{
  static const char title[] = "Replace the classifier";
  unsigned n_classes = pj_dataset_n_classes (work->dataset);
  PjWorkRun *run = pj_work_begin (work, "cut", title, NULL, self->settings->seed, error);
  if (run == NULL)
    return FALSE;
  g_autoptr (PjGraph) graph = pj_graph_with_head (work->graph, n_classes, self->settings->seed, error);
  g_autoptr (PjStepRecord) step = pj_step_record_new (PJ_STEP_CUT, 0, title);
  gboolean ok = graph != NULL;
  if (ok) {
    step->detail = g_strdup_printf ("%u classes of %s", n_classes, pj_dataset_name (work->dataset));
    pj_graph_set_meta (graph, PJ_NOTE_ACCURACY, NULL);
    pj_format_note (&self->format, graph);
    ok = pj_work_run_add_step (run, graph, step, error);
  }
  if (!pj_work_end (run, ok, g_strdup (step->detail), NULL, error))
    return FALSE;
  net_take (net, g_steal_pointer (&graph), step->id);
  return TRUE;
}

/* Cut on one of the sets, its norms measured again there. */
static gboolean
prune (Experiment *self, Net *net, gboolean on_large, const char *const names[3], GError **error)
{
  return do_stage (self, net, on_large, names[0], choose, NULL, error) && do_stage (self, net, on_large, names[1], cut, NULL, error)
         && do_stage (self, net, on_large, names[2], recalibrate, NULL, error);
}

/* --- rows --- */

/* What was measured before the process ended; a share of @n pictures is found again exactly. */
static gboolean
recall (const Experiment *self, PjSmallDataRow *row)
{
  g_autoptr (PjStepRecord) step = self->work.part_of != 0 ? pj_session_get_step (self->work.session, row->step, NULL) : NULL;
  g_autofree char *known = step != NULL ? pj_work_known_accuracy (self->work.session, step->model) : NULL;
  unsigned n_all = pj_dataset_n (self->work.dataset, PJ_SPLIT_TEST);
  unsigned n = self->settings->n_test > 0 ? MIN (self->settings->n_test, n_all) : n_all;
  const char *of = known != NULL ? strstr (known, " of ") : NULL;

  if (of == NULL || g_ascii_strtoull (of + 4, NULL, 10) != n)
    return FALSE;
  row->n = n;
  row->top1 = round (g_ascii_strtod (known, NULL) * n) / n;
  return TRUE;
}

static gboolean
measure (Experiment *self, PjSmallDataRow *row, const Net *net, GError **error)
{
  PjAccuracy accuracy;
  PjWork work = part (self, net, FALSE, row->name);
  if (!pj_work_evaluate (&work, self->settings->n_test, NULL, NULL, &accuracy, NULL, error))
    return FALSE;
  row->top1 = accuracy.top1;
  row->n = accuracy.n;
  pj_accuracy_clear (&accuracy);
  return TRUE;
}

static gboolean
add_row (Experiment *self, const char *name, const char *title, const Net *net, GError **error)
{
  PjSmallDataRow *row = g_new0 (PjSmallDataRow, 1);
  row->name = name;
  row->title = title;
  row->graph = pj_graph_ref (net->graph);
  row->step = net->step;
  g_ptr_array_add (self->rows, row);
  pj_graph_cost (net->graph, &row->cost);
  if (!recall (self, row) && !measure (self, row, net, error))
    return FALSE;
  if (self->func != NULL)
    self->func (row, self->data);
  return TRUE;
}

/* --- the ways --- */

static PjWorkTrain
plain (const Experiment *self, unsigned epochs)
{
  PjWorkTrain settings;
  pj_work_train_init (&settings);
  pj_train_options_init (&settings.options);
  settings.options.lr = (float) self->settings->lr;
  settings.options.batch = self->settings->batch;
  settings.options.epochs = epochs;
  settings.options.seed = self->settings->seed;
  return settings;
}

/* Prune on the large set, then transfer. */
static gboolean
run_t1 (Experiment *self, const Net *start, const PjHooks *hooks, GError **error)
{
  static const char *const names[] = { "t1-choose", "t1-cut", "t1-norms" };
  PjWorkTrain on_large = plain (self, self->settings->large_epochs), on_small = plain (self, self->settings->epochs);
  g_auto (Net) net = net_copy (start);

  next_step (self, hooks, "T1, pruning on the large set: ");
  if (!prune (self, &net, TRUE, names, error))
    return FALSE;
  if (self->settings->large_epochs > 0) {
    next_step (self, hooks, "T1, on the large set: ");
    if (!do_stage (self, &net, TRUE, "t1-large", train, &on_large, error))
      return FALSE;
  }
  next_step (self, hooks, "T1, on the small set: ");
  return do_stage (self, &net, FALSE, "t1-head", new_head, NULL, error)
         && do_stage (self, &net, FALSE, "t1-small", train, &on_small, error)
         && add_row (self, "t1", "T1: pruned, then transferred", &net, error);
}

/* The two stages of CURL in as many passes over the originals as there are epochs. @net: the cut network */
static gboolean
run_curl (Experiment *self, Net *net, const Net *teacher, const PjHooks *hooks, GError **error)
{
  unsigned epochs = self->settings->epochs, refining = MAX (1, epochs / (2 * PJ_EXPAND_VARIANTS));
  PjWorkTrain a = plain (self, 1), b = a;

  pj_train_options_curl_a (&a.options, epochs - PJ_EXPAND_VARIANTS * refining, pj_dataset_n (self->work.dataset, PJ_SPLIT_TRAIN));
  pj_train_options_curl_b (&b.options, refining);
  a.options.lr = (float) self->settings->lr;
  a.teacher_step = b.teacher_step = (uint64_t) teacher->step;
  a.teacher_graph = b.teacher_graph = teacher->step == 0 ? teacher->graph : NULL;
  next_step (self, hooks, "T2 by CURL, mixup and distillation: ");
  if (!do_stage (self, net, FALSE, "t2-mixup", train, &a, error))
    return FALSE;
  next_step (self, hooks, "T2 by CURL, label refinement: ");
  return do_stage (self, net, FALSE, "t2-labels", train, &b, error)
         && add_row (self, "t2-curl", "T2 with CURL's two stages", net, error);
}

/* Transfer, then prune on the small set. */
static gboolean
run_t2 (Experiment *self, const Net *start, const PjHooks *hooks, GError **error)
{
  static const char *const names[] = { "t2-choose", "t2-cut", "t2-norms" };
  PjWorkTrain settings = plain (self, self->settings->epochs);
  g_auto (Net) teacher = net_copy (start);

  next_step (self, hooks, "transfer: ");
  if (!do_stage (self, &teacher, FALSE, "transfer-head", new_head, NULL, error)
      || !do_stage (self, &teacher, FALSE, "transfer", train, &settings, error)
      || !add_row (self, "transferred", "transferred, not cut", &teacher, error))
    return FALSE;
  g_auto (Net) small = net_copy (&teacher);
  next_step (self, hooks, "T2, pruning on the small set: ");
  if (!prune (self, &small, FALSE, names, error))
    return FALSE;
  g_auto (Net) tuned = net_copy (&small);
  next_step (self, hooks, "T2: ");
  return do_stage (self, &tuned, FALSE, "t2-tune", train, &settings, error)
         && add_row (self, "t2", "T2: transferred, then pruned", &tuned, error) && run_curl (self, &small, &teacher, hooks, error);
}

/* --- the job --- */

/* All rows in one line: that is what the experiment was for. (transfer full) */
static char *
summary (const GPtrArray *rows)
{
  char *percent[4] = { NULL };
  for (guint i = 0; i < rows->len && i < G_N_ELEMENTS (percent); i++)
    percent[i] = pj_work_percent (((PjSmallDataRow *) rows->pdata[i])->top1);
  char *text = rows->len == 4
    ? g_strdup_printf ("T1 %s, not cut %s, T2 %s, T2 with CURL’s stages %s", percent[0], percent[1], percent[2], percent[3])
    : g_strdup_printf ("not cut %s, T2 %s, T2 with CURL’s stages %s", percent[0], percent[1], percent[2]);
  for (guint i = 0; i < G_N_ELEMENTS (percent); i++)
    g_free (g_steal_pointer (&percent[i]));
  return text;
}

static gboolean
run_ways (Experiment *self, const PjWork *work, const PjHooks *hooks, GError **error)
{
  g_auto (Net) start = { pj_graph_ref (work->graph), NULL, work->step };
  if (self->large != NULL && !run_t1 (self, &start, hooks, error))
    return FALSE;
  if (!run_t2 (self, &start, hooks, error))
    return FALSE;
  return work->session == NULL || pj_session_go_to (work->session, pj_small_data_best (self->rows)->step, error);
}

GPtrArray *
pj_work_small_data (const PjWork *work, PjDataset *large, const PjWorkSmallData *settings, PjSmallDataFunc func, gpointer data,
                    PjWorkDone *done, GError **error)
{
  g_autoptr (GPtrArray) rows = g_ptr_array_new_with_free_func ((GDestroyNotify) pj_small_data_row_free);
  Experiment self = {
    .work = *work, .large = large, .settings = settings, .rows = rows, .func = func, .data = data,
    .n_steps = 5 + (large == NULL ? 0 : settings->large_epochs > 0 ? 3 : 2),
  };

  if (done != NULL)
    memset (done, 0, sizeof *done);
  if (!pj_work_small_data_check (work, large, settings, error)
      || !pj_dataset_format_for (work->dataset, work->graph, FALSE, &self.format, error))
    return NULL;
  g_autofree char *text = pj_work_small_data_write (settings);
  PjWorkRun *run = pj_work_begin (work, "small-data", "Prune before or after a transfer", text, settings->seed, error);
  if (run == NULL)
    return NULL;
  self.work.job = 0;
  self.work.part_of = pj_work_run_job (run);
  gboolean ok = run_ways (&self, work, work->hooks, error);
  const PjSmallDataRow *best = ok ? pj_small_data_best (rows) : NULL;
  ok = pj_work_end (run, ok, ok ? summary (rows) : NULL, done, error);
  if (ok && done != NULL)
    done->step = best->step;
  return ok ? g_steal_pointer (&rows) : NULL;
}

gboolean
pj_work_small_data_resume (const PjWork *work, const char *text, PjWorkDone *done, GError **error)
{
  g_auto (PjWorkSmallData) settings;
  pj_work_small_data_init (&settings);
  if (!pj_work_small_data_read (&settings, text, error))
    return FALSE;
  g_autoptr (PjDataset) large = settings.large != NULL ? pj_work_open_data (settings.large, error) : NULL;
  if (settings.large != NULL && large == NULL)
    return FALSE;
  g_autoptr (GPtrArray) rows = pj_work_small_data (work, large, &settings, NULL, NULL, done, error);
  return rows != NULL;
}
