/* SPDX-License-Identifier: MIT */
/**
 * PjmComparison: a table of methods and ratios.
 *
 * A list model of PjmCompareRow that grows while the job runs.  What is in it is also in the session.
 */
#include "model/comparison-private.h"

#include "model/compare-row-private.h"
#include "model/work-compare.h"
#include "prune/compare/jury.h"

struct _PjmComparison {
  GObject parent;
  char *title;
  gint64 job;
  double base_accuracy;
  guint64 base_macs;
  guint n_test;
  GPtrArray *rows;
  PjGroups *groups;         /* of the network compared; NULL until the first update */
  PjComparison *engine;     /* all rows of all seeds */
  GPtrArray *verdicts;      /* of @engine, in the order of @rows */
  GPtrArray *classes;       /* names */
  GArray *layers;           /* int: groups that some row cuts */
};

static void list_model_init (GListModelInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (PjmComparison, pjm_comparison, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (G_TYPE_LIST_MODEL, list_model_init))

enum { PROP_0, PROP_TITLE, PROP_BASE_ACCURACY, PROP_BASE_MACS, PROP_N_TEST, N_PROPS };
static GParamSpec *props[N_PROPS];

static GType
get_item_type (GListModel *model)
{
  return PJM_TYPE_COMPARE_ROW;
}

static guint
get_n_items (GListModel *model)
{
  return PJM_COMPARISON (model)->rows->len;
}

static gpointer
get_item (GListModel *model, guint position)
{
  PjmComparison *self = PJM_COMPARISON (model);
  return position < self->rows->len ? g_object_ref (self->rows->pdata[position]) : NULL;
}

static void
list_model_init (GListModelInterface *iface)
{
  iface->get_item_type = get_item_type;
  iface->get_n_items = get_n_items;
  iface->get_item = get_item;
}

static void
pjm_comparison_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  PjmComparison *self = PJM_COMPARISON (object);
  switch (id) {
  case PROP_TITLE: g_value_set_string (value, self->title); break;
  case PROP_BASE_ACCURACY: g_value_set_double (value, self->base_accuracy); break;
  case PROP_BASE_MACS: g_value_set_uint64 (value, self->base_macs); break;
  case PROP_N_TEST: g_value_set_uint (value, self->n_test); break;
  default: G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
}

static void
pjm_comparison_finalize (GObject *object)
{
  PjmComparison *self = PJM_COMPARISON (object);
  g_free (self->title);
  g_ptr_array_unref (self->rows);
  g_ptr_array_unref (self->classes);
  g_array_unref (self->layers);
  g_clear_pointer (&self->verdicts, g_ptr_array_unref);
  g_clear_pointer (&self->engine, pj_comparison_free);
  pj_groups_unref (self->groups);
  G_OBJECT_CLASS (pjm_comparison_parent_class)->finalize (object);
}

static void
pjm_comparison_class_init (PjmComparisonClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GParamFlags flags = G_PARAM_READABLE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS;
  object_class->get_property = pjm_comparison_get_property;
  object_class->finalize = pjm_comparison_finalize;
  props[PROP_TITLE] = g_param_spec_string ("title", NULL, NULL, NULL, flags);
  props[PROP_BASE_ACCURACY] = g_param_spec_double ("base-accuracy", NULL, NULL, -1, 1, -1, flags);
  props[PROP_BASE_MACS] = g_param_spec_uint64 ("base-macs", NULL, NULL, 0, G_MAXUINT64, 0, flags);
  props[PROP_N_TEST] = g_param_spec_uint ("n-test", NULL, NULL, 0, G_MAXUINT, 0, flags);
  g_object_class_install_properties (object_class, N_PROPS, props);
}

static void
pjm_comparison_init (PjmComparison *self)
{
  self->base_accuracy = -1.0;
  self->rows = g_ptr_array_new_with_free_func (g_object_unref);
  self->classes = g_ptr_array_new_with_free_func (g_free);
  self->layers = g_array_new (FALSE, FALSE, sizeof (int));
}

PjmComparison *
pjm_comparison_new (const char *title)
{
  PjmComparison *self = g_object_new (PJM_TYPE_COMPARISON, NULL);
  self->title = g_strdup (title);
  return self;
}

gint64
pjm_comparison_get_job (PjmComparison *self)
{
  return self->job;
}

static void
set_base (PjmComparison *self, const PjComparisonRecord *record)
{
  double accuracy = CLAMP (record->base_accuracy, -1.0, 1.0);
  if (accuracy != self->base_accuracy) {
    self->base_accuracy = accuracy;
    g_object_notify_by_pspec (G_OBJECT (self), props[PROP_BASE_ACCURACY]);
  }
  if (record->base_macs != self->base_macs) {
    self->base_macs = record->base_macs;
    g_object_notify_by_pspec (G_OBJECT (self), props[PROP_BASE_MACS]);
  }
  if (record->n_test != self->n_test) {
    self->n_test = record->n_test;
    g_object_notify_by_pspec (G_OBJECT (self), props[PROP_N_TEST]);
  }
  if (self->classes->len == 0 && record->classes != NULL) {
    g_auto (GStrv) names = g_strsplit (record->classes, "\n", -1);
    for (guint i = 0; names[i] != NULL; i++)
      g_ptr_array_add (self->classes, g_strdup (names[i]));
  }
}

static void
find_layers (PjmComparison *self)
{
  g_array_set_size (self->layers, 0);
  for (int g = 0; g < (int) pj_groups_n (self->groups); g++) {
    gboolean cut = FALSE;
    for (guint i = 0; i < self->rows->len && !cut; i++)
      cut = pjm_compare_row_get_mask (self->rows->pdata[i], g) != NULL;
    if (cut)
      g_array_append_val (self->layers, g);
  }
}

void
pjm_comparison_update (PjmComparison *self, const PjComparisonRecord *record, PjGroups *groups)
{
  PjComparison *engine = pj_work_comparison (groups, record, NULL);
  self->job = record->job;
  set_base (self, record);
  if (engine == NULL)
    return;
  g_clear_pointer (&self->verdicts, g_ptr_array_unref);
  g_clear_pointer (&self->engine, pj_comparison_free);
  self->engine = engine;
  self->verdicts = pj_verdicts_new (engine);
  if (self->groups != groups) {
    pj_groups_unref (self->groups);
    self->groups = pj_groups_ref (groups);
  }
  g_autofree gboolean *on_front = g_new0 (gboolean, MAX (self->verdicts->len, 1u));
  pj_verdicts_front (self->verdicts, on_front);
  guint before = self->rows->len;
  for (guint i = 0; i < self->verdicts->len; i++) {
    if (i >= before)
      g_ptr_array_add (self->rows, pjm_compare_row_new (self->verdicts->pdata[i]));
    pjm_compare_row_update (self->rows->pdata[i], self->verdicts->pdata[i], groups, record->base_macs, record->n_test, on_front[i]);
  }
  find_layers (self);
  if (self->rows->len > before)
    g_list_model_items_changed (G_LIST_MODEL (self), before, 0, self->rows->len - before);
}

guint
pjm_comparison_get_n_layers (PjmComparison *self)
{
  return self->layers->len;
}

const char *
pjm_comparison_get_layer (PjmComparison *self, guint i, int *group)
{
  g_return_val_if_fail (i < self->layers->len, NULL);
  *group = g_array_index (self->layers, int, i);
  return pj_groups_get (self->groups, (unsigned) *group)->name;
}

double
pjm_comparison_overlap (PjmComparison *self, guint row_a, guint row_b)
{
  g_return_val_if_fail (row_a < self->rows->len && row_b < self->rows->len, 0.0);
  return pj_verdict_overlap (self->groups, self->verdicts->pdata[row_a], self->verdicts->pdata[row_b]);
}

double
pjm_comparison_correlation (PjmComparison *self, guint row_a, guint row_b)
{
  g_return_val_if_fail (row_a < self->rows->len && row_b < self->rows->len, 0.0);
  return pj_verdict_correlation (self->groups, self->verdicts->pdata[row_a], self->verdicts->pdata[row_b]);
}

gboolean
pjm_comparison_is_choice (PjmComparison *self, guint row)
{
  g_return_val_if_fail (row < self->rows->len, FALSE);
  const PjVerdict *verdict = self->verdicts->pdata[row];
  g_autoptr (GPtrArray) choices = pj_verdicts_choices (self->verdicts, verdict->ratio);
  return g_ptr_array_find (choices, verdict, NULL);
}

int
pjm_comparison_layer_winner (PjmComparison *self, double ratio, int group)
{
  return self->verdicts != NULL ? pj_verdicts_layer_winner (self->verdicts, ratio, group, NULL) : -1;
}

/* --- answers --- */

/* The answers of a row beside those of the uncut network; FALSE if they are not stored. */
static gboolean
get_answers (PjmComparison *self, guint row, const uint16_t **answers)
{
  guint n;
  g_return_val_if_fail (row < self->rows->len, FALSE);
  *answers = pjm_compare_row_get_answers (self->rows->pdata[row], &n);
  return *answers != NULL && n == self->engine->n_test && self->engine->answers != NULL && self->engine->labels != NULL;
}

static const char *
class_name (PjmComparison *self, guint label)
{
  return label < self->classes->len ? self->classes->pdata[label] : "?";
}

GArray *
pjm_comparison_get_classes (PjmComparison *self, guint row)
{
  GArray *classes = g_array_new (FALSE, FALSE, sizeof (PjmClassChange));
  const uint16_t *answers;
  if (!get_answers (self, row, &answers))
    return classes;
  g_autoptr (GArray) changes = pj_class_changes_new (self->engine->labels, self->engine->answers, answers, self->engine->n_test,
                                                     self->classes->len);
  for (guint i = 0; i < changes->len; i++) {
    const PjClassChange *from = &g_array_index (changes, PjClassChange, i);
    PjmClassChange change = { class_name (self, from->label), from->n, from->base, from->changed };
    g_array_append_val (classes, change);
  }
  return classes;
}

GArray *
pjm_comparison_get_changed (PjmComparison *self, guint row)
{
  GArray *changed = g_array_new (FALSE, FALSE, sizeof (PjmChangedAnswer));
  const uint16_t *answers;
  if (!get_answers (self, row, &answers))
    return changed;
  for (guint i = 0; i < self->engine->n_test; i++) {
    guint label = self->engine->labels[i], before = self->engine->answers[i];
    PjmChangedAnswer answer = {
      i, class_name (self, label), class_name (self, before), class_name (self, answers[i]), before == label, answers[i] == label,
    };
    if (before != answers[i])
      g_array_append_val (changed, answer);
  }
  return changed;
}

/* --- CSV --- */

static void
append_text (GString *csv, const char *text)
{
  g_string_append_c (csv, '"');
  for (const char *c = text != NULL ? text : ""; *c != '\0'; c++) {
    if (*c == '"')
      g_string_append_c (csv, '"');
    g_string_append_c (csv, *c);
  }
  g_string_append_c (csv, '"');
}

/* Empty where nothing was measured; a point, whatever the language. */
static void
append_number (GString *csv, double number, const char *format)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE];
  g_string_append_c (csv, ',');
  if (number >= 0.0)
    g_string_append (csv, g_ascii_formatd (text, sizeof text, format, number));
}

