/* SPDX-License-Identifier: MIT */
/* The first page after a network was opened: what can be pruned, what cannot and what would change that, before
 * anything else; then the pictures as the network gets them, and the settings that make them so. */
#include <glib/gi18n-lib.h>
#include <math.h>
#include <pango/pangocairo.h>

#include "format.h"
#include "overview-page.h"
#include "palette.h"
#include "setting-form.h"
#include "speed-card.h"

#define MAX_LOCKED 12
#define SAMPLE 72
#define CLASS_ROW 18

struct _PjuOverviewPage {
  GtkWidget parent;
  GtkWidget *scroll, *column, *name, *cost, *verdict_icon, *verdict, *share, *start, *remarks_box, *remarks, *locked_box, *locked, *more_locked;
  GtkWidget *data_stack, *data_name, *data_counts, *data_problem, *samples, *classes, *prepared;
  GtkWidget *mean, *std, *side, *order, *measure, *apply;
  PjuStudio *studio;
  gboolean filling;
};

G_DEFINE_FINAL_TYPE (PjuOverviewPage, pju_overview_page, GTK_TYPE_WIDGET)

static PjmProject *
project_of (PjuOverviewPage *self)
{
  return pju_studio_get_project (self->studio);
}

/* --- verdict --- */

static GtkWidget *
line (const char *text, const char *css)
{
  GtkWidget *label = gtk_label_new (text);
  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_label_set_wrap (GTK_LABEL (label), TRUE);
  gtk_label_set_wrap_mode (GTK_LABEL (label), PANGO_WRAP_WORD_CHAR);
  if (css)
    gtk_widget_add_css_class (label, css);
  return label;
}

static void
add_locked (PjuOverviewPage *self, PjmLayer *layer)
{
  GtkWidget *row = gtk_list_box_row_new (), *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 2);
  g_autofree char *reason = pju_get_string (layer, "lock-reason"), *kind = pju_get_string (layer, "kind");
  g_autofree char *hint = pjm_project_get_unlock_hint (project_of (self), layer);
  g_autofree char *title = g_strdup_printf ("%s · %s", pjm_layer_get_name (layer), kind);
  g_autofree char *help = hint ? g_strdup_printf (_("To unlock it: %s"), hint) : NULL;

  gtk_box_append (GTK_BOX (box), line (title, "layer-name"));
  gtk_box_append (GTK_BOX (box), line (reason, NULL));
  if (help)
    gtk_box_append (GTK_BOX (box), line (help, "dim-label"));
  gtk_list_box_row_set_child (GTK_LIST_BOX_ROW (row), box);
  g_object_set_data_full (G_OBJECT (row), "layer", g_object_ref (layer), g_object_unref);
  gtk_accessible_update_property (GTK_ACCESSIBLE (row), GTK_ACCESSIBLE_PROPERTY_LABEL, title,
                                  GTK_ACCESSIBLE_PROPERTY_DESCRIPTION, reason, -1);
  gtk_list_box_append (GTK_LIST_BOX (self->locked), row);
}

static void
show_locked (PjuOverviewPage *self, guint n_locked)
{
  gtk_widget_set_visible (self->locked_box, n_locked > 0);
  gtk_widget_set_visible (self->more_locked, n_locked > MAX_LOCKED);
  if (n_locked <= MAX_LOCKED)
    return;
  guint n = n_locked - MAX_LOCKED;
  g_autofree char *text = g_strdup_printf (g_dngettext (GETTEXT_PACKAGE, "and %u more: see the notes of the layer table",
                                                        "and %u more: see the notes of the layer table", n), n);
  gtk_label_set_text (GTK_LABEL (self->more_locked), text);
}

static void
show_cost (PjuOverviewPage *self)
{
  PjmProject *project = project_of (self);
  g_autofree char *macs = pju_format_count (pju_get_uint64 (project, "macs"));
  g_autofree char *params = pju_format_count (pju_get_uint64 (project, "params"));
  g_autofree char *size = pju_format_count (pju_get_uint64 (project, "size"));
  g_autofree char *text = g_strdup_printf (_("%s multiply-accumulates · %s parameters · %sB"), macs, params, size);
  gtk_label_set_text (GTK_LABEL (self->cost), text);
}

/* What share of the work is done by layers that can be pruned. */
static void
show_share (PjuOverviewPage *self, guint64 within)
{
  guint64 all = pju_get_uint64 (project_of (self), "macs");
  g_autofree char *share = pju_format_percent (all > 0 ? (double) within / all : 0, 0);
  g_autofree char *text = g_strdup_printf (_("They do %s of the multiply-accumulates. Layers that share their channels, such as "
                                             "those of a residual stage, are cut together."), share);
  gtk_label_set_text (GTK_LABEL (self->share), text);
}

