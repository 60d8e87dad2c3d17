/* SPDX-License-Identifier: MIT */
/* PjuPruneDialog: pruning by a method with everything that can be said about it: which method and how much first, the rest
 * behind expanders; what comes of it, or why it is refused, stands at the bottom before anything starts. */
#pragma once

#include "studio.h"

G_BEGIN_DECLS

#define PJU_TYPE_PRUNE_DIALOG (pju_prune_dialog_get_type ())
G_DECLARE_FINAL_TYPE (PjuPruneDialog, pju_prune_dialog, PJU, PRUNE_DIALOG, GtkWindow)

/* Signal: "started" (job: PjmJob): the first of its jobs; the dialog closes itself. */
GtkWidget *pju_prune_dialog_new (GtkWindow *parent, PjuStudio *studio);

G_END_DECLS
