/* SPDX-License-Identifier: MIT */
/**
 * PjmCompareRow: one method at one ratio, over its seeds.
 *
 * A row is added when its first seed is measured; later seeds change its figures, not its place.
 */
#include <string.h>

#include "model/compare-row-private.h"
#include "prune/method.h"

struct _PjmCompareRow {
  GObject parent;
  char *method, *title, *refusal;
  PjCompareStart start;
  gboolean tuned_at_all, on_front, control, initial;
  guint seeds, n_answers;
  double ratio, speed, macs_share;
  PjSpread cut, recalibrated, tuned;
  guint64 macs, params;
  uint16_t *answers;
  GPtrArray *masks, *scores;    /* by group: guint8 *, double *; NULL where there is none */
  GArray *n_channels, *layer_kl;   /* by group */
};

G_DEFINE_FINAL_TYPE (PjmCompareRow, pjm_compare_row, G_TYPE_OBJECT)

enum {
  PROP_0, PROP_METHOD, PROP_TITLE, PROP_RATIO, PROP_START, PROP_SEEDS, PROP_MACS, PROP_PARAMS, PROP_MACS_SHARE, PROP_CUT,
  PROP_RECALIBRATED, PROP_TUNED, PROP_CUT_SPREAD, PROP_RECALIBRATED_SPREAD, PROP_TUNED_SPREAD, PROP_ON_FRONT, PROP_CONTROL,
  PROP_SPEED, PROP_REFUSAL, N_PROPS
};
static GParamSpec *props[N_PROPS];

static double
spread_of (const PjSpread *spread)
{
  return spread->n > 1 ? spread->spread : -1.0;
}

static void
pjm_compare_row_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  PjmCompareRow *self = PJM_COMPARE_ROW (object);
  switch (id) {
  case PROP_METHOD: g_value_set_string (value, self->method); break;
  case PROP_TITLE: g_value_set_string (value, self->title); break;
  case PROP_RATIO: g_value_set_double (value, self->ratio); break;
  case PROP_START:
    g_value_set_static_string (value, !self->tuned_at_all ? "" : self->initial ? "initial" : self->start == PJ_COMPARE_OWN ? "own" : "recalibrated");
    break;
  case PROP_SEEDS: g_value_set_uint (value, self->seeds); break;
  case PROP_MACS: g_value_set_uint64 (value, self->macs); break;
  case PROP_PARAMS: g_value_set_uint64 (value, self->params); break;
  case PROP_MACS_SHARE: g_value_set_double (value, self->macs_share); break;
  case PROP_CUT: g_value_set_double (value, self->cut.mean); break;
  case PROP_RECALIBRATED: g_value_set_double (value, self->recalibrated.mean); break;
  case PROP_TUNED: g_value_set_double (value, self->tuned.mean); break;
  case PROP_CUT_SPREAD: g_value_set_double (value, spread_of (&self->cut)); break;
  case PROP_RECALIBRATED_SPREAD: g_value_set_double (value, spread_of (&self->recalibrated)); break;
  case PROP_TUNED_SPREAD: g_value_set_double (value, spread_of (&self->tuned)); break;
  case PROP_ON_FRONT: g_value_set_boolean (value, self->on_front); break;
  case PROP_CONTROL: g_value_set_boolean (value, self->control); break;
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
  g_free (self->answers);
  g_ptr_array_unref (self->masks);
  g_ptr_array_unref (self->scores);
  g_array_unref (self->n_channels);
  g_array_unref (self->layer_kl);
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

  props[PROP_METHOD] = g_param_spec_string ("method", NULL, NULL, NULL, flags);
  props[PROP_TITLE] = g_param_spec_string ("title", NULL, NULL, NULL, flags);
  props[PROP_RATIO] = share_spec ("ratio");
  props[PROP_START] = g_param_spec_string ("start", NULL, NULL, NULL, flags);
  props[PROP_SEEDS] = g_param_spec_uint ("seeds", NULL, NULL, 0, G_MAXUINT, 0, flags);
  props[PROP_MACS] = g_param_spec_uint64 ("macs", NULL, NULL, 0, G_MAXUINT64, 0, flags);
  props[PROP_PARAMS] = g_param_spec_uint64 ("params", NULL, NULL, 0, G_MAXUINT64, 0, flags);
  props[PROP_MACS_SHARE] = share_spec ("macs-share");
  props[PROP_CUT] = share_spec ("cut");
  props[PROP_RECALIBRATED] = share_spec ("recalibrated");
  props[PROP_TUNED] = share_spec ("tuned");
  props[PROP_CUT_SPREAD] = share_spec ("cut-spread");
  props[PROP_RECALIBRATED_SPREAD] = share_spec ("recalibrated-spread");
  props[PROP_TUNED_SPREAD] = share_spec ("tuned-spread");
  props[PROP_ON_FRONT] = g_param_spec_boolean ("on-front", NULL, NULL, FALSE, flags);
  props[PROP_CONTROL] = g_param_spec_boolean ("control", NULL, NULL, FALSE, flags);
  props[PROP_SPEED] = share_spec ("speed");
  props[PROP_REFUSAL] = g_param_spec_string ("refusal", NULL, NULL, NULL, flags);
  g_object_class_install_properties (object_class, N_PROPS, props);
}