static void
show_remarks (PjuOverviewPage *self)
{
  g_auto (GStrv) remarks = pjm_project_list_remarks (project_of (self));
  g_autofree char *text = g_strjoinv ("\n", remarks);
  gtk_label_set_text (GTK_LABEL (self->remarks), text);
  gtk_widget_set_visible (self->remarks_box, *text != '\0');
  /* A few are read at a glance. */
  gtk_expander_set_expanded (GTK_EXPANDER (self->remarks_box), g_strv_length (remarks) <= 3);
}

static void
show_verdict (PjuOverviewPage *self)
{
  PjmProject *project = project_of (self);
  GListModel *layers = pjm_project_get_layers (project);
  g_autofree char *name = pju_get_string (project, "name");
  guint n_free = 0, n_locked = 0, channels = 0;
  guint64 within = 0;
  GtkWidget *child;

  while ((child = gtk_widget_get_first_child (self->locked)))
    gtk_list_box_remove (GTK_LIST_BOX (self->locked), child);
  for (guint i = 0; i < g_list_model_get_n_items (layers); i++) {
    g_autoptr (PjmLayer) layer = g_list_model_get_item (layers, i);
    if (pjm_layer_get_channels (layer) == 0)
      continue;
    if (pjm_layer_get_locked (layer)) {
      if (n_locked++ < MAX_LOCKED)
        add_locked (self, layer);
    } else {
      n_free++;
      channels += pjm_layer_get_channels (layer);
      within += pju_get_uint64 (layer, "macs");
    }
  }
  g_autofree char *what = g_strdup_printf (g_dngettext (GETTEXT_PACKAGE, "%u layer can be pruned", "%u layers can be pruned",
                                                        n_free), n_free);
  g_autofree char *how = g_strdup_printf (g_dngettext (GETTEXT_PACKAGE, "%u channel", "%u channels", channels), channels);
  g_autofree char *text = n_free > 0 ? g_strdup_printf (_("%s, with %s in all."), what, how)
                                     : g_strdup (_("Nothing in this network can be pruned."));
  gtk_label_set_text (GTK_LABEL (self->name), name ? name : "");
  gtk_label_set_text (GTK_LABEL (self->verdict), text);
  gtk_image_set_from_icon_name (GTK_IMAGE (self->verdict_icon), n_free > 0 ? "object-select-symbolic" : "changes-prevent-symbolic");
  gtk_widget_set_visible (self->share, n_free > 0);
  show_share (self, within);
  show_cost (self);
  show_locked (self, n_locked);
  show_remarks (self);
}

static void
locked_activated_cb (PjuOverviewPage *self, GtkListBoxRow *row)
{
  pju_studio_set_layer (self->studio, g_object_get_data (G_OBJECT (row), "layer"));
  gtk_widget_activate_action (GTK_WIDGET (self), "win.page", "s", "network");
}

/* --- pictures --- */

static cairo_surface_t *
sample_surface (const PjmData *data, guint i)
{
  int plane = data->h * data->w;
  const guint8 *from = data->pixels + (gsize) i * (gsize) (data->c * plane);
  cairo_surface_t *surface = cairo_image_surface_create (CAIRO_FORMAT_RGB24, data->w, data->h);
  cairo_surface_flush (surface);
  guint32 *pixels = (guint32 *) (gpointer) cairo_image_surface_get_data (surface);
  int stride = cairo_image_surface_get_stride (surface) / 4;
  for (int k = 0; k < plane; k++) {
    guint32 a = from[k], b = from[data->c == 3 ? plane + k : k], c = from[data->c == 3 ? 2 * plane + k : k];
    pixels[k / data->w * stride + k % data->w] = data->preparation.bgr ? c << 16 | b << 8 | a : a << 16 | b << 8 | c;
  }
  cairo_surface_mark_dirty (surface);
  return surface;
}

static void
small_text (cairo_t *cr, const char *text, double x, double y, double width)
{
  g_autoptr (PangoLayout) layout = pango_cairo_create_layout (cr);
  PangoFontDescription *font = pango_font_description_from_string ("Cantarell, Noto Sans CJK SC, Sans");
  pango_font_description_set_absolute_size (font, 11 * PANGO_SCALE);
  pango_layout_set_font_description (layout, font);
  pango_font_description_free (font);
  pango_layout_set_text (layout, text, -1);
  pango_layout_set_width (layout, (int) (width * PANGO_SCALE));
  pango_layout_set_ellipsize (layout, PANGO_ELLIPSIZE_END);
  cairo_move_to (cr, x, y);
  pango_cairo_show_layout (cr, layout);
}

