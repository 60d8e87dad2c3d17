/* SPDX-License-Identifier: MIT */
/* PjuPruneMore: what can be said about pruning by any method, beside what stays: rounding, residual blocks that go whole,
 * how tied layers are judged, pictures, seed. */
#pragma once

#include "studio.h"

G_BEGIN_DECLS

#define PJU_TYPE_PRUNE_MORE (pju_prune_more_get_type ())
G_DECLARE_FINAL_TYPE (PjuPruneMore, pju_prune_more, PJU, PRUNE_MORE, GtkWidget)

/* Signal: "changed". */
GtkWidget *pju_prune_more_new (PjmProject *project);
/* Lines that have no meaning are not shown: @budget: one measure for the whole network; @mends: the method can make up for
 * what goes. */
void pju_prune_more_show (PjuPruneMore *self, gboolean budget, gboolean mends);
/* Into @options: floor, multiple, drop_blocks, tied, widths, constants, n_images, seed, mends. */
void pju_prune_more_get (PjuPruneMore *self, PjmPruneOptions *options);

G_END_DECLS
