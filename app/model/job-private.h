/* SPDX-License-Identifier: MIT */
/* How the project drives its jobs. */
#pragma once

#include "model/job-queue.h"
#include "model/job.h"
#include "session/session.h"

G_BEGIN_DECLS

PjmJob *pjm_job_new (const char *kind, const char *title);
/* A job of an earlier run. @points: (element-type PjPoint) */
PjmJob *pjm_job_new_stored (const PjJobRecord *record, const char *title, const GArray *points, gboolean can_resume);

/* What a person asked of a running method. @group: NULL asks it to finish */
typedef struct {
  char *group;
  gboolean frozen;
} PjmAsked;

void pjm_asked_free (PjmAsked *self);
/* The oldest that nobody took, or NULL. Any thread. (transfer full) */
PjmAsked *pjm_job_take_asked (PjmJob *self);

const char *pjm_job_get_kind (PjmJob *self);
/* Its record in the session, 0 for none. */
gint64 pjm_job_get_id (PjmJob *self);
void pjm_job_set_id (PjmJob *self, gint64 id);
/* The network it works on, 0 unknown. */
gint64 pjm_job_get_model (PjmJob *self);
void pjm_job_set_model (PjmJob *self, gint64 model);

/* Puts it back to the start of the queue. */
void pjm_job_restart (PjmJob *self);
/* @task: referenced until the job ends. Cancels at once what was cancelled before. */
void pjm_job_set_task (PjmJob *self, PjTask *task);
/* Of one that is done: what was to follow it can go on. */
void pjm_job_set_can_resume (PjmJob *self, gboolean can_resume);
void pjm_job_set_dismissed (PjmJob *self, gboolean dismissed);
/* Shows what the queue says, final states apart: those come with pjm_job_end(). */
void pjm_job_show_news (PjmJob *self, const PjTaskNews *news);
/* @error, @result: (nullable): what a person reads */
void pjm_job_end (PjmJob *self, PjmJobState state, const char *error, const char *result, gboolean can_resume);

G_END_DECLS
