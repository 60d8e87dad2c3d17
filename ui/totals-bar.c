/* SPDX-License-Identifier: MIT */
/* Five figures in a strip that stands under every page.  Cost is counted exactly and at once; accuracy is
 * measured on held-out pictures in the background, so it says how many, carries its standard error, and
 * turns grey while the masks are newer than the measurement. */
#include <glib/gi18n-lib.h>

#include "format.h"
#include "totals-bar.h"

typedef struct { GtkWidget *box, *value, *change; } Cell;
enum { MACS, PARAMS, SIZE, TIME, ACCURACY, N_CELLS };

struct _PjuTotalsBar {
  GtkWidget parent;
  PjuStudio *studio;
  Cell cells[N_CELLS];
  guint idle;
};

G_DEFINE_FINAL_TYPE (PjuTotalsBar, pju_totals_bar, GTK_TYPE_WIDGET)

static Cell
make_cell (PjuTotalsBar *self, const char *title, const char *tooltip)
{
  Cell cell;
  GtkWidget *label = gtk_label_new (title), *head = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 8);

  cell.box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 1);
  cell.value = gtk_label_new ("–");
  cell.change = gtk_label_new (NULL);
  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_label_set_xalign (GTK_LABEL (cell.value), 0);
  gtk_label_set_xalign (GTK_LABEL (cell.change), 1);
  gtk_widget_set_hexpand (cell.change, TRUE);
  gtk_widget_add_css_class (label, "total-title");
  gtk_widget_add_css_class (cell.value, "total-value");
  gtk_widget_add_css_class (cell.change, "total-change");
  gtk_box_append (GTK_BOX (head), label);
  gtk_box_append (GTK_BOX (head), cell.change);
  gtk_box_append (GTK_BOX (cell.box), head);
  gtk_box_append (GTK_BOX (cell.box), cell.value);
  pju_set_tooltip (cell.box, tooltip);
  gtk_widget_add_css_class (cell.box, "total");
  gtk_widget_set_hexpand (cell.box, FALSE);
  gtk_widget_set_parent (cell.box, GTK_WIDGET (self));
  return cell;
}

static void
say (Cell *cell, const char *title)
{
  g_autofree char *text = g_strdup_printf ("%s: %s %s", title, gtk_label_get_text (GTK_LABEL (cell->value)),
                                           gtk_label_get_text (GTK_LABEL (cell->change)));
  gtk_accessible_update_property (GTK_ACCESSIBLE (cell->box), GTK_ACCESSIBLE_PROPERTY_LABEL, text, -1);
}

static void
show_cost (PjuTotalsBar *self, Cell *cell, const char *title, const char *before_name, const char *after_name,
           const char *unit)
{
  PjmProject *project = pju_studio_get_project (self->studio);
  guint64 before = pju_get_uint64 (project, before_name), after = pju_get_uint64 (project, after_name);
  g_autofree char *b = pju_format_count (before), *a = pju_format_count (after);
  g_autofree char *text = before == after ? g_strdup_printf ("%s%s", b, unit)
                                         : g_strdup_printf ("%s%s → %s%s", b, unit, a, unit);
  g_autofree char *change = before == after || before == 0 ? NULL : pju_format_change (before, after);

  gtk_label_set_text (GTK_LABEL (cell->value), text);
  gtk_label_set_text (GTK_LABEL (cell->change), change ? change : "");
  gtk_widget_set_visible (cell->change, change != NULL);
  say (cell, title);
}

static void
show_time (PjuTotalsBar *self)
{
  PjmProject *project = pju_studio_get_project (self->studio);
  Cell *cell = &self->cells[TIME];
  double before = pju_get_double (project, "time"), after = pju_get_double (project, "time-after");
  g_autofree char *b = pju_format_milliseconds (before), *a = pju_format_milliseconds (after);
  gboolean cut = pju_get_boolean (project, "modified-masks") && before > 0;
  g_autofree char *text = cut ? g_strdup_printf ("%s → %s", b, a) : g_strdup (b);
  g_autofree char *change = cut ? pju_format_change (before, after) : NULL;

  gtk_label_set_text (GTK_LABEL (cell->value), text);
  gtk_label_set_text (GTK_LABEL (cell->change), change ? change : "");
  gtk_widget_set_visible (cell->change, change != NULL);
  say (cell, _("Time"));
}

