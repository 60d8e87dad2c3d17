/* SPDX-License-Identifier: MIT */
/* The history in memory: PjmStep objects form the tree that the session stores. */
#pragma once

#include "model/project.h"
#include "session/session.h"

G_BEGIN_DECLS

/* Number of a step in the session.  The files thread sets it when the step is stored, in the order in which
 * steps are made, and is the only one to read it: whoever refers to a step there passes the box. */
typedef struct {
  gatomicrefcount ref;
  gint64 id;
} PjmStepId;

PjmStepId *pjm_step_id_new (gint64 id);
PjmStepId *pjm_step_id_ref (PjmStepId *self);
void pjm_step_id_unref (PjmStepId *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PjmStepId, pjm_step_id_unref)

/* @record: (transfer full), with its cuts; @parent: (nullable): outlives the step (the list owns both). */
PjmStep *pjm_step_new (PjStepRecord *record, PjmStep *parent);
const PjStepRecord *pjm_step_record (PjmStep *self);
PjmStepId *pjm_step_id (PjmStep *self);
/* What the files thread found out, for the main thread: the id in the record. */
void pjm_step_set_number (PjmStep *self, gint64 id);
PjmStep *pjm_step_parent (PjmStep *self);
/* Where redo goes. */
PjmStep *pjm_step_way (PjmStep *self);
void pjm_step_set_way (PjmStep *self, PjmStep *way);
/* Makes ways from the root lead to @self. */
void pjm_step_mark_way (PjmStep *self);
void pjm_step_set_current (PjmStep *self, gboolean current);
/* @name: (nullable): copied. */
void pjm_step_set_notes (PjmStep *self, const char *name, gboolean deleted);
gboolean pjm_step_is_deleted (PjmStep *self);
/* What a person reads: translated where the program made it. */
const char *pjm_step_title (PjmStep *self);

G_END_DECLS
