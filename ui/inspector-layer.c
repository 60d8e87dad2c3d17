/* SPDX-License-Identifier: MIT */
/* The inspector's page of a layer: facts, share to keep, its effect, channels by every criterion. */
#include <glib/gi18n-lib.h>

#include "channel-map.h"
#include "format.h"
#include "gallery.h"
#include "inspector-private.h"
#include "ratio.h"

static char *
before_after (guint64 before, guint64 after)
{
  g_autofree char *b = pju_format_count (before), *a = pju_format_count (after);
  return before == after ? g_steal_pointer (&b) : g_strdup_printf ("%s → %s", b, a);
}

static void
show_effect (PjuInspector *self)
{
  PjmProject *project = pju_studio_get_project (self->studio);
  double accuracy = pju_get_double (project, "preview-accuracy"), error = pju_get_double (project, "preview-error");
  g_autofree char *macs = pju_format_change (pju_get_uint64 (project, "macs"), pju_get_uint64 (project, "macs-after"));
  g_autofree char *params = pju_format_change (pju_get_uint64 (project, "params"), pju_get_uint64 (project, "params-after"));
  g_autofree char *percent = pju_format_percent (accuracy, 1);
  g_autofree char *right = accuracy < 0 ? g_strdup ("–") : g_strdup_printf ("%s ± %.1f", percent, error * 100);

  gtk_label_set_text (GTK_LABEL (self->effect_macs), macs);
  gtk_label_set_text (GTK_LABEL (self->effect_params), params);
  gtk_label_set_text (GTK_LABEL (self->effect_accuracy), right);
  if (pju_get_boolean (project, "preview-stale"))
    gtk_widget_add_css_class (self->effect_accuracy, "stale");
  else
    gtk_widget_remove_css_class (self->effect_accuracy, "stale");
}

static const char *
title_of (PjuInspector *self, const char *name)
{
  guint n;
  const PjmChoice *choices = pjm_project_get_methods (pju_studio_get_project (self->studio), &n);
  for (guint i = 0; i < n; i++) {
    if (g_strcmp0 (choices[i].name, name) == 0)
      return choices[i].title;
  }
  return name;
}

/* One label and one map for each other criterion; made anew only for another layer or another set. */
static void
make_others (PjuInspector *self, GPtrArray *names)
{
  pju_inspector_clear (self->others);
  g_ptr_array_set_size (self->other_maps, 0);
  for (guint i = 0; i < names->len; i++) {
    GtkWidget *label = gtk_label_new (title_of (self, names->pdata[i])), *map = pju_channel_map_new (FALSE);
    gtk_label_set_xalign (GTK_LABEL (label), 0);
    gtk_box_append (GTK_BOX (self->others), label);
    gtk_box_append (GTK_BOX (self->others), map);
    g_ptr_array_add (self->other_maps, map);
  }
}

static void
show_others (PjuInspector *self)
{
  g_autofree char *present = pju_get_string (pju_studio_get_project (self->studio), "criterion");
  g_autoptr (GPtrArray) names = g_ptr_array_new (), all = g_ptr_array_new ();

  for (guint i = 0; i < pjm_layer_n_criteria (self->layer); i++) {
    const double *scores;
    const char *name = pjm_layer_get_criterion (self->layer, i, &scores);
    if (scores && g_strcmp0 (name, present) != 0) {
      g_ptr_array_add (names, (gpointer) name);
      g_ptr_array_add (all, (gpointer) scores);
    }
  }
  g_autofree char *key = g_strdup_printf ("%p %s", (void *) self->layer, present);
  for (guint i = 0; i < names->len; i++) {
    char *longer = g_strconcat (key, " ", names->pdata[i], NULL);
    g_free (key);
    key = longer;
  }
  if (g_strcmp0 (key, self->others_key) != 0) {
    make_others (self, names);
    g_free (self->others_key);
    self->others_key = g_steal_pointer (&key);
  }
  for (guint i = 0; i < names->len; i++)
    pju_channel_map_set (self->other_maps->pdata[i], title_of (self, names->pdata[i]),
                         pjm_layer_get_channels (self->layer), all->pdata[i], pjm_layer_get_mask (self->layer), NULL);
  gtk_widget_set_visible (self->others_box, names->len > 0);
}