static void
show_accuracy (PjuTotalsBar *self)
{
  PjmProject *project = pju_studio_get_project (self->studio);
  Cell *cell = &self->cells[ACCURACY];
  double base = pju_get_double (project, "base-accuracy"), now = pju_get_double (project, "preview-accuracy");
  double error = pju_get_double (project, "preview-error");
  gboolean stale = pju_get_boolean (project, "preview-stale"), cut = pju_get_boolean (project, "modified-masks");
  guint count = pju_get_uint (project, "preview-count");
  g_autofree char *b = pju_format_percent (base, 1), *n = pju_format_percent (now, 1);
  g_autofree char *data = pju_get_string (project, "data-name");
  g_autofree char *text = NULL, *note = NULL, *tooltip = NULL;

  if (!data)
    text = g_strdup (_("needs data"));
  else if (base < 0 && now < 0)
    text = g_strdup (_("measuring…"));
  else if (!cut || now < 0)
    text = g_strdup (base < 0 ? n : b);
  else
    text = g_strdup_printf ("%s → %s", b, n);
  if (data && (base >= 0 || now >= 0) && error > 0)
    note = g_strdup_printf (_("± %.1f"), error * 100);
  gtk_label_set_text (GTK_LABEL (cell->value), text);
  gtk_label_set_text (GTK_LABEL (cell->change), note ? note : "");
  gtk_widget_set_visible (cell->change, note != NULL);
  if (stale)
    gtk_widget_add_css_class (cell->box, "stale");
  else
    gtk_widget_remove_css_class (cell->box, "stale");
  if (!data)
    tooltip = g_strdup (_("Open a folder of pictures or a data set to measure accuracy."));
  else
    tooltip = g_strdup_printf (g_dngettext (GETTEXT_PACKAGE,
      "Share of right answers of the network with the marked channels masked, measured on %u held-out picture, "
      "with the standard error of that sample: a quick estimate; Evaluate measures on all test pictures. "
      "Grey: being measured again.",
      "Share of right answers of the network with the marked channels masked, measured on %u held-out pictures, "
      "with the standard error of that sample: a quick estimate; Evaluate measures on all test pictures. "
      "Grey: being measured again.", count), count);
  pju_set_tooltip (cell->box, tooltip);
  say (cell, _("Accuracy"));
}

static gboolean
update_cb (gpointer data)
{
  PjuTotalsBar *self = data;
  self->idle = 0;
  show_cost (self, &self->cells[MACS], _("Multiply-accumulates"), "macs", "macs-after", "");
  show_cost (self, &self->cells[PARAMS], _("Parameters"), "params", "params-after", "");
  show_cost (self, &self->cells[SIZE], _("Size"), "size", "size-after", "B");
  show_time (self);
  show_accuracy (self);
  return G_SOURCE_REMOVE;
}

/* Many properties change together; one redraw is enough. */
static void
queue_update (PjuTotalsBar *self)
{
  if (self->idle == 0)
    self->idle = g_idle_add_full (G_PRIORITY_HIGH_IDLE, update_cb, self, NULL);
}

void
pju_totals_bar_set_studio (PjuTotalsBar *self, PjuStudio *studio)
{
  self->studio = g_object_ref (studio);
  g_signal_connect_object (pju_studio_get_project (studio), "notify", G_CALLBACK (queue_update), self,
                           G_CONNECT_SWAPPED);
  update_cb (self);
}

static void
dispose (GObject *object)
{
  PjuTotalsBar *self = PJU_TOTALS_BAR (object);
  g_clear_handle_id (&self->idle, g_source_remove);
  for (int i = 0; i < N_CELLS; i++)
    g_clear_pointer (&self->cells[i].box, gtk_widget_unparent);
  g_clear_object (&self->studio);
  G_OBJECT_CLASS (pju_totals_bar_parent_class)->dispose (object);
}

static void
pju_totals_bar_class_init (PjuTotalsBarClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);
  G_OBJECT_CLASS (klass)->dispose = dispose;
  gtk_widget_class_set_layout_manager_type (widget_class, GTK_TYPE_BOX_LAYOUT);
  gtk_widget_class_set_css_name (widget_class, "totals");
}

static void
pju_totals_bar_init (PjuTotalsBar *self)
{
  self->cells[MACS] = make_cell (self, _("Multiply-accumulates"),
    _("Multiply-accumulate operations for one picture: counted from the shapes of convolutions and fully "
      "connected layers, before and after the cut. One is two floating-point operations."));
  self->cells[PARAMS] = make_cell (self, _("Parameters"),
    _("Trained numbers of the network: weights, biases and normalization, before and after the cut."));
  self->cells[SIZE] = make_cell (self, _("Size"), _("Bytes of the weights in an exported file, before and after the cut."));
  self->cells[TIME] = make_cell (self, _("Time"),
    _("Milliseconds for one picture on the chosen device of this machine: measured layer by layer for the uncut network; "
      "predicted for the cut one, by scaling each layer with its multiply-accumulates. Measure after the cut to be sure."));
  self->cells[ACCURACY] = make_cell (self, _("Accuracy"), NULL);
}
