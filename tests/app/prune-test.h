/* SPDX-License-Identifier: MIT */
/* What the tests of pruning in a project share: answers to questions before the start, jobs in a row, a program that is killed. */
#pragma once

#include "project-test.h"

G_BEGIN_DECLS

/* Of what is asked before the start; @done once the answer is there. */
typedef struct { gboolean done; PjmPruneOutlook *outlook; PjmProfile *profile; double seconds; GError *error; } Answer;
gboolean is_answered (gpointer data);
void checked_cb (GObject *project, GAsyncResult *result, gpointer data);
void estimated_cb (GObject *project, GAsyncResult *result, gpointer data);
void profiled_cb (GObject *project, GAsyncResult *result, gpointer data);

/* What is said before pruning with @options. (transfer full) */
PjmPruneOutlook *check (Place *place, const PjmPruneOptions *options);
/* It is refused in words that hold @text. */
void assert_refused (Place *place, const PjmPruneOptions *options, const char *text);
/* A whole number among the properties of the project. */
guint64 count (Place *place, const char *property);

/* (transfer none): the list keeps it */
PjmJob *job_at (Place *place, guint i);
gboolean is_idle (gpointer project);
/* "choose cut" (transfer full) */
char *kinds_of (Place *place);
void assert_kinds (Place *place, const char *wanted);
void assert_all_done (Place *place, const char *wanted);
/* The program ends as by a kill in the middle of the job @i, and begins again. */
void restart_killed (Place *place, guint i);
/* The settings that the session has of the job @i, oldest first. (transfer full) */
char *stored_settings (Place *place, guint i);
void assert_has (const char *text, const char *part);

/* For wait_until (): of a job, of a job, of what kinds there are (KindsWanted). */
gboolean has_progress (gpointer job);
gboolean has_points (gpointer job);
typedef struct { Place *place; const char *kinds; } KindsWanted;
gboolean has_kinds (gpointer data);

G_END_DECLS
