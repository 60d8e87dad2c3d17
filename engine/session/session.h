/* SPDX-License-Identifier: MIT */
/* The session file: one SQLite database, name.penjing, that holds everything a person made.
 *
 * There is no Save: every function that changes something has committed it when it returns, and a
 * process killed later cannot take it back.  Each call is one transaction and locks the session, so a
 * PjSession may be used from several threads; calls that move weights take milliseconds per megabyte.
 *
 * One process writes a session at a time.  Whoever opens it second gets it read-only.
 *
 *   blob    tensors by the SHA-256 of their bytes, shared by all models
 *   model   ONNX bytes without weights, and which blobs it needs
 *   step    history: immutable, a tree; one of them is the current one
 *   cut     what a step marks to be cut: per group the ratio, the kept channels, their factors
 *   job     long work with settings, seed, device, timings, outcome; its metric points; checkpoints
 *   scores  per model and criterion; comparison with rows; meta: the data path, what is on the screen
 */
#pragma once

#include <glib.h>
#include <stdint.h>

#include "base/blob.h"

G_BEGIN_DECLS

#define PJ_STORE_ERROR (pj_store_error_quark ())

/**
 * PjStoreError:
 * @PJ_STORE_ERROR_NOT_A_SESSION: the file is something else
 * @PJ_STORE_ERROR_NEWER: a newer version of Penjing wrote it
 * @PJ_STORE_ERROR_DAMAGED: bytes were lost or changed; the message names the file
 * @PJ_STORE_ERROR_READ_ONLY: the session is open in another process, or the file cannot be written
 * @PJ_STORE_ERROR_WRITE: disk full, folder not writable, I/O error; nothing stored before is lost
 * @PJ_STORE_ERROR_MISSING: no such file, or no such record in it
 */
typedef enum {
  PJ_STORE_ERROR_NOT_A_SESSION,
  PJ_STORE_ERROR_NEWER,
  PJ_STORE_ERROR_DAMAGED,
  PJ_STORE_ERROR_READ_ONLY,
  PJ_STORE_ERROR_WRITE,
  PJ_STORE_ERROR_MISSING,
} PjStoreError;

GQuark pj_store_error_quark (void);

typedef struct _PjSession PjSession;

/**
 * PjSessionFlags:
 * @PJ_SESSION_CREATE: make the file if there is none
 * @PJ_SESSION_READ_ONLY: do not try to write
 */
typedef enum { PJ_SESSION_CREATE = 1 << 0, PJ_SESSION_READ_ONLY = 1 << 1 } PjSessionFlags;

/**
 * pj_session_open:
 * @path: a .penjing file
 * @flags: see PjSessionFlags
 * @error: PJ_STORE_ERROR
 *
 * Checks the whole file (about a second per 500 MB), brings an older one up to date after copying it to
 * "<path>.before-v<N>", marks jobs that were running when the process ended as interrupted, and removes
 * weights that nothing refers to.  A session that cannot be written, or that another process has open,
 * opens read-only; see pj_session_is_read_only().
 */
PjSession *pj_session_open (const char *path, PjSessionFlags flags, GError **error);
/* Folds the write-ahead log into the file. NULL is allowed. */
void pj_session_close (PjSession *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PjSession, pj_session_close)

gboolean pj_session_is_read_only (const PjSession *self);
const char *pj_session_path (const PjSession *self);

/* Free-form texts by key. (transfer full) (nullable) */
char *pj_session_get_meta (PjSession *self, const char *key);
gboolean pj_session_set_meta (PjSession *self, const char *key, const char *text, GError **error);

/* --- weights and models (the graph side is in session/model.h) --- */

/* Stores a tensor unless it is there already. */
gboolean pj_session_put_blob (PjSession *self, PjBlob *blob, GError **error);
/* Reads and verifies a tensor. (transfer full) */
PjBlob *pj_session_get_blob (PjSession *self, const char *hash, GError **error);
unsigned pj_session_n_blobs (PjSession *self);

/**
 * pj_session_put_model:
 * @name: of the network
 * @onnx: ONNX bytes without weights
 * @hashes: NULL-terminated: blobs that it refers to; all stored before
 *
 * Returns: id of the model, the same as before if these bytes are stored already; 0 with @error set
 */
int64_t pj_session_put_model (PjSession *self, const char *name, GBytes *onnx, const char *const *hashes,
                              GError **error);
/* (transfer full) */
GBytes *pj_session_get_model (PjSession *self, int64_t model, GError **error);

/* --- history --- */

typedef enum {
  PJ_STEP_IMPORTED,      /* a network came in */
  PJ_STEP_MASKED,        /* ratios or channels were set, by hand or by a method */
  PJ_STEP_CUT,           /* masked channels were removed */
  PJ_STEP_TRAINED,       /* trained or fine-tuned */
  PJ_STEP_RECALIBRATED,  /* norm statistics measured again */
} PjStepKind;