static void
draw_samples (GtkDrawingArea *area, cairo_t *cr, int width, int height, gpointer user_data)
{
  PjuOverviewPage *self = user_data;
  const PjmData *data = self->studio ? pjm_project_get_data (project_of (self)) : NULL;
  PjuPalette palette;
  if (!data || data->n_samples == 0)
    return;
  pju_palette_from_widget (&palette, GTK_WIDGET (area));
  guint columns = MAX (1, width / (SAMPLE + 8));
  for (guint i = 0; i < data->n_samples; i++) {
    double x = i % columns * (SAMPLE + 8), y = i / columns * (SAMPLE + 24);
    cairo_surface_t *surface = sample_surface (data, i);
    double scale = MIN ((double) SAMPLE / data->w, (double) SAMPLE / data->h);
    cairo_save (cr);
    cairo_translate (cr, x + (SAMPLE - scale * data->w) / 2, y + (SAMPLE - scale * data->h) / 2);
    cairo_scale (cr, scale, scale);
    cairo_set_source_surface (cr, surface, 0, 0);
    cairo_pattern_set_filter (cairo_get_source (cr), scale > 1.5 ? CAIRO_FILTER_NEAREST : CAIRO_FILTER_GOOD);
    cairo_paint (cr);
    cairo_restore (cr);
    cairo_surface_destroy (surface);
    int label = data->labels[i];
    pju_set_color (cr, &palette.dim, 1);
    small_text (cr, label >= 0 && (guint) label < data->n_classes ? data->classes[label].name : "–", x, y + SAMPLE + 2, SAMPLE);
  }
}

/* A bar per class: training pictures solid, test pictures hatched. */
static void
draw_classes (GtkDrawingArea *area, cairo_t *cr, int width, int height, gpointer user_data)
{
  PjuOverviewPage *self = user_data;
  const PjmData *data = self->studio ? pjm_project_get_data (project_of (self)) : NULL;
  PjuPalette palette;
  guint most = 1;
  if (!data)
    return;
  pju_palette_from_widget (&palette, GTK_WIDGET (area));
  for (guint k = 0; k < data->n_classes; k++)
    most = MAX (most, data->classes[k].n_train + data->classes[k].n_test);
  double left = 170, right = 130, full = MAX (width - left - right, 40);
  for (guint k = 0; k < data->n_classes; k++) {
    const PjmClass *one = &data->classes[k];
    double y = k * CLASS_ROW, train = full * one->n_train / most, test = full * one->n_test / most;
    g_autofree char *counts = g_strdup_printf (_("%u + %u for testing"), one->n_train, one->n_test);
    pju_set_color (cr, &palette.fg, 1);
    small_text (cr, one->name, 0, y, left - 10);
    pju_set_color (cr, &palette.accent, .85);
    cairo_rectangle (cr, left, y + 3, train, CLASS_ROW - 7);
    cairo_fill (cr);
    cairo_set_line_width (cr, 1);
    pju_hatch (cr, left + train, y + 3, test, CLASS_ROW - 7, 4, &palette.accent);
    pju_set_color (cr, &palette.dim, 1);
    small_text (cr, counts, left + train + test + 8, y, right - 8 + full - train - test);
  }
}

static void
samples_resize_cb (PjuOverviewPage *self)
{
  const PjmData *data = self->studio ? pjm_project_get_data (project_of (self)) : NULL;
  int width = gtk_widget_get_width (self->samples);
  guint columns = MAX (1, (width > 0 ? width : 700) / (SAMPLE + 8));
  guint rows = data ? (data->n_samples + columns - 1) / columns : 0;
  gtk_drawing_area_set_content_height (GTK_DRAWING_AREA (self->samples), (int) rows * (SAMPLE + 24));
}

/* "0.485 0.456 0.406" */
static char *
join_numbers (const double *values, int n)
{
  GString *text = g_string_new (NULL);
  for (int i = 0; i < n; i++) {
    char digits[G_ASCII_DTOSTR_BUF_SIZE];
    g_string_append_printf (text, "%s%s", i > 0 ? " " : "", g_ascii_formatd (digits, sizeof digits, "%.4f", values[i]));
  }
  return g_string_free (text, FALSE);
}

