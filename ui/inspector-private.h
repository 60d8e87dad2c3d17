/* SPDX-License-Identifier: MIT */
/* What inspector.c, inspector-layer.c and inspector-look.c share. */
#pragma once

#include "inspector.h"

struct _PjuInspector {
  GtkWidget parent;
  GtkWidget *stack, *network_name, *verdict, *locked_box, *locked_list;
  GtkWidget *name, *kind, *detail, *shape, *macs, *params, *facts, *lock_card, *lock_reason, *lock_hint, *tie_card, *ties;
  GtkWidget *keep_box, *kept, *ratio, *effect_macs, *effect_params, *effect_accuracy, *criterion_box, *criterion, *about, *source;
  GtkWidget *whole_box, *whole_note, *remove_block, *remove_layer;
  GtkWidget *channels_box, *cells_toggle, *map, *hover, *refusal, *others_box, *others;
  GtkWidget *sensitivity_box, *sensitivity_button, *sensitivity_save, *reading, *curve;
  GtkWidget *gallery_box, *gallery_mode, *gallery, *gallery_about;
  PjuStudio *studio;
  PjmLayer *layer;
  GPtrArray *criteria;             /* names, in the order of the drop-down */
  GPtrArray *other_maps;           /* PjuChannelMap, not owned */
  char *others_key;                /* what the maps are for */
  gboolean filling, stale, told;    /* changed while nobody saw it; the verdict stands there */
  guint idle;
};

/* Text of a label that hides when it has none. */
void pju_inspector_text (GtkWidget *label, const char *text);
void pju_inspector_clear (GtkWidget *box);

/* inspector-layer.c: the page of the layer. */
void pju_inspector_show_layer (PjuInspector *self);

/* inspector-look.c: the curve of sensitivity and the gallery. */
void pju_inspector_make_look (PjuInspector *self);
void pju_inspector_show_sensitivity (PjuInspector *self);
void pju_inspector_gallery_mode_cb (PjuInspector *self);
void pju_inspector_save_channels_cb (PjuInspector *self);
void pju_inspector_save_gallery_cb (PjuInspector *self);
void pju_inspector_save_sensitivity_cb (PjuInspector *self);