/**
 * PjStoredCut: one group of a step.
 * @ratio: the keep ratio that was asked for
 * @keep: @n_channels bytes, 1 keeps
 * @scale: (nullable): @n_channels factors
 */
typedef struct {
  char *group;
  unsigned n_channels;
  double ratio;
  guint8 *keep;
  float *scale;
} PjStoredCut;

/* @group is copied, @keep and @scale (nullable) too. */
PjStoredCut *pj_stored_cut_new (const char *group, unsigned n_channels, double ratio, const guint8 *keep,
                                const float *scale);
void pj_stored_cut_free (PjStoredCut *self);

/**
 * PjStepRecord:
 * @id, @parent: 0 for none; @parent is set by pj_session_add_step()
 * @way: the child that redo would go to from this step, 0 for none; only read
 * @time: seconds since 1970
 * @model: the network at this step
 * @job: what made it, 0 for a person
 * @title, @detail: what a person reads
 * @criterion, @settings: (nullable): how it was made; settings are "key value" lines
 * @cuts: (element-type PjStoredCut): groups with something marked or a ratio set
 */
typedef struct {
  int64_t id, parent, way, time, model, job;
  PjStepKind kind;
  char *title, *detail, *criterion, *settings;
  GPtrArray *cuts;
} PjStepRecord;

/* Empty, with an empty @cuts. */
PjStepRecord *pj_step_record_new (PjStepKind kind, int64_t model, const char *title);
void pj_step_record_free (PjStepRecord *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PjStepRecord, pj_step_record_free)

/**
 * pj_session_add_step:
 * @step: what happened; @id, @parent and @time are filled
 *
 * Appends a child of the current step and makes it the current one.  What could be redone stays in the
 * tree as another branch.
 */
gboolean pj_session_add_step (PjSession *self, PjStepRecord *step, GError **error);
/* The current step, its parent, and the child that redo goes to; 0 if there is none. */
int64_t pj_session_current_step (PjSession *self);
int64_t pj_session_undo_step (PjSession *self);
int64_t pj_session_redo_step (PjSession *self);
/* Makes any step the current one; redo then leads back along the way that was left. */
gboolean pj_session_go_to (PjSession *self, int64_t step, GError **error);
/* All steps, oldest first, without their cuts. (transfer container) (element-type PjStepRecord) */
GPtrArray *pj_session_list_steps (PjSession *self, GError **error);
PjStepRecord *pj_session_get_step (PjSession *self, int64_t step, GError **error);

/* --- jobs --- */

typedef enum {
  PJ_JOB_QUEUED, PJ_JOB_RUNNING, PJ_JOB_DONE, PJ_JOB_FAILED, PJ_JOB_CANCELLED,
  PJ_JOB_INTERRUPTED,    /* the process ended while it was running: can be resumed */
} PjJobState;

/**
 * PjJobRecord:
 * @kind: "fine-tune", "compare" …
 * @settings: "key value" lines: all that is needed to run it again
 * @step: the step it started from
 * @created, @started, @finished: seconds since 1970, 0 for not yet
 * @elapsed_ms: working time, pauses not counted
 */
typedef struct {
  int64_t id, step, created, started, finished, elapsed_ms;
  PjJobState state;
  uint64_t seed;
  char *kind, *title, *settings, *device, *error, *result;
} PjJobRecord;

PjJobRecord *pj_job_record_new (const char *kind, const char *title, const char *settings);
void pj_job_record_free (PjJobRecord *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PjJobRecord, pj_job_record_free)

/* Stores a new job; fills @id and @created. */
gboolean pj_session_add_job (PjSession *self, PjJobRecord *job, GError **error);
/* Stores device, state, started, finished, elapsed, error and result of a job that is there. */
gboolean pj_session_update_job (PjSession *self, const PjJobRecord *job, GError **error);
/* Oldest first. (transfer container) (element-type PjJobRecord) */
GPtrArray *pj_session_list_jobs (PjSession *self, GError **error);
PjJobRecord *pj_session_get_job (PjSession *self, int64_t job, GError **error);

typedef struct {
  const char *series;    /* interned: g_intern_string() */
  double x, y;
} PjPoint;

/* Appends @n points in one transaction. */
gboolean pj_session_add_points (PjSession *self, int64_t job, const PjPoint *points, size_t n, GError **error);
/* In the order in which they came. (transfer full) (element-type PjPoint) */
GArray *pj_session_get_points (PjSession *self, int64_t job, GError **error);
/* Forgets points with x > @after, which a resumed job is going to repeat. */
gboolean pj_session_trim_points (PjSession *self, int64_t job, double after, GError **error);

/* A place from which training continues; see PjTrainState. */
typedef struct {
  uint64_t step, n_seen;
  double loss_sum;
  GBytes *state;
} PjCheckpoint;

void pj_checkpoint_clear (PjCheckpoint *self);
/* Replaces the checkpoint of @job at once or not at all.  The one before is kept as a second chance. */
gboolean pj_session_put_checkpoint (PjSession *self, int64_t job, const PjCheckpoint *checkpoint, GError **error);
/* The newest one that is undamaged. PJ_STORE_ERROR_MISSING if there is none. */
gboolean pj_session_get_checkpoint (PjSession *self, int64_t job, PjCheckpoint *checkpoint, GError **error);
gboolean pj_session_drop_checkpoints (PjSession *self, int64_t job, GError **error);

