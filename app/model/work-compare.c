/* SPDX-License-Identifier: MIT */
/* The comparison as a job: every row is stored as soon as it is measured. */
#include "model/work-compare.h"

#include <string.h>

#include "base/error.h"
#include "model/work-private.h"
#include "model/work-prune.h"
#include "model/work-settings.h"
#include "session/model.h"

static const PjField fields[] = {
  { "method", PJ_FIELD_LIST, G_STRUCT_OFFSET (PjWorkCompare, methods) },
  { "ratio", PJ_FIELD_LIST, G_STRUCT_OFFSET (PjWorkCompare, ratios) },
  { "seeds", PJ_FIELD_LIST, G_STRUCT_OFFSET (PjWorkCompare, seeds) },
  { "drawn", PJ_FIELD_UINT, G_STRUCT_OFFSET (PjWorkCompare, n_drawn) },
  { "starts", PJ_FIELD_UINT, G_STRUCT_OFFSET (PjWorkCompare, starts) },
  { "layer-test", PJ_FIELD_UINT, G_STRUCT_OFFSET (PjWorkCompare, n_layer_test) },
  { "recalibrate", PJ_FIELD_BOOL, G_STRUCT_OFFSET (PjWorkCompare, recalibrate) },
  { "images", PJ_FIELD_UINT, G_STRUCT_OFFSET (PjWorkCompare, n_images) },
  { "test", PJ_FIELD_UINT, G_STRUCT_OFFSET (PjWorkCompare, n_test) },
  { "seed", PJ_FIELD_UINT64, G_STRUCT_OFFSET (PjWorkCompare, seed) },
  { "tune-epochs", PJ_FIELD_UINT, G_STRUCT_OFFSET (PjWorkCompare, tune.epochs) },
  { "tune-max-steps", PJ_FIELD_UINT, G_STRUCT_OFFSET (PjWorkCompare, tune.max_steps) },
  { "tune-batch", PJ_FIELD_UINT, G_STRUCT_OFFSET (PjWorkCompare, tune.batch) },
  { "tune-lr", PJ_FIELD_FLOAT, G_STRUCT_OFFSET (PjWorkCompare, tune.lr) },
  { "tune-momentum", PJ_FIELD_FLOAT, G_STRUCT_OFFSET (PjWorkCompare, tune.momentum) },
  { "tune-weight-decay", PJ_FIELD_FLOAT, G_STRUCT_OFFSET (PjWorkCompare, tune.weight_decay) },
  { "tune-crop", PJ_FIELD_INT, G_STRUCT_OFFSET (PjWorkCompare, tune.crop) },
  { "tune-flip", PJ_FIELD_BOOL, G_STRUCT_OFFSET (PjWorkCompare, tune.flip) },
  { "tune-seed", PJ_FIELD_UINT64, G_STRUCT_OFFSET (PjWorkCompare, tune.seed) },
  { NULL }
};

void
pj_work_compare_init (PjWorkCompare *self)
{
  memset (self, 0, sizeof *self);
  pj_train_options_init (&self->tune);
  self->tune.epochs = self->tune.max_steps = 0;
  self->tune.lr = 0.01f;
  self->recalibrate = TRUE;
  self->seed = 1;
  self->n_drawn = 3;
  self->n_layer_test = PJ_COMPARE_LAYER_TEST;
}

void
pj_work_compare_clear (PjWorkCompare *self)
{
  pj_fields_clear (fields, self);
}

char *
pj_work_compare_write (const PjWorkCompare *self)
{
  return pj_fields_write (fields, self);
}

gboolean
pj_work_compare_read (PjWorkCompare *self, const char *text, GError **error)
{
  return pj_fields_read (fields, self, text, error);
}

/* --- stored comparisons --- */

/* One a line. */
static unsigned
count_classes (const char *classes)
{
  unsigned n = classes != NULL && *classes != '\0';
  for (const char *c = classes; c != NULL && *c != '\0'; c++)
    n += *c == '\n';
  return n;
}

PjComparison *
pj_work_comparison (const PjGroups *groups, const PjComparisonRecord *record, GError **error)
{
  g_autoptr (PjComparison) comparison = g_new0 (PjComparison, 1);
  comparison->base_cost.macs = record->base_macs;
  comparison->base_cost.learnable = record->base_params;
  comparison->base_accuracy = record->base_accuracy;
  comparison->base_images_per_second = record->base_images_per_second;
  comparison->n_test = record->n_test;
  comparison->classes = g_strdup (record->classes);
  comparison->n_classes = count_classes (record->classes);
  comparison->labels = g_memdup2 (record->labels, record->labels != NULL ? record->n_test * sizeof (uint16_t) : 0);
  comparison->answers = g_memdup2 (record->answers, record->answers != NULL ? record->n_test * sizeof (uint16_t) : 0);
  comparison->rows = g_ptr_array_new_with_free_func ((GDestroyNotify) pj_compare_row_free);
  for (guint i = 0; i < record->rows->len; i++) {
    PjCompareRow *row = pj_compare_row_from_record (groups, record->rows->pdata[i], error);
    if (row == NULL)
      return NULL;
    g_ptr_array_add (comparison->rows, row);
  }
  return g_steal_pointer (&comparison);
}

