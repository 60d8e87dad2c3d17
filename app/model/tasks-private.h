/* SPDX-License-Identifier: MIT */
/* A job on its way: what it works on, copied when a person asked for it, and what it brings back. */
#pragma once

#include "model/project-private.h"
#include "model/work-compare.h"
#include "model/work-prune.h"
#include "model/work-small-data.h"
#include "model/work-train.h"
#include "model/work.h"

G_BEGIN_DECLS

typedef struct _PjmTask PjmTask;

/* Engine thread. @work: device, session, network, data and hooks are set. */
typedef gboolean (*PjmTaskRun) (PjmTask *self, PjWork *work, GError **error);

/**
 * PjmFollow: what starts by itself when a job has ended well, as a list.
 * @make: main thread: (transfer full) (nullable): NULL after "failed", or with *@skip TRUE if there is nothing to do
 */
typedef PjmTask *(*PjmFollowFunc) (PjmProject *project, gpointer data, gboolean *skip);
typedef struct _PjmFollow PjmFollow;
struct _PjmFollow {
  PjmFollowFunc make;
  gpointer data;
  GDestroyNotify destroy;
  PjmFollow *next;
};

/**
 * PjmLink: a kind of job that can follow another one, as a session keeps it.
 * @destroy: (nullable): frees what @read made
 * @write: (nullable): files thread: (transfer full): what @data says, for those that have some
 * @read: (nullable): any thread: (transfer full): the data again, NULL if the text does not say it
 */
typedef struct {
  const char *name;
  PjmFollowFunc make;
  GDestroyNotify destroy;
  char *(*write) (gconstpointer data);
  gpointer (*read) (const char *text);
} PjmLink;

/* A step that the job made. @place: (nullable): NULL if its network is the one the job worked on */
typedef struct {
  PjStepRecord *record;
  PjmPlace *place;
} PjmMadeStep;

/**
 * PjmTask:
 * @masks: (nullable): what was marked then
 * @cuts_first: remove the marked channels before the work; @only_cuts: which is all of it
 * @keeps_marks: what was marked is marked on the network that comes out, too
 * @chosen_by: the method or criterion that marked what is cut
 * @name, @path: method, criterion or format; file
 * @n_parts: blocks that go whole
 * @share: of the blocks that stay
 * @comparison: the table that the job fills
 * @teacher_id: (nullable): the step whose network teaches; its number goes into @train
 * @follow: (nullable): what comes after it; @chain: (nullable): the same as text; @after: the job that it follows
 * @step: number of the step @from_id; @no_step: (nullable): why it has none; @resumes: the job's record
 * @cut: of cutting first; @done: of the work
 * @made: (element-type PjmMadeStep): filled also when the job fails in a later stage
 */
struct _PjmTask {
  PjmProject *project;
  PjmJob *job;
  PjmTaskRun run;

  char *device;
  PjmEngine *engine;
  PjmStore *store;
  PjmStepId *from_id;
  PjmPlace *place;
  PjDataset *dataset;
  char *data;
  const char *criterion, *chosen_by;
  PjCutPlan *masks;
  gboolean cuts_first, only_cuts, keeps_marks;
  char *name, *path;
  guint n_parts;
  double share;
  PjWorkTrain train;
  PjWorkChoose choose;
  PjWorkCompare compare;
  PjWorkSmallData transfer;
  PjmComparison *comparison;
  PjmStepId *teacher_id;
  PjmFollow *follow;
  char *chain;
  gint64 after;

  gint64 step, resumes;
  GError *no_step;
  PjWorkDone cut, done;
  char *device_id;
  GPtrArray *made;
  PjScores *scores;
  gboolean lost;
};

/**
 * pjm_task_new:
 * @needs_data, @makes_steps: refused without data, in a read-only session
 *
 * A snapshot of the project, or NULL after "failed".
 */
PjmTask *pjm_task_new (PjmProject *self, const char *kind, const char *title, PjmTaskRun run, gboolean needs_data,
                       gboolean makes_steps);
/* Puts it in the queue, and its job in the list. @self is taken. (transfer none) */
PjmJob *pjm_task_start (PjmTask *self);