/* Numbers with spaces or commas between them; FALSE if there are not @n. */
static gboolean
split_numbers (const char *text, int n, double *values)
{
  g_auto (GStrv) words = g_strsplit_set (text, " ,;", -1);
  int found = 0;
  for (guint i = 0; words[i]; i++) {
    char *end;
    if (!*words[i])
      continue;
    double value = g_ascii_strtod (words[i], &end);
    if (*end || !isfinite (value) || found >= n)
      return FALSE;
    values[found++] = value;
  }
  return found == n;
}

static void
fill_preparation (PjuOverviewPage *self, const PjmData *data)
{
  const PjmPreparation *p = &data->preparation;
  g_autofree char *mean = join_numbers (p->mean, p->c), *std = join_numbers (p->std, p->c);
  g_autofree char *text = g_strdup_printf (
    data->measured ? _("The network takes %s of %d×%d pixels. Mean and deviation were measured on the training pictures.")
                   : _("The network takes %s of %d×%d pixels. Mean and deviation come from the network’s notes."),
    p->c == 1 ? _("grey pictures") : _("colour pictures"), p->w, p->h);
  self->filling = TRUE;
  gtk_editable_set_text (GTK_EDITABLE (self->mean), mean);
  gtk_editable_set_text (GTK_EDITABLE (self->std), std);
  gtk_spin_button_set_value (GTK_SPIN_BUTTON (self->side), p->side);
  gtk_drop_down_set_selected (GTK_DROP_DOWN (self->order), p->bgr ? 1 : 0);
  self->filling = FALSE;
  gtk_widget_set_sensitive (self->order, p->c == 3);
  gtk_widget_set_sensitive (self->apply, FALSE);
  gtk_label_set_text (GTK_LABEL (self->prepared), text);
}

static void
show_data (PjuOverviewPage *self)
{
  const PjmData *data = pjm_project_get_data (project_of (self));
  g_autofree char *name = pju_get_string (project_of (self), "data-name");
  gtk_stack_set_visible_child_name (GTK_STACK (self->data_stack), data ? "data" : name ? "reading" : "none");
  if (!data)
    return;
  g_autofree char *train = g_strdup_printf (g_dngettext (GETTEXT_PACKAGE, "%u picture for training", "%u pictures for training",
                                                         data->n_train), data->n_train);
  g_autofree char *test = g_strdup_printf (g_dngettext (GETTEXT_PACKAGE, "%u for testing", "%u for testing", data->n_test), data->n_test);
  g_autofree char *classes = g_strdup_printf (g_dngettext (GETTEXT_PACKAGE, "%u class", "%u classes", data->n_classes), data->n_classes);
  g_autofree char *counts = g_strdup_printf (data->native_c == 1 ? _("%s, %s, in %s; stored in grey, %d×%d pixels")
                                                                 : _("%s, %s, in %s; stored in colour, %d×%d pixels"),
                                             train, test, classes, data->native_w, data->native_h);
  gtk_label_set_text (GTK_LABEL (self->data_name), data->name);
  pju_set_tooltip (self->data_name, data->path);
  gtk_label_set_text (GTK_LABEL (self->data_counts), counts);
  gtk_label_set_text (GTK_LABEL (self->data_problem), data->problem ? data->problem : "");
  gtk_widget_set_visible (self->data_problem, data->problem != NULL);
  gtk_drawing_area_set_content_height (GTK_DRAWING_AREA (self->classes), (int) data->n_classes * CLASS_ROW + 6);
  g_autofree char *samples = g_strdup_printf (g_dngettext (GETTEXT_PACKAGE, "%u sample picture", "%u sample pictures",
                                                           data->n_samples), data->n_samples);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->samples), GTK_ACCESSIBLE_PROPERTY_LABEL, samples, -1);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->classes), GTK_ACCESSIBLE_PROPERTY_LABEL, classes, -1);
  samples_resize_cb (self);
  gtk_widget_queue_draw (self->samples);
  gtk_widget_queue_draw (self->classes);
  if (!data->problem || data->preparation.c > 0)
    fill_preparation (self, data);
}

static gboolean
read_preparation (PjuOverviewPage *self, PjmPreparation *wanted)
{
  const PjmData *data = pjm_project_get_data (project_of (self));
  if (!data)
    return FALSE;
  *wanted = data->preparation;
  wanted->side = gtk_spin_button_get_value_as_int (GTK_SPIN_BUTTON (self->side));
  wanted->bgr = gtk_drop_down_get_selected (GTK_DROP_DOWN (self->order)) == 1;
  gboolean mean = split_numbers (gtk_editable_get_text (GTK_EDITABLE (self->mean)), wanted->c, wanted->mean);
  gboolean std = split_numbers (gtk_editable_get_text (GTK_EDITABLE (self->std)), wanted->c, wanted->std);
  for (int ch = 0; std && ch < wanted->c; ch++)
    std = wanted->std[ch] > 0;
  (mean ? gtk_widget_remove_css_class : gtk_widget_add_css_class) (self->mean, "error");
  (std ? gtk_widget_remove_css_class : gtk_widget_add_css_class) (self->std, "error");
  return mean && std;
}