/* The comparison that @job has stored so far, or NULL (without error if there is none). */
static PjComparisonRecord *
find_record (PjSession *session, int64_t job, GError **error)
{
  g_autoptr (GPtrArray) all = pj_session_list_comparisons (session, error);
  for (guint i = 0; all != NULL && i < all->len; i++) {
    if (((PjComparisonRecord *) all->pdata[i])->job == job)
      return g_ptr_array_steal_index (all, i);
  }
  return NULL;
}

/* --- running --- */

typedef struct {
  const PjWork *work;
  const PjGroups *groups;
  PjWorkRun *run;
  PjComparisonRecord *record;     /* NULL without a session */
  PjComparison *before;           /* nullable: rows of an interrupted run */
  PjCompareFunc func;
  gpointer data;
  GError *error;                  /* a row that could not be stored */
} Comparing;

static gboolean
begin_record (Comparing *self, const char *title, GError **error)
{
  PjSession *session = self->work->session;
  if (session == NULL)
    return TRUE;
  g_autoptr (GError) reason = NULL;
  self->record = find_record (session, pj_work_run_job (self->run), &reason);
  if (reason != NULL) {
    g_propagate_error (error, g_steal_pointer (&reason));
    return FALSE;
  }
  if (self->record != NULL) {
    self->before = pj_work_comparison (self->groups, self->record, error);
    return self->before != NULL;
  }
  PjCost cost;
  pj_graph_cost (self->work->graph, &cost);
  self->record = pj_comparison_record_new (title);
  self->record->step = self->work->step;
  self->record->job = pj_work_run_job (self->run);
  self->record->base_macs = cost.macs;
  self->record->base_params = cost.learnable;
  return pj_session_add_comparison (session, self->record, error);
}

/* The base figures, before the first row that needs them to be read. */
static gboolean
store_base (Comparing *self, const PjComparison *comparison)
{
  PjComparisonRecord *record = self->record;
  size_t size = comparison->n_test * sizeof (uint16_t);
  if (record->n_test == comparison->n_test && record->labels != NULL)
    return TRUE;
  record->base_accuracy = comparison->base_accuracy;
  record->base_images_per_second = comparison->base_images_per_second;
  record->n_test = comparison->n_test;
  g_free (record->labels);
  record->labels = g_memdup2 (comparison->labels, size);
  g_free (record->answers);
  record->answers = comparison->answers != NULL ? g_memdup2 (comparison->answers, size) : NULL;
  g_free (record->classes);
  record->classes = g_strdup (comparison->classes);
  return pj_session_update_comparison (self->work->session, record, &self->error);
}

static void
row_cb (const PjComparison *comparison, unsigned i, gpointer data)
{
  Comparing *self = data;
  PjSession *session = self->work->session;
  const PjCompareRow *row = comparison->rows->pdata[i];
  if (session != NULL && self->error == NULL) {
    g_autoptr (PjComparisonRowRecord) record = pj_compare_row_to_record (self->groups, row, comparison->n_test);
    if (!store_base (self, comparison) || !pj_session_add_comparison_row (session, self->record->id, record, &self->error))
      return;
  }
  unsigned n_before = self->before != NULL ? self->before->rows->len : 0;
  pj_hooks_metric (pj_work_run_hooks (self->run), "rows", n_before + i + 1, pj_compare_row_last (row));
  if (self->func != NULL)
    self->func (comparison, i, self->data);
}

/* A row that cannot be stored ends the work: the rest could not be stored either. */
static gboolean
is_cancelled_cb (gpointer data)
{
  Comparing *self = data;
  const PjHooks *hooks = pj_work_run_hooks (self->run);
  return self->error != NULL || hooks->is_cancelled (hooks->data);
}

static void
progress_cb (gpointer data, const char *stage, double fraction)
{
  Comparing *self = data;
  const PjHooks *hooks = pj_work_run_hooks (self->run);
  hooks->progress (hooks->data, stage, fraction);
}

