/* SPDX-License-Identifier: MIT */
/**
 * PjmCompareRow: one method at one ratio.
 *
 * A row never changes: it is added when it is measured.
 */
#include <string.h>

#include "model/compare-row-private.h"
#include "prune/method.h"

struct _PjmCompareRow {
  GObject parent;
  char *method, *title, *refusal;
  double ratio, cut, recalibrated, tuned, speed, macs_share;
  guint64 macs, params;
  GPtrArray *masks, *scores;    /* by group: guint8 *, double *; NULL where there is none */
  GArray *n_channels;           /* by group */
};

G_DEFINE_FINAL_TYPE (PjmCompareRow, pjm_compare_row, G_TYPE_OBJECT)

enum {
  PROP_0, PROP_METHOD, PROP_TITLE, PROP_RATIO, PROP_MACS, PROP_PARAMS, PROP_MACS_SHARE, PROP_CUT, PROP_RECALIBRATED,
  PROP_TUNED, PROP_SPEED, PROP_REFUSAL, N_PROPS
};

static void
pjm_compare_row_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  PjmCompareRow *self = PJM_COMPARE_ROW (object);
  switch (id) {
  case PROP_METHOD: g_value_set_string (value, self->method); break;
  case PROP_TITLE: g_value_set_string (value, self->title); break;
  case PROP_RATIO: g_value_set_double (value, self->ratio); break;
  case PROP_MACS: g_value_set_uint64 (value, self->macs); break;
  case PROP_PARAMS: g_value_set_uint64 (value, self->params); break;
  case PROP_MACS_SHARE: g_value_set_double (value, self->macs_share); break;
  case PROP_CUT: g_value_set_double (value, self->cut); break;
  case PROP_RECALIBRATED: g_value_set_double (value, self->recalibrated); break;
  case PROP_TUNED: g_value_set_double (value, self->tuned); break;
  case PROP_SPEED: g_value_set_double (value, self->speed); break;
  case PROP_REFUSAL: g_value_set_string (value, self->refusal); break;
  default: G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
}

static void
pjm_compare_row_finalize (GObject *object)
{
  PjmCompareRow *self = PJM_COMPARE_ROW (object);
  g_free (self->method);
  g_free (self->title);
  g_free (self->refusal);
  g_ptr_array_unref (self->masks);
  g_ptr_array_unref (self->scores);
  g_array_unref (self->n_channels);
  G_OBJECT_CLASS (pjm_compare_row_parent_class)->finalize (object);
}

static GParamSpec *
share_spec (const char *name)
{
  return g_param_spec_double (name, NULL, NULL, -1, G_MAXDOUBLE, -1, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
}

static void
pjm_compare_row_class_init (PjmCompareRowClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS;
  object_class->get_property = pjm_compare_row_get_property;
  object_class->finalize = pjm_compare_row_finalize;

  GParamSpec *props[N_PROPS] = {
    [PROP_METHOD] = g_param_spec_string ("method", NULL, NULL, NULL, flags),
    [PROP_TITLE] = g_param_spec_string ("title", NULL, NULL, NULL, flags),
    [PROP_RATIO] = share_spec ("ratio"),
    [PROP_MACS] = g_param_spec_uint64 ("macs", NULL, NULL, 0, G_MAXUINT64, 0, flags),
    [PROP_PARAMS] = g_param_spec_uint64 ("params", NULL, NULL, 0, G_MAXUINT64, 0, flags),
    [PROP_MACS_SHARE] = share_spec ("macs-share"),
    [PROP_CUT] = share_spec ("cut"),
    [PROP_RECALIBRATED] = share_spec ("recalibrated"),
    [PROP_TUNED] = share_spec ("tuned"),
    [PROP_SPEED] = share_spec ("speed"),
    [PROP_REFUSAL] = g_param_spec_string ("refusal", NULL, NULL, NULL, flags),
  };
  g_object_class_install_properties (object_class, N_PROPS, props);
}

static void
pjm_compare_row_init (PjmCompareRow *self)
{
  self->masks = g_ptr_array_new_with_free_func (g_free);
  self->scores = g_ptr_array_new_with_free_func (g_free);
  self->n_channels = g_array_new (FALSE, FALSE, sizeof (int));
}

/* What is stored by name, by group. */
static void
sort_by_group (PjmCompareRow *self, const PjComparisonRowRecord *record, const PjGroups *groups)
{
  for (unsigned g = 0; g < pj_groups_n (groups); g++) {
    const PjGroup *group = pj_groups_get (groups, g);
    guint8 *mask = NULL;
    double *score = NULL;
    for (guint i = 0; i < record->cuts->len; i++) {
      const PjStoredCut *cut = record->cuts->pdata[i];
      if (strcmp (cut->group, group->name) == 0 && cut->n_channels == (unsigned) group->n_channels)
        mask = g_memdup2 (cut->keep, cut->n_channels);
    }
    for (guint i = 0; i < record->scores->len && score == NULL; i++) {
      const PjStoredScore *stored = record->scores->pdata[i];
      if (stored->score != NULL && strcmp (stored->group, group->name) == 0
          && stored->n_channels == (unsigned) group->n_channels)
        score = g_memdup2 (stored->score, stored->n_channels * sizeof (double));
    }
    g_ptr_array_add (self->masks, mask);
    g_ptr_array_add (self->scores, score);
    g_array_append_val (self->n_channels, group->n_channels);
  }
}

PjmCompareRow *
pjm_compare_row_new (const PjComparisonRowRecord *record, const PjGroups *groups, guint64 base_macs)
{
  PjmCompareRow *self = g_object_new (PJM_TYPE_COMPARE_ROW, NULL);
  const PjMethod *method = pj_method_find (record->method);
  self->method = g_strdup (record->method);
  self->title = g_strdup (method != NULL ? method->title : record->method);
  self->refusal = g_strdup (record->refusal);
  self->ratio = record->ratio;
  self->cut = MAX (record->cut, -1.0);
  self->recalibrated = MAX (record->recalibrated, -1.0);
  self->tuned = MAX (record->tuned, -1.0);
  self->speed = MAX (record->images_per_second, -1.0);
  self->macs = record->macs;
  self->params = record->params;
  self->macs_share = base_macs > 0 ? (double) record->macs / (double) base_macs : -1.0;
  sort_by_group (self, record, groups);
  return self;
}

guint
pjm_compare_row_get_n_channels (PjmCompareRow *self, int group)
{
  return group >= 0 && (guint) group < self->n_channels->len ? g_array_index (self->n_channels, int, group) : 0;
}

const guint8 *
pjm_compare_row_get_mask (PjmCompareRow *self, int group)
{
  return group >= 0 && (guint) group < self->masks->len ? self->masks->pdata[group] : NULL;
}

const double *
pjm_compare_row_get_scores (PjmCompareRow *self, int group)
{
  return group >= 0 && (guint) group < self->scores->len ? self->scores->pdata[group] : NULL;
}

void
pjm_compare_row_count_common (PjmCompareRow *self, PjmCompareRow *other, guint64 *both, guint64 *either)
{
  *both = *either = 0;
  for (guint g = 0; g < self->masks->len && g < other->masks->len; g++) {
    const guint8 *a = self->masks->pdata[g], *b = other->masks->pdata[g];
    if (a == NULL && b == NULL)
      continue;
    for (int c = 0; c < g_array_index (self->n_channels, int, g); c++) {
      gboolean in_a = a == NULL || a[c], in_b = b == NULL || b[c];
      *both += in_a && in_b;
      *either += in_a || in_b;
    }
  }
}
