/* SPDX-License-Identifier: MIT */
/**
 * PjmComparison: a table of methods and ratios.
 *
 * A list model of PjmCompareRow that grows while the job runs.  What is in it is also in the session.
 */
#include "model/comparison-private.h"

#include "model/compare-row-private.h"

struct _PjmComparison {
  GObject parent;
  char *title;
  gint64 job;
  double base_accuracy;
  guint64 base_macs;
  guint n_test;
  GPtrArray *rows;
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

void
pjm_comparison_update (PjmComparison *self, const PjComparisonRecord *record, PjGroups *groups)
{
  double accuracy = CLAMP (record->base_accuracy, -1.0, 1.0);
  self->job = record->job;
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
  guint before = self->rows->len;
  for (guint i = before; i < record->rows->len; i++)
    g_ptr_array_add (self->rows, pjm_compare_row_new (record->rows->pdata[i], groups, record->base_macs));
  if (self->rows->len > before)
    g_list_model_items_changed (G_LIST_MODEL (self), before, 0, self->rows->len - before);
}

double
pjm_comparison_overlap (PjmComparison *self, guint row_a, guint row_b)
{
  g_return_val_if_fail (row_a < self->rows->len && row_b < self->rows->len, 0.0);
  guint64 both, either;
  pjm_compare_row_count_common (self->rows->pdata[row_a], self->rows->pdata[row_b], &both, &either);
  return either > 0 ? (double) both / (double) either : 1.0;
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
  GString *csv = g_string_new ("method,ratio,macs,params,macs share,cut,recalibrated,fine-tuned,images/s,refusal\n");
  for (guint i = 0; i < self->rows->len; i++) {
    g_autofree char *method = NULL, *refusal = NULL;
    double ratio, share, cut, recalibrated, tuned, speed;
    guint64 macs, params;
    g_object_get (self->rows->pdata[i], "method", &method, "refusal", &refusal, "ratio", &ratio, "macs", &macs, "params",
                  &params, "macs-share", &share, "cut", &cut, "recalibrated", &recalibrated, "tuned", &tuned, "speed", &speed,
                  NULL);
    append_text (csv, method);
    append_number (csv, ratio, "%.4g");
    g_string_append_printf (csv, ",%" G_GUINT64_FORMAT ",%" G_GUINT64_FORMAT, macs, params);
    append_number (csv, share, "%.4f");
    append_number (csv, cut, "%.4f");
    append_number (csv, recalibrated, "%.4f");
    append_number (csv, tuned, "%.4f");
    append_number (csv, speed, "%.1f");
    g_string_append_c (csv, ',');
    append_text (csv, refusal);
    g_string_append_c (csv, '\n');
  }
  return g_string_free (csv, FALSE);
}
