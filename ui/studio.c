/* SPDX-License-Identifier: MIT */
/* The shared state of one window.  Canvas, inspector and layer table all follow "layer", so that a
 * selection made in one is the selection of all; nothing here outlives the window. */
#include "studio.h"

struct _PjuStudio {
  GObject parent;
  PjmProject *project;
  PjmLayer *layer;
};

G_DEFINE_FINAL_TYPE (PjuStudio, pju_studio, G_TYPE_OBJECT)

enum { PROP_0, PROP_LAYER, N_PROPS };
enum { MESSAGE, PROBLEM, N_SIGNALS };
static GParamSpec *props[N_PROPS];
static guint signals[N_SIGNALS];

static void
get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  g_value_set_object (value, PJU_STUDIO (object)->layer);
}

static void
set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  pju_studio_set_layer (PJU_STUDIO (object), g_value_get_object (value));
}

static void
dispose (GObject *object)
{
  PjuStudio *self = PJU_STUDIO (object);
  g_clear_object (&self->layer);
  g_clear_object (&self->project);
  G_OBJECT_CLASS (pju_studio_parent_class)->dispose (object);
}

static void
pju_studio_class_init (PjuStudioClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  object_class->get_property = get_property;
  object_class->set_property = set_property;
  object_class->dispose = dispose;
  props[PROP_LAYER] = g_param_spec_object ("layer", NULL, NULL, PJM_TYPE_LAYER,
                                           G_PARAM_READWRITE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPS, props);
  signals[MESSAGE] = g_signal_new ("message", PJU_TYPE_STUDIO, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                   G_TYPE_NONE, 1, G_TYPE_STRING);
  signals[PROBLEM] = g_signal_new ("problem", PJU_TYPE_STUDIO, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                   G_TYPE_NONE, 2, G_TYPE_STRING, G_TYPE_STRING);
}

static void
pju_studio_init (PjuStudio *self)
{
}

PjuStudio *
pju_studio_new (PjmProject *project)
{
  PjuStudio *self = g_object_new (PJU_TYPE_STUDIO, NULL);
  self->project = g_object_ref (project);
  return self;
}

PjmProject *
pju_studio_get_project (PjuStudio *self)
{
  return self->project;
}

PjmLayer *
pju_studio_get_layer (PjuStudio *self)
{
  return self->layer;
}

void
pju_studio_set_layer (PjuStudio *self, PjmLayer *layer)
{
  if (g_set_object (&self->layer, layer))
    g_object_notify_by_pspec (G_OBJECT (self), props[PROP_LAYER]);
}

void
pju_studio_say (PjuStudio *self, const char *text)
{
  g_signal_emit (self, signals[MESSAGE], 0, text);
}

void
pju_studio_complain (PjuStudio *self, const char *headline, const char *detail)
{
  g_signal_emit (self, signals[PROBLEM], 0, headline, detail);
}

void
pju_set_action (GtkWidget *actionable, const char *detailed_action)
{
  g_autofree char *name = NULL;
  g_autoptr (GVariant) target = NULL;
  g_autoptr (GError) error = NULL;

  gtk_actionable_set_action_name (GTK_ACTIONABLE (actionable), NULL);
  if (!g_action_parse_detailed_name (detailed_action, &name, &target, &error)) {
    g_warning ("%s: %s", detailed_action, error->message);
    return;
  }
  gtk_actionable_set_action_target_value (GTK_ACTIONABLE (actionable), target);
  gtk_actionable_set_action_name (GTK_ACTIONABLE (actionable), name);
}

void
pju_set_tooltip (GtkWidget *widget, const char *text)
{
  if (g_strcmp0 (gtk_widget_get_tooltip_text (widget), text) != 0)
    gtk_widget_set_tooltip_text (widget, text);
}

void
pju_set_label (GtkWidget *widget, const char *label)
{
  GtkWidget *inner = gtk_widget_get_first_child (widget);
  gtk_accessible_update_property (GTK_ACCESSIBLE (widget), GTK_ACCESSIBLE_PROPERTY_LABEL, label, -1);
  if (inner && GTK_IS_BUTTON (inner))
    gtk_accessible_update_property (GTK_ACCESSIBLE (inner), GTK_ACCESSIBLE_PROPERTY_LABEL, label, -1);
}

double
pju_get_double (gpointer object, const char *property)
{
  double value = 0;
  g_object_get (object, property, &value, NULL);
  return value;
}

guint64
pju_get_uint64 (gpointer object, const char *property)
{
  guint64 value = 0;
  g_object_get (object, property, &value, NULL);
  return value;
}

guint
pju_get_uint (gpointer object, const char *property)
{
  guint value = 0;
  g_object_get (object, property, &value, NULL);
  return value;
}

gboolean
pju_get_boolean (gpointer object, const char *property)
{
  gboolean value = FALSE;
  g_object_get (object, property, &value, NULL);
  return value;
}

char *
pju_get_string (gpointer object, const char *property)
{
  char *value = NULL;
  g_object_get (object, property, &value, NULL);
  return value;
}