/* Curves of the rows follow each other in one series: not kept, the rows say what came out. */
static void
ignore_metric_cb (gpointer data, const char *series, double x, double y)
{
}

/* (element-type uint64_t): empty for the one seed. */
static GArray *
read_seeds (const PjWorkCompare *settings, GError **error)
{
  g_autoptr (GArray) seeds = g_array_new (FALSE, FALSE, sizeof (uint64_t));
  for (char **text = settings->seeds; text != NULL && *text != NULL; text++) {
    guint64 seed;
    if (!g_ascii_string_to_unsigned (*text, 10, 0, G_MAXINT64, &seed, NULL)) {
      g_set_error (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_SETTING, "“%s” is no seed: write a whole number from 0", *text);
      return NULL;
    }
    g_array_append_val (seeds, seed);
  }
  return g_steal_pointer (&seeds);
}

static PjComparison *
compare (Comparing *self, const PjWorkCompare *settings, GError **error)
{
  PjFormat format;
  if (!pj_dataset_format_for (self->work->dataset, self->work->graph, TRUE, &format, error))
    return NULL;
  g_autoptr (GArray) ratios = pj_work_ratio_list (settings->ratios, error);
  if (ratios == NULL)
    return NULL;
  g_autoptr (GArray) seeds = read_seeds (settings, error);
  if (seeds == NULL)
    return NULL;
  PjHooks hooks = { self, progress_cb, ignore_metric_cb, is_cancelled_cb };
  PjScoring scoring = { self->work->device, self->work->graph, self->groups, self->work->dataset, &format,
                        settings->n_images, settings->seed, &hooks };
  PjCompareOptions options = {
    .methods = (const char *const *) settings->methods,
    .ratios = (const double *) ratios->data,
    .n_ratios = ratios->len,
    .seeds = (const uint64_t *) seeds->data,
    .n_seeds = seeds->len,
    .n_drawn = settings->n_drawn,
    .starts = settings->starts,
    .n_layer_test = settings->n_layer_test,
    .recalibrate = settings->recalibrate,
    .tune = settings->tune,
    .n_test = settings->n_test,
    .before = self->before,
  };
  g_autoptr (PjComparison) comparison = pj_compare (&scoring, &options, row_cb, self, error);
  if (self->error != NULL) {
    g_clear_error (error);
    g_propagate_error (error, g_steal_pointer (&self->error));
    return NULL;
  }
  return g_steal_pointer (&comparison);
}

/* Puts the rows of the run before in front. */
static void
merge_before (Comparing *self, PjComparison *comparison)
{
  if (self->before == NULL)
    return;
  for (guint i = 0; self->before->rows->len > 0; i++)
    g_ptr_array_insert (comparison->rows, (gint) i, g_ptr_array_steal_index (self->before->rows, 0));
}

PjComparison *
pj_work_compare (const PjWork *work, const PjGroups *groups, const PjWorkCompare *settings, PjCompareFunc func,
                 gpointer data, PjWorkDone *done, GError **error)
{
  if (done != NULL)
    memset (done, 0, sizeof *done);
  g_autofree char *text = pj_work_compare_write (settings);
  g_autofree char *names = settings->methods != NULL ? g_strjoinv (", ", settings->methods) : g_strdup ("nothing");
  g_autofree char *title = g_strdup_printf ("Compare %s", names);
  Comparing self = { .work = work, .groups = groups, .func = func, .data = data };
  self.run = pj_work_begin (work, "compare", title, text, settings->seed, error);
  if (self.run == NULL)
    return NULL;
  g_autoptr (PjComparison) comparison = NULL;
  if (begin_record (&self, title, error))
    comparison = compare (&self, settings, error);
  char *line = NULL;
  if (comparison != NULL) {
    merge_before (&self, comparison);
    line = g_strdup_printf ("%u rows", comparison->rows->len);
  }
  gboolean ok = pj_work_end (self.run, comparison != NULL, line, done, error);
  g_clear_pointer (&self.record, pj_comparison_record_free);
  g_clear_pointer (&self.before, pj_comparison_free);
  g_clear_error (&self.error);
  return ok ? g_steal_pointer (&comparison) : NULL;
}

gboolean
pj_work_compare_resume (const PjWork *work, const char *text, PjWorkDone *done, GError **error)
{
  g_auto (PjWorkCompare) settings;
  pj_work_compare_init (&settings);
  if (!pj_work_compare_read (&settings, text, error))
    return FALSE;
  g_autoptr (PjGroups) groups = pj_groups_new (work->graph);
  g_autoptr (PjComparison) comparison = pj_work_compare (work, groups, &settings, NULL, NULL, done, error);
  return comparison != NULL;
}
