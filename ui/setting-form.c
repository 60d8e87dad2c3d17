/* SPDX-License-Identifier: MIT */
/* A method says what a setting is in one phrase; the phrase is the label, so that nothing has to be looked up. */
#include <glib/gi18n-lib.h>
#include <math.h>
#include <string.h>

#include "setting-form.h"

struct _PjuSettingForm {
  GtkWidget parent;
  GtkWidget *grid;
  GArray *settings;                /* PjmSetting, whose texts are static */
  GPtrArray *controls;             /* GtkDropDown or GtkSpinButton, not owned */
};

G_DEFINE_FINAL_TYPE (PjuSettingForm, pju_setting_form, GTK_TYPE_WIDGET)

enum { CHANGED, N_SIGNALS };
static guint signals[N_SIGNALS];

/* --- lines of forms --- */

void
pju_form_add (GtkWidget *grid, int row, const char *text, GtkWidget *control, const char *tip)
{
  GtkWidget *label = gtk_label_new (text);
  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_label_set_wrap (GTK_LABEL (label), TRUE);
  gtk_label_set_width_chars (GTK_LABEL (label), 26);
  gtk_label_set_max_width_chars (GTK_LABEL (label), 26);
  gtk_widget_set_hexpand (label, TRUE);
  gtk_widget_set_valign (control, GTK_ALIGN_CENTER);
  pju_set_tooltip (control, tip);
  pju_set_tooltip (label, tip);
  if (GTK_IS_DROP_DOWN (control))
    pju_set_label (control, text);
  else
    gtk_accessible_update_property (GTK_ACCESSIBLE (control), GTK_ACCESSIBLE_PROPERTY_LABEL, text, -1);
  gtk_grid_attach (GTK_GRID (grid), label, 0, row, 1, 1);
  gtk_grid_attach (GTK_GRID (grid), control, 1, row, 1, 1);
}

GtkWidget *
pju_form_new (void)
{
  GtkWidget *grid = gtk_grid_new ();
  gtk_grid_set_row_spacing (GTK_GRID (grid), 8);
  gtk_grid_set_column_spacing (GTK_GRID (grid), 12);
  return grid;
}

/* A wheel over a form is meant for the page. */
static gboolean
scroll_cb (GtkEventControllerScroll *scroll, double dx, double dy, GtkWidget *spin)
{
  GtkWidget *view = gtk_widget_get_ancestor (spin, GTK_TYPE_SCROLLED_WINDOW);
  if (view) {
    GtkAdjustment *v = gtk_scrolled_window_get_vadjustment (GTK_SCROLLED_WINDOW (view));
    gtk_adjustment_set_value (v, gtk_adjustment_get_value (v) + dy * pow (gtk_adjustment_get_page_size (v), 2.0 / 3));
  }
  return GDK_EVENT_STOP;
}

GtkWidget *
pju_form_spin (double value, double least, double most, double step, guint digits)
{
  GtkAdjustment *adjustment = gtk_adjustment_new (value, least, most, step, 10 * step, 0);
  GtkWidget *spin = gtk_spin_button_new (adjustment, step, digits);
  GtkEventController *scroll = gtk_event_controller_scroll_new (GTK_EVENT_CONTROLLER_SCROLL_VERTICAL);
  gtk_event_controller_set_propagation_phase (scroll, GTK_PHASE_CAPTURE);
  g_signal_connect (scroll, "scroll", G_CALLBACK (scroll_cb), spin);
  gtk_widget_add_controller (spin, scroll);
  gtk_editable_set_width_chars (GTK_EDITABLE (spin), 8);
  gtk_widget_set_halign (spin, GTK_ALIGN_END);
  return spin;
}

GtkWidget *
pju_form_list (const PjmChoice *rows, guint n)
{
  g_autofree const char **titles = g_new0 (const char *, n + 1);
  for (guint i = 0; i < n; i++)
    titles[i] = rows[i].title;
  GtkWidget *list = gtk_drop_down_new_from_strings (titles);
  gtk_widget_set_halign (list, GTK_ALIGN_END);
  return list;
}

