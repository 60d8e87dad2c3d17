/* SPDX-License-Identifier: MIT */
/* What the inspector shows of a layer's channels as pictures: the curve of sensitivity, the gallery; and saving them. */
#include <glib/gi18n-lib.h>

#include "channel-map.h"
#include "chart-view.h"
#include "gallery.h"
#include "inspector-private.h"
#include "save.h"

/* The curve and its one line; a button where nothing was measured. */
void
pju_inspector_show_sensitivity (PjuInspector *self)
{
  PjmProject *project = pju_studio_get_project (self->studio);
  PjuChart *chart = pju_chart_view_get_chart (PJU_CHART_VIEW (self->curve));
  g_autofree char *reading = NULL;
  guint n, n_pictures = 0;
  double base = 0;
  const double *points = pjm_project_get_sensitivity (project, self->layer, &n, &base, &n_pictures, &reading);

  gtk_widget_set_visible (self->curve, points != NULL);
  gtk_widget_set_visible (self->sensitivity_save, points != NULL);
  gtk_widget_set_visible (self->sensitivity_button, points == NULL);
  if (!points) {
    pju_inspector_text (self->reading, _("Not measured yet."));
    return;
  }
  pju_chart_clear (chart);
  PjuSeries *series = pju_chart_series (chart, _("Accuracy"));
  for (guint i = 0; i < n; i++)
    pju_series_add (series, points[2 * i], points[2 * i + 1], NULL);
  chart->rule = base;
  g_free (chart->title);
  chart->title = g_strdup (pjm_layer_get_name (self->layer));
  g_autofree char *text = g_strdup_printf (g_dngettext (GETTEXT_PACKAGE, "%s %s (measured on %u picture).",
                                                        "%s %s (measured on %u pictures).", n_pictures),
                                           pjm_layer_get_name (self->layer), reading, n_pictures);
  pju_inspector_text (self->reading, text);
  pju_chart_view_changed (PJU_CHART_VIEW (self->curve), text);
}

/* One line per channel: whether it stays, and its score by every criterion so far. */
static char *
channels_to_csv (PjmLayer *layer)
{
  GString *csv = g_string_new ("channel,kept");
  const guint8 *mask = pjm_layer_get_mask (layer);
  const double *scores;
  guint n = pjm_layer_n_criteria (layer);
  for (guint i = 0; i < n; i++)
    g_string_append_printf (csv, ",%s", pjm_layer_get_criterion (layer, i, NULL));
  g_string_append_c (csv, '\n');
  for (guint c = 0; c < pjm_layer_get_channels (layer); c++) {
    char number[G_ASCII_DTOSTR_BUF_SIZE];
    g_string_append_printf (csv, "%u,%d", c, !mask || mask[c]);
    for (guint i = 0; i < n; i++) {
      pjm_layer_get_criterion (layer, i, &scores);
      g_string_append_printf (csv, ",%s", g_ascii_formatd (number, sizeof number, "%.9g", scores[c]));
    }
    g_string_append_c (csv, '\n');
  }
  return g_string_free (csv, FALSE);
}

void
pju_inspector_save_channels_cb (PjuInspector *self)
{
  if (!self->layer)
    return;
  g_autofree char *name = g_strdup_printf ("%s-channels.svg", pjm_layer_get_name (self->layer));
  g_strdelimit (name, "/\\:", '-');
  pju_plot_save (self->studio, GTK_WIDGET (self), name, pju_channel_map_paint, g_object_ref (self->map), g_object_unref, 640,
                 360, channels_to_csv (self->layer));
}

void
pju_inspector_gallery_mode_cb (PjuInspector *self)
{
  guint mode = gtk_drop_down_get_selected (GTK_DROP_DOWN (self->gallery_mode));
  if (!self->studio || self->filling || mode >= PJU_N_GALLERIES)
    return;
  pju_gallery_set_mode (PJU_GALLERY (self->gallery), (PjuGalleryMode) mode);
  pju_inspector_text (self->gallery_about, pju_gallery_mode_about ((PjuGalleryMode) mode));
}

static char *
file_name (PjuInspector *self, const char *what)
{
  char *name = g_strdup_printf ("%s-%s.svg", pjm_layer_get_name (self->layer), what);
  return g_strdelimit (name, "/\\:", '-');
}

void
pju_inspector_save_gallery_cb (PjuInspector *self)
{
  if (!self->layer)
    return;
  g_autofree char *name = file_name (self, "look");
  double width = 640;
  pju_picture_save (self->studio, GTK_WIDGET (self), name, pju_gallery_paint, g_object_ref (self->gallery), g_object_unref,
                    width, pju_gallery_height (PJU_GALLERY (self->gallery), width));
}

void
pju_inspector_save_sensitivity_cb (PjuInspector *self)
{
  if (!self->layer)
    return;
  g_autofree char *name = file_name (self, "sensitivity");
  pju_chart_view_save (PJU_CHART_VIEW (self->curve), self->studio, name);
}

void
pju_inspector_make_look (PjuInspector *self)
{
  g_autoptr (GtkStringList) titles = gtk_string_list_new (NULL);
  PjuChart *chart = pju_chart_new (NULL, _("Share of channels kept"), NULL);
  for (guint i = 0; i < PJU_N_GALLERIES; i++)
    gtk_string_list_append (titles, pju_gallery_mode_title ((PjuGalleryMode) i));
  self->filling = TRUE;
  gtk_drop_down_set_model (GTK_DROP_DOWN (self->gallery_mode), G_LIST_MODEL (titles));
  self->filling = FALSE;
  pju_set_label (self->gallery_mode, _("What to see of the channels"));
  chart->x_unit = chart->y_unit = PJU_CHART_PERCENT;
  chart->x_min = 0;
  chart->x_max = 1;
  chart->rule_name = g_strdup (_("whole"));
  self->curve = pju_chart_view_new (chart);
  gtk_widget_set_size_request (self->curve, -1, 170);
  gtk_box_append (GTK_BOX (self->sensitivity_box), self->curve);
}
