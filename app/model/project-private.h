/* SPDX-License-Identifier: MIT */
/* Inside of the project, which is spread over files by concern:
 *
 *   project.c           the object: properties, lists, drawing
 *   opening.c, project-open.c   sessions, networks and data come in; closing
 *   project-history.c   steps, undo, redo; showing a step
 *   project-edit.c      ratios and channels by hand; masks and costs of the layers
 *   project-score.c     criteria
 *   project-preview.c   accuracy while a slider moves
 *   project-drawing.c   boxes and edges; folding of blocks
 *   project-timing.c    milliseconds of layers
 *   project-look.c      filters and feature maps
 *   project-data.c      pictures and their preparation
 *   project-sensitivity.c   curves of what a layer can lose
 *   project-steps.c     names, deleting and comparing of steps; the view
 *   project-tasks.c     jobs: from a click to the engine thread and back
 *   project-jobs.c      the jobs there are
 *   project-prune.c     pruning by a method with all its settings
 *   project-outlook.c   what would come of it, before the start
 *   project-transfer.c  pruning before or after a transfer, asked about and done
 *   question.c          how such questions reach a thread and come back
 *   project-tune.c      training afterwards
 *   project-chain.c     jobs that follow others, also over the end of the program
 *   project-profile.c   kernel by kernel
 *   project-parts.c     blocks and layers that go whole
 *   project-choices.c   what menus list
 *
 *   main                          files thread                      engine thread
 *   edits, history in memory ──▶  write steps in order
 *   show_step ─────────────────▶  read a network, lay it out
 *   jobs ──────────────────────▶  number of the step ───(main)───▶  work, which stores as it goes
 *   everything shown ◀────────────────────────────────────────────  news
 */
#pragma once

#include "data/dataset.h"
#include "model/engine-private.h"
#include "model/files-private.h"
#include "model/job-private.h"
#include "model/layer-private.h"
#include "model/place-private.h"
#include "model/project.h"
#include "model/step-mark-private.h"
#include "model/step-private.h"

G_BEGIN_DECLS

#define PJM_DEFAULT_CRITERION "weight-sum"
/* Everything that the studio measures or trains uses this seed; the session records it. */
#define PJM_SEED 1
/* Texts of a session by key; the first two are followed by the number of a step. */
#define PJM_META_STEP_NAME "step-name"
#define PJM_META_STEP_DELETED "step-deleted"
#define PJM_META_JOB_DISMISSED "job-dismissed"
#define PJM_META_VIEW "view"
#define PJM_META_REMARKS "import-remarks"

/* What a person set for one group. @keep: (nullable): NULL keeps all; @scale: (nullable): factors of a method;
 * @waits: the channels are not chosen yet, for lack of scores */
typedef struct {
  double ratio;
  gboolean waits;
  guint8 *keep;
  float *scale;
} PjmEdit;

typedef enum {
  PJM_PROP_0, PJM_PROP_NAME, PJM_PROP_PATH, PJM_PROP_OPENING, PJM_PROP_READY, PJM_PROP_READ_ONLY, PJM_PROP_DATA_NAME,
  PJM_PROP_DEVICE, PJM_PROP_CRITERION, PJM_PROP_MACS, PJM_PROP_PARAMS, PJM_PROP_MACS_AFTER, PJM_PROP_PARAMS_AFTER,
  PJM_PROP_SIZE, PJM_PROP_SIZE_AFTER, PJM_PROP_BASE_ACCURACY, PJM_PROP_PREVIEW_ACCURACY, PJM_PROP_PREVIEW_ERROR,
  PJM_PROP_PREVIEW_STALE, PJM_PROP_PREVIEW_COUNT, PJM_PROP_TIME, PJM_PROP_TIME_AFTER, PJM_PROP_CAN_UNDO, PJM_PROP_CAN_REDO, PJM_PROP_UNDO_TITLE,
  PJM_PROP_REDO_TITLE, PJM_PROP_MODIFIED_MASKS, PJM_PROP_BUSY, PJM_PROP_OFFER_CPU, PJM_N_PROPS
} PjmProp;

struct _PjmProject {
  GObject parent;
  char *state_dir;
  gboolean closed;

  PjJobQueue *queue, *files;
  PjmEngine *engine;
  char *device;                 /* as it is shown; "auto" until it is known */
  GArray *devices;              /* PjmChoice */
  gboolean offer_cpu;

  GListStore *layers, *jobs, *comparisons, *steps;
  guint n_active;               /* jobs */
  PjmJob *going_on;             /* (nullable): what follows it starts when its network is read */

  /* The open session; NULL before. */
  PjmStore *store;
  gboolean read_only, opening;
  PjmStep *current;             /* owned by steps */

  /* What is shown. */
  PjmPlace *place;
  GPtrArray *recent;            /* PjmPlace: a few, so that undo over a cut is quick */
  gboolean loading;             /* the network of `current` is on its way: nothing may be edited */
  guint load_serial;
  PjmEdit *edits;               /* by group */
  PjCost cost_after;
  const char *criterion;        /* interned */
  PjmJob *scoring;              /* (nullable) (not owned): the job that measures `criterion` */
  gboolean scoring_failed;      /* not tried again by itself: a slider asks many times */

  PjDataset *dataset;
  char *data;                   /* where it is, as pj_work_open_data() takes it */

  double base_accuracy, preview_accuracy, preview_error;
  gint64 base_model;            /* the network that @base_accuracy is of */
  gboolean preview_stale;
  guint preview_count, preview_serial;