static void
edited_cb (PjuOverviewPage *self)
{
  PjmPreparation wanted;
  if (!self->filling && self->studio)
    gtk_widget_set_sensitive (self->apply, read_preparation (self, &wanted)
                              && !pju_get_boolean (project_of (self), "read-only"));
}

static void
apply_cb (PjuOverviewPage *self)
{
  PjmPreparation wanted;
  if (read_preparation (self, &wanted))
    pjm_project_set_preparation (project_of (self), &wanted, FALSE);
}

static void
measure_cb (PjuOverviewPage *self)
{
  PjmPreparation wanted;
  if (read_preparation (self, &wanted))
    pjm_project_set_preparation (project_of (self), &wanted, TRUE);
}

static void
imagenet_cb (PjuOverviewPage *self)
{
  const PjmData *data = pjm_project_get_data (project_of (self));
  gboolean grey = data && data->preparation.c == 1;
  gboolean bgr = gtk_drop_down_get_selected (GTK_DROP_DOWN (self->order)) == 1;
  gtk_editable_set_text (GTK_EDITABLE (self->mean), grey ? "0.449" : bgr ? "0.406 0.456 0.485" : "0.485 0.456 0.406");
  gtk_editable_set_text (GTK_EDITABLE (self->std), grey ? "0.226" : bgr ? "0.225 0.224 0.229" : "0.229 0.224 0.225");
}

void
pju_overview_page_set_studio (PjuOverviewPage *self, PjuStudio *studio)
{
  PjmProject *project = pju_studio_get_project (studio);
  self->studio = g_object_ref (studio);
  pju_set_label (self->order, _("Order of the colours"));
  gtk_box_append (GTK_BOX (self->column), pju_speed_card_new (studio));
  g_signal_connect_object (project, "graph-changed", G_CALLBACK (show_verdict), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (project, "data-changed", G_CALLBACK (show_data), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (project, "notify::data-name", G_CALLBACK (show_data), self, G_CONNECT_SWAPPED);
}

static void
dispose (GObject *object)
{
  PjuOverviewPage *self = PJU_OVERVIEW_PAGE (object);
  g_clear_object (&self->studio);
  g_clear_pointer (&self->scroll, gtk_widget_unparent);
  G_OBJECT_CLASS (pju_overview_page_parent_class)->dispose (object);
}

#define CHILD(name) gtk_widget_class_bind_template_child (widget_class, PjuOverviewPage, name)
#define CALLBACK(name) gtk_widget_class_bind_template_callback (widget_class, name)

static void
pju_overview_page_class_init (PjuOverviewPageClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);
  G_OBJECT_CLASS (klass)->dispose = dispose;
  gtk_widget_class_set_template_from_resource (widget_class, "/io/github/penjing/Penjing/ui/overview-page.ui");
  CHILD (scroll); CHILD (column); CHILD (name); CHILD (cost); CHILD (verdict_icon); CHILD (verdict); CHILD (share); CHILD (start);
  CHILD (remarks_box); CHILD (remarks);
  CHILD (locked_box); CHILD (locked); CHILD (more_locked); CHILD (data_stack); CHILD (data_name); CHILD (data_counts);
  CHILD (data_problem); CHILD (samples); CHILD (classes); CHILD (prepared); CHILD (mean); CHILD (std); CHILD (side);
  CHILD (order); CHILD (measure); CHILD (apply);
  CALLBACK (locked_activated_cb); CALLBACK (edited_cb); CALLBACK (apply_cb); CALLBACK (measure_cb); CALLBACK (imagenet_cb);
}

static void
pju_overview_page_init (PjuOverviewPage *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  pju_form_name_zero (self->side, _("Automatic"));
  gtk_drawing_area_set_draw_func (GTK_DRAWING_AREA (self->samples), draw_samples, self, NULL);
  gtk_drawing_area_set_draw_func (GTK_DRAWING_AREA (self->classes), draw_classes, self, NULL);
  g_signal_connect_swapped (self->samples, "resize", G_CALLBACK (samples_resize_cb), self);
}