/* --- the form --- */

static void
changed_cb (PjuSettingForm *self)
{
  g_signal_emit (self, signals[CHANGED], 0);
}

/* "epochs of …" → "Epochs of …" */
static char *
sentence (const char *phrase)
{
  gunichar first = g_unichar_toupper (g_utf8_get_char (phrase));
  char start[7] = "";
  g_unichar_to_utf8 (first, start);
  return g_strconcat (start, g_utf8_next_char (phrase), NULL);
}

/* The words to choose from stand in the list, translated; a phrase goes on with them: "what goes: level, global …". */
static char *
heading (const PjmSetting *setting, const char *text)
{
  const char *colon = strstr (text, ": "), *wide = strstr (text, "：");
  const char *end = colon != NULL ? colon : wide;
  return setting->choices != NULL && end != NULL ? g_strndup (text, (gsize) (end - text)) : g_strdup (text);
}

/* Enough for the usual value and for the smallest step that makes sense. */
static guint
digits_for (const PjmSetting *setting)
{
  if (setting->whole)
    return 0;
  return setting->most <= 10 ? 4 : 2;
}

/* "as published (VGG 3, ResNet 8)" → "As published" */
static char *
zero_word (const PjmSetting *setting)
{
  g_autofree char *text = sentence (setting->zero);
  const char *brackets[] = { " (", "（" };
  for (guint i = 0; i < G_N_ELEMENTS (brackets); i++) {
    const char *end = strstr (text, brackets[i]);
    if (end != NULL)
      return g_strndup (text, (gsize) (end - text));
  }
  return g_steal_pointer (&text);
}

/* A 0 that is no amount stands there as the word that says what it is. */
static gboolean
show_zero_cb (GtkSpinButton *spin, const char *word)
{
  if (fabs (gtk_spin_button_get_value (spin)) > 1e-9)
    return FALSE;
  if (g_strcmp0 (gtk_editable_get_text (GTK_EDITABLE (spin)), word) != 0)
    gtk_editable_set_text (GTK_EDITABLE (spin), word);
  return TRUE;
}

/* The word, or anything else that is no number, is 0 again. */
static int
read_zero_cb (GtkSpinButton *spin, double *value, const char *word)
{
  const char *text = gtk_editable_get_text (GTK_EDITABLE (spin));
  char *end = NULL;
  g_strtod (text, &end);
  if (end != text)
    return FALSE;
  *value = 0;
  return TRUE;
}

void
pju_form_name_zero (GtkWidget *spin, const char *text)
{
  char *word = g_strdup (text);
  g_object_set_data_full (G_OBJECT (spin), "zero", word, g_free);
  g_signal_connect (spin, "output", G_CALLBACK (show_zero_cb), word);
  g_signal_connect (spin, "input", G_CALLBACK (read_zero_cb), word);
  gtk_editable_set_width_chars (GTK_EDITABLE (spin), MAX (8, (int) g_utf8_strlen (word, -1)));
  gtk_spin_button_update (GTK_SPIN_BUTTON (spin));
}

static GtkWidget *
make_control (PjuSettingForm *self, const PjmSetting *setting)
{
  if (setting->choices) {
    guint n = g_strv_length ((char **) setting->choices);
    g_autofree PjmChoice *rows = g_new0 (PjmChoice, n);
    for (guint i = 0; i < n; i++)
      rows[i].title = pjm_setting_choice_title (setting->choices[i]);
    GtkWidget *list = pju_form_list (rows, n);
    gtk_drop_down_set_selected (GTK_DROP_DOWN (list), (guint) setting->usual);
    g_signal_connect_object (list, "notify::selected", G_CALLBACK (changed_cb), self, G_CONNECT_SWAPPED);
    return list;
  }
  double step = setting->whole ? 1 : setting->usual > 0 ? setting->usual / 10 : setting->most <= 1 ? .05 : .1;
  GtkWidget *spin = pju_form_spin (setting->usual, setting->least, setting->most, step, digits_for (setting));
  if (setting->zero) {
    g_autofree char *word = zero_word (setting);
    pju_form_name_zero (spin, word);
  }
  g_signal_connect_object (spin, "value-changed", G_CALLBACK (changed_cb), self, G_CONNECT_SWAPPED);
  return spin;
}

