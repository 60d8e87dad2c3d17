/* SPDX-License-Identifier: MIT */
/* PjuTuneForm: how a network is trained after a cut: on the labels, with a teacher, or in CURL's two stages. */
#pragma once

#include "studio.h"

G_BEGIN_DECLS

#define PJU_TYPE_TUNE_FORM (pju_tune_form_get_type ())
G_DECLARE_FINAL_TYPE (PjuTuneForm, pju_tune_form, PJU, TUNE_FORM, GtkWidget)

/* Signal: "changed".  @follows: part of a longer way: training can be left out, and its teacher is the uncut network. */
GtkWidget *pju_tune_form_new (PjuStudio *studio, gboolean follows);
void pju_tune_form_get (PjuTuneForm *self, PjmTuneOptions *options);
/* FALSE if the fields say that nothing is trained. */
gboolean pju_tune_form_is_asked (PjuTuneForm *self);
/* Lists the steps whose network can teach, as they are now. */
void pju_tune_form_refresh (PjuTuneForm *self);

G_END_DECLS
