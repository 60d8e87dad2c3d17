/* SPDX-License-Identifier: MIT */
/* What is on the screen, stored with the session: page, colours, selected layer, zoom and place of the drawing, the
 * inspector.  It is written a moment after the last change, and when the window closes. */
#include <glib/gi18n-lib.h>

#include "window-private.h"

#define DELAY_MS 600

static void
save_now (PjuWindow *self)
{
  PjmProject *project = self->project;
  PjuNetworkPage *page = PJU_NETWORK_PAGE (self->network_page);
  PjmLayer *layer = pju_studio_get_layer (self->studio);
  double scale, x, y;
  char numbers[3][G_ASCII_DTOSTR_BUF_SIZE];

  if (!pju_get_boolean (project, "ready") || self->restoring)
    return;
  pjm_project_set_view (project, "page", gtk_stack_get_visible_child_name (GTK_STACK (self->pages)));
  pjm_project_set_view (project, "colour", pju_tint_name (pju_network_page_get_tint (page)));
  pjm_project_set_view (project, "layer", layer ? pjm_layer_get_name (layer) : "");
  g_autoptr (GVariant) inspector = g_action_group_get_action_state (G_ACTION_GROUP (self), "inspector");
  pjm_project_set_view (project, "inspector", g_variant_get_boolean (inspector) ? "yes" : "no");
  if (!pju_network_page_get_view (page, &scale, &x, &y))
    return;
  g_autofree char *place = g_strdup_printf ("%s %s %s", g_ascii_formatd (numbers[0], sizeof numbers[0], "%.4f", scale),
                                            g_ascii_formatd (numbers[1], sizeof numbers[1], "%.1f", x),
                                            g_ascii_formatd (numbers[2], sizeof numbers[2], "%.1f", y));
  pjm_project_set_view (project, "place", place);
}

static gboolean
save_cb (gpointer data)
{
  PjuWindow *self = data;
  self->view_timeout = 0;
  save_now (self);
  return G_SOURCE_REMOVE;
}

void
pju_window_view_changed (PjuWindow *self)
{
  if (self->restoring || self->opening)
    return;
  g_clear_handle_id (&self->view_timeout, g_source_remove);
  self->view_timeout = g_timeout_add (DELAY_MS, save_cb, self);
}

void
pju_window_flush_view (PjuWindow *self)
{
  if (self->view_timeout == 0)
    return;
  g_clear_handle_id (&self->view_timeout, g_source_remove);
  save_now (self);
}

static void
restore_layer (PjuWindow *self)
{
  g_autofree char *name = pjm_project_get_view (self->project, "layer");
  GListModel *layers = pjm_project_get_layers (self->project);
  for (guint i = 0; name && *name && i < g_list_model_get_n_items (layers); i++) {
    g_autoptr (PjmLayer) layer = g_list_model_get_item (layers, i);
    if (g_str_equal (pjm_layer_get_name (layer), name))
      pju_studio_set_layer (self->studio, layer);
  }
}

static void
restore_place (PjuWindow *self)
{
  g_autofree char *text = pjm_project_get_view (self->project, "place");
  g_auto (GStrv) words = text ? g_strsplit (text, " ", 3) : NULL;
  if (words && g_strv_length (words) == 3)
    pju_network_page_set_view (PJU_NETWORK_PAGE (self->network_page), g_ascii_strtod (words[0], NULL),
                               g_ascii_strtod (words[1], NULL), g_ascii_strtod (words[2], NULL));
}

void
pju_window_restore_view (PjuWindow *self, const char *fallback_page)
{
  g_autofree char *page = pjm_project_get_view (self->project, "page"), *colour = pjm_project_get_view (self->project, "colour");
  g_autofree char *inspector = pjm_project_get_view (self->project, "inspector");

  self->restoring = TRUE;
  if (colour)
    pju_network_page_set_tint (PJU_NETWORK_PAGE (self->network_page), pju_tint_parse (colour));
  if (inspector)
    g_action_group_change_action_state (G_ACTION_GROUP (self), "inspector", g_variant_new_boolean (g_str_equal (inspector, "yes")));
  restore_layer (self);
  restore_place (self);
  if (page && gtk_stack_get_child_by_name (GTK_STACK (self->pages), page))
    pju_window_show_page (self, page);
  else
    pju_window_show_page (self, fallback_page);
  self->restoring = FALSE;
}

void
pju_window_watch_view (PjuWindow *self)
{
  g_signal_connect_object (self->studio, "notify::layer", G_CALLBACK (pju_window_view_changed), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->network_page, "view-changed", G_CALLBACK (pju_window_view_changed), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->pages, "notify::visible-child-name", G_CALLBACK (pju_window_view_changed), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self, "action-state-changed::inspector", G_CALLBACK (pju_window_view_changed), self, G_CONNECT_SWAPPED);
}