static void
show_channels (PjuInspector *self)
{
  guint n = pjm_layer_get_channels (self->layer), kept = pjm_layer_get_kept (self->layer);
  const char *refusal = pjm_layer_get_refusal (self->layer);
  const double *scores = pjm_layer_get_scores (self->layer);
  g_autofree char *count = g_strdup_printf (_("%u of %u channels"), kept, n);

  gtk_label_set_text (GTK_LABEL (self->kept), count);
  pju_ratio_set (PJU_RATIO (self->ratio), pjm_layer_get_keep_ratio (self->layer));
  pju_channel_map_set (PJU_CHANNEL_MAP (self->map), pjm_layer_get_name (self->layer), n, scores,
                       pjm_layer_get_mask (self->layer), NULL);
  pju_inspector_text (self->refusal, refusal ? refusal : !scores ? _("Not scored by this criterion yet.") : NULL);
  show_others (self);
}

/* What can be removed whole: the block around the layer, and the layer. */
static void
show_whole (PjuInspector *self)
{
  const char *block = pjm_layer_get_block (self->layer), *reason = pjm_layer_get_block_reason (self->layer);
  gboolean layer = pjm_layer_can_go (self->layer), editable = !pju_get_boolean (pju_studio_get_project (self->studio), "read-only");
  g_autofree char *share = pjm_layer_describe_block (self->layer), *text = NULL;

  if (block && reason)
    text = g_strdup_printf (_("The block %s cannot be removed: %s."), block, reason);
  else if (block)
    text = g_strdup_printf (_("The block %s has a shortcut, which stays without it. It makes up %s."), block, share);
  else if (layer)
    text = g_strdup (_("The output of this layer has the shape of its input, so the network works without it."));
  pju_inspector_text (self->whole_note, text);
  gtk_widget_set_visible (self->whole_box, text != NULL);
  gtk_widget_set_visible (self->remove_block, block && !reason);
  gtk_widget_set_visible (self->remove_layer, layer);
  gtk_widget_set_sensitive (self->remove_block, editable);
  gtk_widget_set_sensitive (self->remove_layer, editable);
}

void
pju_inspector_show_layer (PjuInspector *self)
{
  gboolean prunable = pjm_layer_get_channels (self->layer) > 0, locked = pjm_layer_get_locked (self->layer);
  g_autofree char *kind = pju_get_string (self->layer, "kind"), *detail = pju_get_string (self->layer, "detail");
  g_autofree char *shape = pju_get_string (self->layer, "shape"), *ties = pju_get_string (self->layer, "ties");
  g_autofree char *reason = pju_get_string (self->layer, "lock-reason");
  g_autofree char *macs = before_after (pju_get_uint64 (self->layer, "macs"), pju_get_uint64 (self->layer, "macs-after"));
  g_autofree char *params = before_after (pju_get_uint64 (self->layer, "params"),
                                          pju_get_uint64 (self->layer, "params-after"));
  g_autofree char *label = g_strdup_printf (_("Share of channels to keep in %s"), pjm_layer_get_name (self->layer));

  pju_inspector_text (self->name, pjm_layer_get_name (self->layer));
  pju_inspector_text (self->kind, kind);
  pju_inspector_text (self->detail, detail);
  pju_inspector_text (self->shape, shape);
  pju_inspector_text (self->macs, macs);
  pju_inspector_text (self->params, params);
  pju_inspector_text (self->lock_reason, reason);
  pju_inspector_text (self->ties, ties);
  g_autofree char *hint = pjm_project_get_unlock_hint (pju_studio_get_project (self->studio), self->layer);
  g_autofree char *help = hint ? g_strdup_printf (_("To unlock it: %s"), hint) : NULL;
  pju_inspector_text (self->lock_hint, help);
  gtk_widget_set_visible (self->sensitivity_box, prunable && !locked);
  gtk_widget_set_visible (self->gallery_box, prunable);
  pju_gallery_set_layer (PJU_GALLERY (self->gallery), prunable ? self->layer : NULL);
  pju_gallery_refresh (PJU_GALLERY (self->gallery));
  if (prunable && !locked)
    pju_inspector_show_sensitivity (self);
  gtk_widget_set_visible (self->lock_card, reason != NULL);
  gtk_widget_set_visible (self->tie_card, ties != NULL);
  gtk_widget_set_visible (self->keep_box, prunable && !locked);
  gtk_widget_set_visible (self->criterion_box, prunable && !locked);
  gtk_widget_set_visible (self->channels_box, prunable && (!locked || pjm_layer_get_scores (self->layer)));
  g_object_set (self->map, "editable", prunable && !locked, NULL);
  pju_ratio_set_label (PJU_RATIO (self->ratio), label);
  show_whole (self);
  if (prunable)
    show_channels (self);
  else
    gtk_widget_set_visible (self->others_box, FALSE);
  show_effect (self);
}