  PjmDrawing *drawing;          /* NULL: that of the network */
  gboolean *wanted_folded;      /* NULL: as the network is first shown */
  guint n_wanted_folded, draw_serial;
  double *row_ms;               /* by row; NULL: not measured */
  double time, time_after;
  PjTask *looking;              /* (nullable) */
  guint look_serial;
  int look_row;
  PjmLook *look;
  PjmData *data_seen;
  GKeyFile *view;
  char *remarks;                   /* English, one a line */
};

/* --- project.c --- */

void pjm_project_notify (PjmProject *self, PjmProp prop);
/* Emits "failed". @headline: translated; @detail: (nullable) */
void pjm_project_fail (PjmProject *self, const char *headline, const char *detail);
/* Shows @place with the masks of the current step: new layers, "graph-changed". @place: (transfer none) */
void pjm_project_install (PjmProject *self, PjmPlace *place);
/* TRUE if a network is there and no other one is on its way. */
gboolean pjm_project_is_ready (PjmProject *self);

void pjm_project_emit_looked (PjmProject *self);
void pjm_project_emit_data_changed (PjmProject *self);
void pjm_project_emit_drawing_changed (PjmProject *self);

/* --- project-drawing.c --- */

/* For another network, before anybody is told. */
void pjm_project_redraw (PjmProject *self);

/* --- project-timing.c --- */

/* Measures the network on screen, in the background. */
void pjm_project_measure_time (PjmProject *self);
/* @outline: (nullable): the network without what is marked, NULL makes it */
void pjm_project_predict_time (PjmProject *self, const PjGraph *outline);

/* --- project-look.c --- */

void pjm_project_forget_look (PjmProject *self);

/* --- project-data.c --- */

void pjm_project_read_data (PjmProject *self);

/* --- project-sensitivity.c --- */

/* Hands the newest measurement to the layers. */
void pjm_project_show_sensitivity (PjmProject *self);
/* The same, and emits "sensitivity-changed". */
void pjm_project_sensitivity_changed (PjmProject *self);

/* --- project-steps.c --- */

/* From what is stored: (nullable). */
void pjm_project_load_view (PjmProject *self, const char *text);

/* --- project-open.c --- */

void pjm_project_stop (PjmProject *self);

/* --- project-history.c --- */

/* Fills the list. @records: (element-type PjStepRecord), which are taken; @current: id; @names: (element-type utf8)
 * (nullable), @deleted: (element-type gboolean) (nullable): one each per record */
void pjm_project_set_history (PjmProject *self, GPtrArray *records, gint64 current, const GPtrArray *names,
                              const GArray *deleted);
/* Appends a step that is stored already. @record: (transfer full); the new one becomes the current one. */
void pjm_project_add_stored_step (PjmProject *self, PjStepRecord *record);
/* A step from the present edits, if they differ from the current step. */
void pjm_project_commit (PjmProject *self, const PjmMark *mark);
/* A step with the present edits on another network, which prepares pictures another way. @place: (transfer none) */
void pjm_project_commit_place (PjmProject *self, PjmPlace *place);
/* Goes there as a person would. */
void pjm_project_go_to_step (PjmProject *self, PjmStep *step);
/* Brings what is shown in line with the current step; its network may have to be read first. */
void pjm_project_show_current (PjmProject *self);
void pjm_project_remember_place (PjmProject *self, PjmPlace *place);
void pjm_project_write_meta (PjmProject *self, const char *key, const char *text);
gboolean pjm_project_refuse_read_only (PjmProject *self);

/* --- project-edit.c --- */

void pjm_edits_free (PjmEdit *edits, guint n);
/* The edits as a step stores them, and back; cuts that do not fit the network are left out.
 * (transfer full) (element-type PjStoredCut) */
GPtrArray *pjm_project_get_cuts (PjmProject *self);
void pjm_project_set_cuts (PjmProject *self, const GPtrArray *cuts);
/* Brings layers, costs and flags in line with the edits, and asks for a preview. */
void pjm_project_show_edits (PjmProject *self);
/* Chooses the channels of groups that wait for scores. */
void pjm_project_apply_waiting (PjmProject *self);
/* Lets all groups with a ratio wait: another criterion is to choose. */
void pjm_project_choose_again (PjmProject *self);
/* What the edits mark; NULL if nothing. (transfer full) */
PjCutPlan *pjm_project_get_masks (PjmProject *self);
gboolean pjm_project_has_masks (PjmProject *self);
/* "29.1 M → 7.3 M MACs" (transfer full) */
char *pjm_macs_text (guint64 before, guint64 after);

/* --- project-score.c --- */

/* Hands the scores there are to the layers. */
void pjm_project_show_scores (PjmProject *self);
/* Gets the scores of the present criterion if they are not there and nobody measures them yet. */
void pjm_project_need_scores (PjmProject *self);

/* --- project-preview.c --- */

void pjm_project_preview (PjmProject *self);
/* Forgets what was measured: another network, data set or device. */
void pjm_project_reset_preview (PjmProject *self);

/* --- project-choices.c --- */

/* Emits "failed" for a device that was lost or has no memory left, and offers the CPU. */
void pjm_project_device_failed (PjmProject *self, const char *detail);

void pjm_project_list_devices (PjmProject *self);
void pjm_choices_free (GArray *choices);

G_END_DECLS