char *
pjm_comparison_to_csv (PjmComparison *self)
{
  GString *csv = g_string_new ("method,ratio,start,seeds,macs,params,macs share,cut,cut spread,recalibrated,recalibrated spread,"
                               "fine-tuned,fine-tuned spread,images/s,refusal\n");
  for (guint i = 0; i < self->rows->len; i++) {
    g_autofree char *method = NULL, *refusal = NULL, *start = NULL;
    double ratio, share, speed, figures[6];
    guint64 macs, params;
    guint seeds;
    g_object_get (self->rows->pdata[i], "method", &method, "refusal", &refusal, "start", &start, "ratio", &ratio, "macs", &macs,
                  "params", &params, "macs-share", &share, "cut", &figures[0], "cut-spread", &figures[1], "recalibrated",
                  &figures[2], "recalibrated-spread", &figures[3], "tuned", &figures[4], "tuned-spread", &figures[5], "speed",
                  &speed, "seeds", &seeds, NULL);
    append_text (csv, method);
    append_number (csv, ratio, "%.4g");
    g_string_append_c (csv, ',');
    append_text (csv, start);
    g_string_append_printf (csv, ",%u,%" G_GUINT64_FORMAT ",%" G_GUINT64_FORMAT, seeds, macs, params);
    append_number (csv, share, "%.4f");
    for (guint k = 0; k < G_N_ELEMENTS (figures); k++)
      append_number (csv, figures[k], "%.4f");
    append_number (csv, speed, "%.1f");
    g_string_append_c (csv, ',');
    append_text (csv, refusal);
    g_string_append_c (csv, '\n');
  }
  return g_string_free (csv, FALSE);
}