static char *
tip_for (const PjmSetting *setting)
{
  if (setting->choices) {
    g_autofree char *text = sentence (setting->about);
    g_autofree char *usual = g_strdup_printf (_("Usual: %s"),
                                              pjm_setting_choice_title (setting->choices[(guint) setting->usual]));
    return g_strconcat (text, "\n", usual, NULL);
  }
  if (setting->zero) {
    g_autofree char *zero = sentence (setting->zero);
    return g_strdup_printf (_("0: %s\nUsual: %g; from %g to %g"), zero, setting->usual, setting->least, setting->most);
  }
  return g_strdup_printf (_("Usual: %g; from %g to %g"), setting->usual, setting->least, setting->most);
}

guint
pju_setting_form_set (PjuSettingForm *self, const GArray *settings)
{
  while (self->controls->len > 0) {
    gtk_grid_remove_row (GTK_GRID (self->grid), 0);
    g_ptr_array_set_size (self->controls, (int) self->controls->len - 1);
  }
  g_array_set_size (self->settings, 0);
  for (guint i = 0; i < settings->len; i++) {
    const PjmSetting *setting = &g_array_index (settings, PjmSetting, i);
    GtkWidget *control = make_control (self, setting);
    g_autofree char *text = sentence (setting->about), *title = heading (setting, text), *tip = tip_for (setting);
    g_array_append_val (self->settings, *setting);
    g_ptr_array_add (self->controls, control);
    pju_form_add (self->grid, (int) i, title, control, tip);
  }
  return settings->len;
}

char **
pju_setting_form_get (PjuSettingForm *self)
{
  g_autoptr (GPtrArray) set = g_ptr_array_new ();
  for (guint i = 0; i < self->settings->len; i++) {
    const PjmSetting *setting = &g_array_index (self->settings, PjmSetting, i);
    GtkWidget *control = self->controls->pdata[i];
    char number[G_ASCII_DTOSTR_BUF_SIZE];
    if (setting->choices) {
      guint chosen = gtk_drop_down_get_selected (GTK_DROP_DOWN (control));
      if (chosen != (guint) setting->usual)
        g_ptr_array_add (set, g_strdup_printf ("%s=%s", setting->name, setting->choices[chosen]));
      continue;
    }
    double value = gtk_spin_button_get_value (GTK_SPIN_BUTTON (control));
    if (fabs (value - setting->usual) > 1e-9)
      g_ptr_array_add (set, g_strdup_printf ("%s=%s", setting->name, g_ascii_formatd (number, sizeof number, "%.10g", value)));
  }
  g_ptr_array_add (set, NULL);
  return (char **) g_ptr_array_steal (set, NULL);
}

static void
dispose (GObject *object)
{
  PjuSettingForm *self = PJU_SETTING_FORM (object);
  g_clear_pointer (&self->grid, gtk_widget_unparent);
  g_clear_pointer (&self->settings, g_array_unref);
  g_clear_pointer (&self->controls, g_ptr_array_unref);
  G_OBJECT_CLASS (pju_setting_form_parent_class)->dispose (object);
}

static void
pju_setting_form_class_init (PjuSettingFormClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = dispose;
  signals[CHANGED] = g_signal_new ("changed", PJU_TYPE_SETTING_FORM, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
  gtk_widget_class_set_layout_manager_type (GTK_WIDGET_CLASS (klass), GTK_TYPE_BIN_LAYOUT);
}

static void
pju_setting_form_init (PjuSettingForm *self)
{
  self->settings = g_array_new (FALSE, FALSE, sizeof (PjmSetting));
  self->controls = g_ptr_array_new ();
  self->grid = pju_form_new ();
  gtk_widget_set_parent (self->grid, GTK_WIDGET (self));
}

GtkWidget *
pju_setting_form_new (void)
{
  return g_object_new (PJU_TYPE_SETTING_FORM, NULL);
}