/* For one that was not started. */
void pjm_task_free (PjmTask *self);

/* --- engine thread --- */

/* Notes the step @id; the network is read from the session unless @graph (transfer full) (nullable) is it. */
gboolean pjm_task_note_step (PjmTask *self, gint64 id, PjGraph *graph, GError **error);

/* The number of the newest step; and notes those that came after it but for @last, which is noted by who ran the work: parts
 * of the job made them. */
gint64 pjm_task_newest_step (PjmTask *self);
gboolean pjm_task_note_parts (PjmTask *self, gint64 newest, gint64 last, GError **error);

/* --- project-jobs.c --- */

PjmJob *pjm_project_score (PjmProject *self, const char *criterion);
/* Not started yet; NULL after "failed". */
PjmTask *pjm_task_new_cut (PjmProject *self);
PjmTask *pjm_task_new_recalibrate (PjmProject *self);
/* TRUE if an interrupted job of this kind can go on. */
gboolean pjm_task_kind_can_resume (const char *kind);
/* A translated title for a stored job. (transfer full) */
char *pjm_job_title (const PjJobRecord *record);

/* --- project-parts.c --- */

/* Judges all residual blocks and removes the @n that the answers miss least. Not started yet; NULL after "failed". */
PjmTask *pjm_task_new_drop_blocks (PjmProject *self, guint n);

/* --- project-prune.c --- */

/* @options as the work takes them. */
void pjm_project_fill_choose (PjmProject *self, const PjmPruneOptions *options, PjWorkChoose *choose);

/* --- project-chain.c --- */

/* @destroy: (nullable): frees @data. */
PjmFollow *pjm_follow_new (PjmFollowFunc make, gpointer data, GDestroyNotify destroy);
void pjm_follow_append (PjmFollow **list, PjmFollow *follow);
/* Starts the first one that has something to do; the others follow it. @list is taken; @after: the record of the job that
 * they follow, 0 for none. (transfer none) (nullable) */
PjmJob *pjm_follow_start (PjmProject *project, PjmFollow *list, gint64 after);
void pjm_follow_free_all (PjmFollow *list);
/* What comes after @job once it was resumed: it was stopped. @list is taken; taking it leaves nothing. */
void pjm_job_set_follow (PjmJob *job, PjmFollow *list);
PjmFollow *pjm_job_take_follow (PjmJob *job);
/* As the settings of a job keep it: (nullable) (transfer full).  Files thread, which knows the numbers of steps. */
char *pjm_follow_write (const PjmFollow *list);
/* (nullable): NULL if @text says nothing that this version understands. (transfer full) */
PjmFollow *pjm_follow_read (const char *text);

/* TRUE if @record is done and what was to follow it never came. @records: (element-type PjJobRecord): all of the session */
gboolean pjm_chain_is_open (const GPtrArray *records, const PjJobRecord *record);
/* Gives a job of an earlier run what was to follow it. */
void pjm_chain_take_stored (PjmJob *job, const PjJobRecord *record);
/* Starts what was to follow @job, which is done, from the step that it made; FALSE after "failed". */
gboolean pjm_chain_go_on (PjmProject *project, PjmJob *job);
/* A network that was on its way is there. */
void pjm_chain_loaded (PjmProject *project);
/* What was to follow the job with this record is not offered any more. */
void pjm_chain_drop (PjmProject *project, gint64 job);

/* Rows of the kinds of jobs that can follow others; the last one has no name. */
extern const PjmLink pjm_prune_links[], pjm_tune_links[];

/* --- project-tune.c --- */

/* The trainings of @options, at the end of @list. @teacher: (nullable) */
void pjm_tune_follow (PjmProject *project, PjmFollow **list, const PjmTuneOptions *options, PjmStepId *teacher);
/* What a person reads of such a training. (transfer full) */
char *pjm_tune_title (const PjTrainOptions *options, gboolean teacher);
/* The same of stored settings, see PjWorkTrain; NULL if they say nothing. (transfer full) */
char *pjm_train_title (const char *settings);

/* --- project-score.c --- */

/* @scores: (transfer full) */
void pjm_project_take_scores (PjmProject *self, PjmPlace *place, PjScores *scores);

G_END_DECLS