/* The refined labels that a training ended with: @n pictures in the order of the (expanded) training part, @logits
 * n x n_classes. Replaces. */
gboolean pj_session_put_labels (PjSession *self, int64_t job, unsigned n, unsigned n_classes, const float *logits, GError **error);
/* (transfer full) (nullable): NULL without error if the job left none. */
float *pj_session_get_labels (PjSession *self, int64_t job, unsigned *n, unsigned *n_classes, GError **error);

/* --- scores --- */

typedef struct {
  char *group;
  unsigned n_channels;
  double *score;         /* (nullable): NULL if refused */
  char *refusal;
} PjStoredScore;

PjStoredScore *pj_stored_score_new (const char *group, unsigned n_channels, const double *score,
                                    const char *refusal);
void pj_stored_score_free (PjStoredScore *self);

/* Replaces the scores of a model by a criterion. @scores: (element-type PjStoredScore) */
gboolean pj_session_put_scores (PjSession *self, int64_t model, const char *criterion, uint64_t seed,
                                unsigned n_images, const GPtrArray *scores, GError **error);
/* (transfer full) (nullable): NULL without error if there are none. */
GPtrArray *pj_session_get_scores (PjSession *self, int64_t model, const char *criterion, uint64_t *seed,
                                  unsigned *n_images, GError **error);

/* --- comparisons --- */

/* What cutting one group alone does to the output. */
typedef struct {
  char *group;
  double kl;
} PjStoredLayer;

/* @start: a PjCompareStart; @answers: (nullable): one class for each test picture of the comparison
 * @layers: (element-type PjStoredLayer) */
typedef struct {
  char *method;
  double ratio;
  uint64_t seed;
  int start;
  uint16_t *answers;
  unsigned n_answers;
  GPtrArray *layers;
  uint64_t macs, params;
  double cut, recalibrated, tuned, images_per_second;   /* negative: not measured */
  char *refusal;
  GPtrArray *cuts;       /* (element-type PjStoredCut) */
  GPtrArray *scores;     /* (element-type PjStoredScore) */
} PjComparisonRowRecord;

/* @labels, @answers: (nullable): @n_test classes: what is right, what the uncut network says
 * @classes: (nullable): their names, one a line */
typedef struct {
  int64_t id, step, job, time;
  char *title, *classes;
  uint16_t *labels, *answers;
  uint64_t base_macs, base_params;
  double base_accuracy, base_images_per_second;
  unsigned n_test;
  GPtrArray *rows;       /* (element-type PjComparisonRowRecord) */
} PjComparisonRecord;

PjComparisonRowRecord *pj_comparison_row_record_new (const char *method, double ratio);
void pj_comparison_row_record_add_layer (PjComparisonRowRecord *self, const char *group, double kl);
void pj_comparison_row_record_free (PjComparisonRowRecord *self);
PjComparisonRecord *pj_comparison_record_new (const char *title);
void pj_comparison_record_free (PjComparisonRecord *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PjComparisonRowRecord, pj_comparison_row_record_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PjComparisonRecord, pj_comparison_record_free)

/* Stores a new comparison and the rows it has; fills @id and @time. */
gboolean pj_session_add_comparison (PjSession *self, PjComparisonRecord *comparison, GError **error);
/* Stores the base figures and answers again, once they are measured. */
gboolean pj_session_update_comparison (PjSession *self, const PjComparisonRecord *comparison, GError **error);
gboolean pj_session_add_comparison_row (PjSession *self, int64_t comparison, const PjComparisonRowRecord *row,
                                        GError **error);
/* Oldest first, with rows. (transfer container) (element-type PjComparisonRecord) */
GPtrArray *pj_session_list_comparisons (PjSession *self, GError **error);

/* --- answers: what a network took each test picture for --- */

/* @data: where the pictures are; @classes: their names, one a line; @labels, @answers: @n classes */
typedef struct {
  char *data, *classes;
  unsigned n;
  uint16_t *labels, *answers;
} PjAnswersRecord;

void pj_answers_record_free (PjAnswersRecord *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PjAnswersRecord, pj_answers_record_free)
/* Replaces the answers of a model. */
gboolean pj_session_put_answers (PjSession *self, int64_t model, const PjAnswersRecord *answers, GError **error);
/* (transfer full) (nullable): NULL without error if there are none. */
PjAnswersRecord *pj_session_get_answers (PjSession *self, int64_t model, GError **error);
/* The same for a step with marked channels: of its network with those masked. */
gboolean pj_session_put_step_answers (PjSession *self, int64_t step, const PjAnswersRecord *answers, GError **error);
PjAnswersRecord *pj_session_get_step_answers (PjSession *self, int64_t step, GError **error);

G_END_DECLS
