/* SPDX-License-Identifier: MIT */
/* PjuChannelMap: the channels of one group: how important each is and which are cut. */
#pragma once

#include "palette.h"

G_BEGIN_DECLS

typedef enum { PJU_CHANNELS_CELLS, PJU_CHANNELS_SORTED } PjuChannelMode;

#define PJU_TYPE_CHANNEL_MAP (pju_channel_map_get_type ())
G_DECLARE_FINAL_TYPE (PjuChannelMap, pju_channel_map, PJU, CHANNEL_MAP, GtkWidget)

/* Property: "editable" boolean.
 * Signals: "toggled" (channel: uint): a person wants it cut or kept;
 *          "hovered" (channel: int): under the pointer or the cursor, -1 for none. */
GtkWidget *pju_channel_map_new (gboolean editable);
/* Copies. @scores (nullable): unknown; @mask (nullable): all kept; @other (nullable): a second mask: channels
 * in which both differ get a frame. */
void pju_channel_map_set (PjuChannelMap *self, const char *name, guint n, const double *scores, const guint8 *mask,
                          const guint8 *other);
/* Frames a channel that is pointed at elsewhere, -1 for none. */
void pju_channel_map_set_hover (PjuChannelMap *self, int channel);
void pju_channel_map_set_mode (PjuChannelMap *self, PjuChannelMode mode);
/* A PjuPainter with the widget as data. */
void pju_channel_map_paint (gpointer self, cairo_t *cr, double width, double height, const PjuPalette *palette);

G_END_DECLS