static void
pjm_compare_row_init (PjmCompareRow *self)
{
  self->masks = g_ptr_array_new_with_free_func (g_free);
  self->scores = g_ptr_array_new_with_free_func (g_free);
  self->n_channels = g_array_new (FALSE, FALSE, sizeof (int));
  self->layer_kl = g_array_new (FALSE, FALSE, sizeof (double));
}

PjmCompareRow *
pjm_compare_row_new (const PjVerdict *verdict)
{
  PjmCompareRow *self = g_object_new (PJM_TYPE_COMPARE_ROW, NULL);
  const PjMethod *method = pj_method_find (verdict->method);
  self->method = g_strdup (verdict->method);
  self->title = g_strdup (method != NULL ? method->title : verdict->method);
  self->ratio = verdict->ratio;
  self->start = verdict->start;
  self->initial = method != NULL && method->fresh != PJ_FRESH_NO;
  self->control = method != NULL && (method->fresh != PJ_FRESH_NO || (method->criterion != NULL && method->criterion->drawn)
                                     || g_str_equal (method->name, "uniform-thin"));
  return self;
}

/* The first seed's choice never changes: taken over once. */
static void
take_choice (PjmCompareRow *self, const PjCompareRow *row, const PjGroups *groups)
{
  for (unsigned g = 0; g < pj_groups_n (groups); g++) {
    const PjGroup *group = pj_groups_get (groups, g);
    const PjGroupCut *cut = row->plan != NULL ? pj_cut_plan_get (row->plan, group->id) : NULL;
    const PjGroupScores *scores = row->scores != NULL ? pj_scores_get (row->scores, group->id) : NULL;
    g_ptr_array_add (self->masks, cut != NULL ? g_memdup2 (cut->keep, (gsize) group->n_channels) : NULL);
    g_ptr_array_add (self->scores, scores != NULL && scores->score != NULL
                                     ? g_memdup2 (scores->score, (gsize) group->n_channels * sizeof (double)) : NULL);
    g_array_append_val (self->n_channels, group->n_channels);
  }
}

void
pjm_compare_row_update (PjmCompareRow *self, const PjVerdict *verdict, const PjGroups *groups, guint64 base_macs,
                        guint n_test, gboolean on_front)
{
  const PjCompareRow *first = verdict->rows->pdata[0];
  gboolean more = self->seeds != verdict->rows->len, moved = self->on_front != on_front;
  self->on_front = on_front;
  if (moved)
    g_object_notify_by_pspec (G_OBJECT (self), props[PROP_ON_FRONT]);
  if (!more)
    return;
  if (self->seeds == 0)
    take_choice (self, first, groups);
  self->seeds = verdict->rows->len;
  self->cut = verdict->cut;
  self->recalibrated = verdict->recalibrated;
  self->tuned = verdict->tuned;
  self->tuned_at_all = verdict->tuned.n > 0;
  self->speed = verdict->cost.macs > 0 ? verdict->images_per_second : -1.0;
  self->macs = verdict->cost.macs;
  self->params = verdict->cost.learnable;
  self->macs_share = base_macs > 0 && self->macs > 0 ? (double) self->macs / (double) base_macs : -1.0;
  g_free (self->refusal);
  self->refusal = g_strdup (verdict->refusal);
  if (self->answers == NULL && first->answers != NULL) {
    self->answers = g_memdup2 (first->answers, n_test * sizeof (uint16_t));
    self->n_answers = n_test;
  }
  g_array_set_size (self->layer_kl, 0);
  for (unsigned g = 0; g < pj_groups_n (groups); g++) {
    double kl = pj_verdict_layer_kl (verdict, (int) g);
    g_array_append_val (self->layer_kl, kl);
  }
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_SEEDS]);
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

double
pjm_compare_row_get_layer_kl (PjmCompareRow *self, int group)
{
  return group >= 0 && (guint) group < self->layer_kl->len ? g_array_index (self->layer_kl, double, group) : -1.0;
}

const uint16_t *
pjm_compare_row_get_answers (PjmCompareRow *self, guint *n)
{
  *n = self->n_answers;
  return self->answers;
}
