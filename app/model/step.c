/* SPDX-License-Identifier: MIT */
/**
 * PjmStep: one step of the history.
 *
 * The list of the project owns all steps of a session; parent and way are plain pointers into it.
 */
#include <glib/gi18n-lib.h>
#include <string.h>

#include "model/engine-text.h"
#include "model/step-mark-private.h"
#include "model/step-private.h"
#include "model/tasks-private.h"

struct _PjmStep {
  GObject parent_object;
  PjStepRecord *record;
  PjmStepId *id;
  PjmStep *parent, *way;
  gboolean current, deleted;
  char *name, *title;              /* title: in the person's language */
};

G_DEFINE_FINAL_TYPE (PjmStep, pjm_step, G_TYPE_OBJECT)

enum { PROP_0, PROP_TITLE, PROP_DETAIL, PROP_TIME, PROP_CURRENT, PROP_NAME, PROP_DELETED, N_PROPS };
static GParamSpec *props[N_PROPS];

PjmStepId *
pjm_step_id_new (gint64 id)
{
  PjmStepId *self = g_new0 (PjmStepId, 1);
  g_atomic_ref_count_init (&self->ref);
  self->id = id;
  return self;
}

PjmStepId *
pjm_step_id_ref (PjmStepId *self)
{
  g_atomic_ref_count_inc (&self->ref);
  return self;
}

void
pjm_step_id_unref (PjmStepId *self)
{
  if (self != NULL && g_atomic_ref_count_dec (&self->ref))
    g_free (self);
}

static void
pjm_step_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  PjmStep *self = PJM_STEP (object);
  switch (id) {
  case PROP_TITLE: g_value_set_string (value, pjm_step_title (self)); break;
  case PROP_DETAIL: g_value_take_string (value, pjm_engine_text (self->record->detail)); break;
  case PROP_NAME: g_value_set_string (value, self->name); break;
  case PROP_DELETED: g_value_set_boolean (value, self->deleted); break;
  case PROP_TIME: g_value_set_int64 (value, self->record->time); break;
  case PROP_CURRENT: g_value_set_boolean (value, self->current); break;
  default: G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
}

static void
pjm_step_finalize (GObject *object)
{
  PjmStep *self = PJM_STEP (object);
  pj_step_record_free (self->record);
  pjm_step_id_unref (self->id);
  g_free (self->name);
  g_free (self->title);
  G_OBJECT_CLASS (pjm_step_parent_class)->finalize (object);
}

static void
pjm_step_class_init (PjmStepClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GParamFlags flags = G_PARAM_READABLE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS;
  object_class->get_property = pjm_step_get_property;
  object_class->finalize = pjm_step_finalize;
  props[PROP_TITLE] = g_param_spec_string ("title", NULL, NULL, NULL, flags);
  props[PROP_DETAIL] = g_param_spec_string ("detail", NULL, NULL, NULL, flags);
  props[PROP_TIME] = g_param_spec_int64 ("time", NULL, NULL, 0, G_MAXINT64, 0, flags);
  props[PROP_CURRENT] = g_param_spec_boolean ("current", NULL, NULL, FALSE, flags);
  props[PROP_NAME] = g_param_spec_string ("name", NULL, NULL, NULL, flags);
  props[PROP_DELETED] = g_param_spec_boolean ("deleted", NULL, NULL, FALSE, flags);
  g_object_class_install_properties (object_class, N_PROPS, props);
}

static void
pjm_step_init (PjmStep *self)
{
}

/* What jobs store is English, for the command line too. */
static char *
cut_title (const PjStepRecord *record)
{
  static const char removed[] = "Remove ";
  if (g_str_has_prefix (record->title, removed))
    return g_strdup_printf (_("Remove %s"), record->title + strlen (removed));
  return g_strdup (g_str_equal (record->title, "Replace the classifier") ? _("Replace the classifier") : _("Cut"));
}

static char *
choose_title (const PjStepRecord *record)
{
  const PjMethod *method = record->criterion != NULL ? pj_method_find (record->criterion) : NULL;
  return method != NULL ? g_strdup_printf (_("Choose by %s"), _(method->title)) : g_strdup (_("Choose channels"));
}

static char *
make_title (const PjStepRecord *record)
{
  char *title;
  switch (record->kind) {
  case PJ_STEP_IMPORTED: return g_strdup (_("Open the network"));
  case PJ_STEP_CUT: return cut_title (record);
  case PJ_STEP_TRAINED:
    title = pjm_train_title (record->settings);
    return title != NULL ? title : g_strdup (_("Fine-tune"));
  case PJ_STEP_RECALIBRATED:
    return g_strdup (g_strcmp0 (record->title, PJ_WORK_NORMS_TITLE) == 0 ? _("Bring norms back") : _("Recalibrate norms"));
  case PJ_STEP_MASKED: break;
  }
  return record->job != 0 ? choose_title (record) : pjm_mark_title (record);
}

PjmStep *
pjm_step_new (PjStepRecord *record, PjmStep *parent)
{
  PjmStep *self = g_object_new (PJM_TYPE_STEP, NULL);
  self->record = record;
  self->id = pjm_step_id_new (record->id);
  self->parent = parent;
  self->title = make_title (record);
  return self;
}

const PjStepRecord *
pjm_step_record (PjmStep *self)
{
  return self->record;
}

PjmStepId *
pjm_step_id (PjmStep *self)
{
  return self->id;
}

void
pjm_step_set_number (PjmStep *self, gint64 id)
{
  self->record->id = id;
}

PjmStep *
pjm_step_parent (PjmStep *self)
{
  return self->parent;
}

PjmStep *
pjm_step_way (PjmStep *self)
{
  return self->way;
}

void
pjm_step_set_way (PjmStep *self, PjmStep *way)
{
  self->way = way;
}

void
pjm_step_mark_way (PjmStep *self)
{
  for (PjmStep *step = self; step->parent != NULL; step = step->parent)
    step->parent->way = step;
}

void
pjm_step_set_current (PjmStep *self, gboolean current)
{
  if (self->current == current)
    return;
  self->current = current;
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_CURRENT]);
}

void
pjm_step_set_notes (PjmStep *self, const char *name, gboolean deleted)
{
  if (g_strcmp0 (name, self->name) != 0) {
    g_free (self->name);
    self->name = g_strdup (name);
    g_object_notify_by_pspec (G_OBJECT (self), props[PROP_NAME]);
  }
  if (deleted != self->deleted) {
    self->deleted = deleted;
    g_object_notify_by_pspec (G_OBJECT (self), props[PROP_DELETED]);
  }
}

gboolean
pjm_step_is_deleted (PjmStep *self)
{
  return self->deleted;
}

PjmStep *
pjm_step_get_parent (PjmStep *self)
{
  return self->parent;
}

gboolean
pjm_step_has_network (PjmStep *self)
{
  return self->parent == NULL || self->record->kind != PJ_STEP_MASKED;
}

const char *
pjm_step_title (PjmStep *self)
{
  return self->title != NULL ? self->title : self->record->title;
}
