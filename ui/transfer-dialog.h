/* SPDX-License-Identifier: MIT */
/* PjuTransferDialog: is a network cut before or after it learns few pictures?  What is compared and with what settings; how
 * long it takes, or why it is refused, stands at the bottom before anything starts. */
#pragma once

#include "studio.h"

G_BEGIN_DECLS

#define PJU_TYPE_TRANSFER_DIALOG (pju_transfer_dialog_get_type ())
G_DECLARE_FINAL_TYPE (PjuTransferDialog, pju_transfer_dialog, PJU, TRANSFER_DIALOG, GtkWindow)

/* Signal: "started" (job: PjmJob); the dialog closes itself. */
GtkWidget *pju_transfer_dialog_new (GtkWindow *parent, PjuStudio *studio);
/* As if a person had chosen the folder @path of what the network was trained on; NULL takes it away. */
void pju_transfer_dialog_set_large (PjuTransferDialog *self, const char *path);

G_END_DECLS
