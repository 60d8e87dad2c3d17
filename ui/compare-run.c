/* SPDX-License-Identifier: MIT */
/* It says in words how many networks will be measured before anything starts. */
#include <glib/gi18n-lib.h>

#include "choice-list.h"
#include "compare-run.h"
#include "setting-form.h"

struct _PjuCompareRun {
  GtkWidget parent;
  GtkWidget *box, *methods, *ratios, *epochs, *steps, *seeds, *draws, *from, *controls, *plan, *start;
  PjuStudio *studio;
};

G_DEFINE_FINAL_TYPE (PjuCompareRun, pju_compare_run, GTK_TYPE_WIDGET)

static const char *const starts[] = { "auto", "own", "recalibrated", "both" };

static GArray *
parse_ratios (PjuCompareRun *self)
{
  g_auto (GStrv) words = g_strsplit_set (gtk_editable_get_text (GTK_EDITABLE (self->ratios)), " ,;%/", -1);
  g_autoptr (GArray) ratios = g_array_new (FALSE, FALSE, sizeof (double));

  for (guint i = 0; words[i]; i++) {
    char *end;
    double value = g_ascii_strtod (words[i], &end);
    if (!*words[i])
      continue;
    if (*end || !(value >= 1 && value <= 100))
      return NULL;
    value /= 100;
    g_array_append_val (ratios, value);
  }
  return ratios->len > 0 ? g_steal_pointer (&ratios) : NULL;
}

static guint
spin (GtkWidget *button)
{
  return (guint) gtk_spin_button_get_value_as_int (GTK_SPIN_BUTTON (button));
}

static gboolean
has_method (PjuCompareRun *self, const char *name)
{
  guint n;
  const PjmChoice *methods = pjm_project_get_methods (pju_studio_get_project (self->studio), &n);
  for (guint i = 0; i < n; i++)
    if (g_str_equal (methods[i].name, name))
      return TRUE;
  return FALSE;
}

/* What is chosen, and the controls that are not chosen already. (transfer container) */
static GPtrArray *
chosen_methods (PjuCompareRun *self)
{
  static const char *const controls[] = { "random", "uniform-thin", "scratch-e", "scratch-b" };
  GPtrArray *methods = pju_choice_list_get (PJU_CHOICE_LIST (self->methods));

  for (guint i = 0; gtk_check_button_get_active (GTK_CHECK_BUTTON (self->controls)) && i < G_N_ELEMENTS (controls); i++) {
    gboolean trains = g_str_has_prefix (controls[i], "scratch");
    if ((!trains || spin (self->epochs) > 0) && has_method (self, controls[i])
        && !g_ptr_array_find_with_equal_func (methods, controls[i], g_str_equal, NULL))
      g_ptr_array_add (methods, (gpointer) controls[i]);
  }
  return methods;
}

static guint
count_networks (PjuCompareRun *self, const GPtrArray *methods, guint n_ratios)
{
  guint n = 0, from = gtk_drop_down_get_selected (GTK_DROP_DOWN (self->from));
  for (guint i = 0; i < methods->len; i++) {
    const char *name = methods->pdata[i];
    guint seeds = g_str_equal (name, "random") ? MAX (spin (self->seeds), spin (self->draws)) : spin (self->seeds);
    gboolean both = from == 3 && spin (self->epochs) > 0 && !g_str_has_prefix (name, "scratch");
    n += seeds * n_ratios * (both ? 2 : 1);
  }
  return n;
}

static void
check_cb (PjuCompareRun *self)
{
  if (!self->studio)
    return;
  g_autoptr (GPtrArray) methods = chosen_methods (self);
  g_autoptr (GArray) ratios = parse_ratios (self);
  if (ratios)
    gtk_widget_remove_css_class (self->ratios, "error");
  else
    gtk_widget_add_css_class (self->ratios, "error");
  gtk_widget_set_sensitive (self->start, ratios && methods->len > 0);
  gtk_widget_set_sensitive (self->from, spin (self->epochs) > 0);
  if (!ratios) {
    gtk_label_set_text (GTK_LABEL (self->plan), _("Write one or more numbers from 1 to 100."));
  } else {
    guint n = count_networks (self, methods, ratios->len);
    g_autofree char *text = g_strdup_printf (g_dngettext (GETTEXT_PACKAGE,
      "%u network will be cut and measured with the same data and budget.",
      "%u networks will be cut and measured with the same data and budget.", n), n);
    gtk_label_set_text (GTK_LABEL (self->plan), text);
  }
}

static void
start_cb (PjuCompareRun *self)
{
  g_autoptr (GPtrArray) methods = chosen_methods (self);
  g_autoptr (GArray) ratios = parse_ratios (self);
  GtkWidget *popover = gtk_widget_get_ancestor (GTK_WIDGET (self), GTK_TYPE_POPOVER);

  if (!ratios || methods->len == 0)
    return;
  g_ptr_array_add (methods, NULL);
  if (popover)
    gtk_popover_popdown (GTK_POPOVER (popover));
  gtk_widget_activate_action (GTK_WIDGET (self), "win.run-comparison", "(^as@aduuuus)", methods->pdata,
                              g_variant_new_fixed_array (G_VARIANT_TYPE_DOUBLE, ratios->data, ratios->len, sizeof (double)),
                              spin (self->seeds), spin (self->draws), spin (self->epochs), spin (self->steps),
                              starts[MIN (gtk_drop_down_get_selected (GTK_DROP_DOWN (self->from)), 3u)]);
}

void
pju_compare_run_set_studio (PjuCompareRun *self, PjuStudio *studio)
{
  static const char *const first[] = { "thinet", "weight-sum", "apoz" };

  self->studio = g_object_ref (studio);
  pju_set_label (self->from, _("What fine-tuning begins with"));
  pju_choice_list_set_methods (PJU_CHOICE_LIST (self->methods), pju_studio_get_project (studio));
  for (guint i = 0; i < G_N_ELEMENTS (first); i++)
    pju_choice_list_select (PJU_CHOICE_LIST (self->methods), first[i], TRUE);
  check_cb (self);
}

static void
dispose (GObject *object)
{
  PjuCompareRun *self = PJU_COMPARE_RUN (object);
  g_clear_pointer (&self->box, gtk_widget_unparent);
  g_clear_object (&self->studio);
  G_OBJECT_CLASS (pju_compare_run_parent_class)->dispose (object);
}

#define CHILD(name) gtk_widget_class_bind_template_child (widget_class, PjuCompareRun, name)
#define CALLBACK(name) gtk_widget_class_bind_template_callback (widget_class, name)

static void
pju_compare_run_class_init (PjuCompareRunClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);
  G_OBJECT_CLASS (klass)->dispose = dispose;
  g_type_ensure (PJU_TYPE_CHOICE_LIST);
  gtk_widget_class_set_template_from_resource (widget_class, "/io/github/penjing/Penjing/ui/compare-run.ui");
  CHILD (box); CHILD (methods); CHILD (ratios); CHILD (epochs); CHILD (steps); CHILD (seeds); CHILD (draws); CHILD (from);
  CHILD (controls); CHILD (plan); CHILD (start);
  CALLBACK (check_cb); CALLBACK (start_cb);
}

static void
pju_compare_run_init (PjuCompareRun *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  pju_form_name_zero (self->epochs, _("None"));
  pju_form_name_zero (self->steps, _("No limit"));
  g_signal_connect_swapped (self->epochs, "value-changed", G_CALLBACK (check_cb), self);
}
