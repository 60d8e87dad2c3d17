/* SPDX-License-Identifier: MIT */
/* PjmProject: an open session file, and the one object through which the studio acts on the engine.
 * All functions: main thread.  Work happens on the engine thread; results arrive as notifications. */
#pragma once

#include <gio/gio.h>

#include "model/comparison.h"
#include "model/data.h"
#include "model/job.h"
#include "model/layer.h"
#include "model/look.h"
#include "model/profile.h"
#include "model/pruning.h"

G_BEGIN_DECLS

#define PJM_TYPE_PROJECT (pjm_project_get_type ())
G_DECLARE_FINAL_TYPE (PjmProject, pjm_project, PJM, PROJECT, GObject)

/* Properties (all notify):
 *   "name"            string    of the network
 *   "path"            string    of the session file
 *   "opening"         boolean
 *   "ready"           boolean   a network is open
 *   "read-only"       boolean   the session is open in another process
 *   "data-name"       string    of the data set, NULL if none
 *   "device"          string    id as in `penjing-cli devices`; "auto" is resolved
 *   "criterion"       string    identifier of the criterion that the sliders use
 *   "macs", "params", "macs-after", "params-after"   uint64
 *   "size", "size-after"   uint64   bytes of the weights in a file
 *   "base-accuracy"   double    top-1 of the unmasked network on the preview pictures, -1 unknown
 *   "preview-accuracy" double   the same with the present masks, -1 unknown
 *   "preview-error"   double    its standard error
 *   "preview-stale"   boolean   masks changed since
 *   "preview-count"   uint      pictures used
 *   "time", "time-after"   double   milliseconds for one picture: measured layer by layer on the device; predicted with
 *                               the present masks; -1 unknown
 *   "can-undo", "can-redo"   boolean
 *   "undo-title", "redo-title"  string
 *   "modified-masks"  boolean   some channel is marked to be cut
 *   "busy"            boolean   some job is queued, running or paused
 *   "offer-cpu"       boolean   the device failed (lost, out of memory): suggest set_device ("cpu")
 * Signals: "failed" (headline: string, detail: string): show a banner; "graph-changed": another network
 *   (opened, cut, undone): layers and drawing are new; "looked": pjm_project_get_look() has something new; "data-changed":
 *   pjm_project_get_data() has; "sensitivity-changed": pjm_project_get_sensitivity() has;
 *   "drawing-changed": boxes and edges are new, layers are not. */

/* @state_dir: where sessions of opened ONNX files are kept; NULL for the user's data folder. */
PjmProject *pjm_project_new (const char *state_dir);

/* Opens a .penjing session, an .onnx file (a new session beside it in @state_dir), a data folder (becomes
 * the data of the open network), or NULL for the bundled sample.  Finishes with TRUE or an error. */
void pjm_project_open_async (PjmProject *self, const char *path, GCancellable *cancellable,
                             GAsyncReadyCallback callback, gpointer user_data);
gboolean pjm_project_open_finish (PjmProject *self, GAsyncResult *result, GError **error);
/* Cancels and joins the engine thread; called by dispose too. */
void pjm_project_close (PjmProject *self);

GListModel *pjm_project_get_layers (PjmProject *self);        /* PjmLayer, graph order (transfer none) */
GListModel *pjm_project_get_jobs (PjmProject *self);          /* PjmJob, newest last */
GListModel *pjm_project_get_comparisons (PjmProject *self);   /* PjmComparison, newest last */
GListModel *pjm_project_get_history (PjmProject *self);       /* PjmStep, oldest first */

/* --- registries, for menus --- */

/* NULL-terminated (name, title, about, source) rows, static. */
typedef struct { const char *name, *title, *about, *source; gboolean needs_data, is_criterion, is_control; } PjmChoice;
const PjmChoice *pjm_project_get_methods (PjmProject *self, guint *n);
const PjmChoice *pjm_project_get_formats (PjmProject *self, guint *n);
const PjmChoice *pjm_project_get_devices (PjmProject *self, guint *n);
/* How layers that are cut together are judged; which widths of residual stages are cut; what becomes of what removed
 * channels always add. */
const PjmChoice *pjm_project_get_tied (PjmProject *self, guint *n);
const PjmChoice *pjm_project_get_widths (PjmProject *self, guint *n);
const PjmChoice *pjm_project_get_constants (PjmProject *self, guint *n);

/* --- the drawing: laid out off the main thread, ready at "graph-changed" --- */

typedef struct {
  int layer;                    /* index in the layers list; of a folded block, its last one */
  double x, y, width, height;   /* top-left, in layout units = pixels at 100 % */
  int block;                    /* the block that it belongs to, -1 for none */
  gboolean folded;              /* one box for the whole block */
  guint n_inside;               /* of a folded block: */
  const int *inside;            /* indices in the layers list */
} PjmBox;
typedef struct {
  int from, to;                 /* boxes */
  guint n_points;               /* 1 + 3k: cubic Bézier control points, x y pairs */
  const double *points;
} PjmEdge;
const PjmBox *pjm_project_get_boxes (PjmProject *self, guint *n, double *width, double *height);
const PjmEdge *pjm_project_get_edges (PjmProject *self, guint *n);
/* Blocks between a fork and its join, such as residual blocks, can each be one box. */
guint pjm_project_n_blocks (PjmProject *self, guint *n_folded);
const char *pjm_project_get_block_name (PjmProject *self, int block);
/* Folds or unfolds @block, -1 for all; "drawing-changed" follows. */
void pjm_project_fold (PjmProject *self, int block, gboolean fold);

/* --- edits: immediate, undoable --- */

/* Sets the keep ratio of a layer's group. While a slider moves: @final FALSE (one undo step at the end). */
void pjm_project_set_ratio (PjmProject *self, PjmLayer *layer, double ratio, gboolean final);
/* The same ratio for all unlocked groups. */
void pjm_project_set_ratio_all (PjmProject *self, double ratio, gboolean final);
/* The same ratio for some layers, as one step. @layers: (element-type PjmLayer) */
void pjm_project_set_ratio_some (PjmProject *self, GPtrArray *layers, double ratio, gboolean final);
void pjm_project_toggle_channel (PjmProject *self, PjmLayer *layer, guint channel);
/* Scores all groups by this criterion (a job if it needs data) and applies the ratios again. */
void pjm_project_set_criterion (PjmProject *self, const char *criterion);
void pjm_project_set_device (PjmProject *self, const char *device);
void pjm_project_undo (PjmProject *self);
void pjm_project_redo (PjmProject *self);
/* Goes to a step of the history by its index. */
void pjm_project_go_to (PjmProject *self, guint step);

/* --- jobs --- */

/* What the import of the file folded, left out or assumed, a sentence each, in the user's language. (transfer full) */
char **pjm_project_list_remarks (PjmProject *self);
/* TRUE if the network has convolutions and not one norm: perhaps they were folded, and can come back. */
gboolean pjm_project_lacks_norms (PjmProject *self);

/* All of these: (transfer none) (nullable): NULL if it cannot start; "failed" then said why. */

/* Chooses channels by a method (thinet …) at the present ratios; the masks show the choice. */
PjmJob *pjm_project_choose (PjmProject *self, const char *method);
/* Cuts the masked channels for real. */
PjmJob *pjm_project_cut (PjmProject *self);
PjmJob *pjm_project_recalibrate (PjmProject *self);
/* Puts back the norms that an exporter folded away; nothing is cut. */
PjmJob *pjm_project_bring_norms_back (PjmProject *self);
/* Removes the residual block that the layer lies in (its shortcut stays), or the layer itself where its output has the
 * shape of its input.  Marks on other layers stay. */
PjmJob *pjm_project_remove_block (PjmProject *self, PjmLayer *layer);
/* How many residual blocks can be removed. */
guint pjm_project_count_blocks (PjmProject *self);
PjmJob *pjm_project_remove_layer (PjmProject *self, PjmLayer *layer);
PjmJob *pjm_project_fine_tune (PjmProject *self, guint epochs, double lr);
/* Accuracy on the whole test part; the job's "result" says it. */
PjmJob *pjm_project_evaluate (PjmProject *self);
/**
 * PjmCompareOptions:
 * @methods: NULL-terminated; @ratios: shares to keep
 * @n_seeds: runs of each row, by the seeds from 1 up; @n_draws: the same for random, if that is more
 * @epochs: 0: no fine-tuning; @max_steps: 0: no limit
 * @start: what fine-tuning begins with: "auto" (what serves each method best), "own", "recalibrated" or "both"
 */
typedef struct {
  const char *const *methods;
  const double *ratios;
  guint n_ratios, n_seeds, n_draws, epochs, max_steps;
  const char *start;
} PjmCompareOptions;

/* Adds a PjmComparison at once and fills it. */
PjmJob *pjm_project_compare (PjmProject *self, const PjmCompareOptions *options);

/* Pictures of the test part, decoded on another thread: @n of them by their numbers, scaled to @size x @size. */
void pjm_project_load_pictures_async (PjmProject *self, const guint *pictures, guint n, guint size, GCancellable *cancellable,
                                      GAsyncReadyCallback callback, gpointer user_data);
/* (transfer full) (element-type GBytes): size * size * 3 bytes each, red green blue; NULL with @error, also where the data
 * has been exchanged for another. */
GPtrArray *pjm_project_load_pictures_finish (PjmProject *self, GAsyncResult *result, GError **error);
/* Writes, reads back and compares; "result" is the certificate's line. */
PjmJob *pjm_project_export (PjmProject *self, const char *format, const char *path);
/* Notes that a person has seen the failure. */
void pjm_project_dismiss_job (PjmProject *self, PjmJob *job);
/* Goes on with a job whose pjm_job_can_resume() is TRUE. FALSE if it cannot; "failed" then said why. */
gboolean pjm_project_resume (PjmProject *self, PjmJob *job);

/* What each group can lose, by the present criterion, on test pictures. */
PjmJob *pjm_project_measure_sensitivity (PjmProject *self);
/* Pairs (ratio, top-1), the newest measurement of the network on screen; NULL if there is none. @base: top-1 of the whole
 * network; @n_pictures: measured on; @reading: (out) (optional) (transfer full): one line. Borrowed until the main loop runs. */
const double *pjm_project_get_sensitivity (PjmProject *self, PjmLayer *layer, guint *n, double *base, guint *n_pictures,
                                           char **reading);

/* --- looking --- */

/* Looks into @layer in the background; "looked" follows. */
void pjm_project_look (PjmProject *self, PjmLayer *layer);
/* (nullable): NULL while it is not there. Borrowed until "looked". */
const PjmLook *pjm_project_get_look (PjmProject *self, PjmLayer *layer);
/* (nullable): NULL without data, and while it is read. Borrowed until "data-changed". */
const PjmData *pjm_project_get_data (PjmProject *self);
/* Another preparation of pictures: a step of the history. @measured: mean and std of the training part instead of those
 * of @wanted. "failed" says why it is refused. */
void pjm_project_set_preparation (PjmProject *self, const PjmPreparation *wanted, gboolean measured);
/* Text of a class, or NULL. */
const char *pjm_project_get_class (PjmProject *self, int label);
/* What would let a locked layer be cut, a translated sentence; NULL if it is not locked. (transfer full) */
char *pjm_project_get_unlock_hint (PjmProject *self, PjmLayer *layer);

/* --- what is on the screen, stored with the session --- */

/* (transfer full) (nullable) */
char *pjm_project_get_view (PjmProject *self, const char *key);
void pjm_project_set_view (PjmProject *self, const char *key, const char *text);

/* --- history --- */

#define PJM_TYPE_STEP (pjm_step_get_type ())
G_DECLARE_FINAL_TYPE (PjmStep, pjm_step, PJM, STEP, GObject)
/* Properties: "title" string, "name" string (nullable: given by a person), "detail" string ("29.1 M → 7.3 M MACs"),
 * "time" int64 (unix), "current" boolean, "deleted" boolean. */
/* TRUE if the step brought a network of its own; others only marked channels. */
gboolean pjm_step_has_network (PjmStep *self);
/* The step that it follows, or NULL. (transfer none) */
PjmStep *pjm_step_get_parent (PjmStep *self);
/* @name: (nullable): NULL or "" takes the name away. */
void pjm_project_name_step (PjmProject *self, PjmStep *step, const char *name);
/* Deletes a step and all that follows it, or brings them back with what leads to them; the present step moves to the
 * parent.  Nothing is removed from the file.  Returns how many steps it concerned; 0 after "failed". */
guint pjm_project_delete_step (PjmProject *self, PjmStep *step, gboolean deleted);

/* One group in two steps; 0 channels: it is not in that step. */
typedef struct {
  char *name;
  guint channels[2], kept[2];
  guint n_common;               /* kept in both; meaningful for the same number of channels */
} PjmGroupDiff;

/**
 * PjmStepDiff: two steps against each other.
 * @accuracy: top-1 on the test part as last measured for the network, -1 unknown
 * @groups: (element-type PjmGroupDiff)
 * @classes: (element-type PjmClassChange): how each class fares; NULL unless both were evaluated on the same pictures.  Then of
 *   @n_test answers @n_changed are others, of which @n_lost were right and @n_won are
 * @names: of the classes
 * @evaluated: the step was measured on the pictures that are open now
 */
typedef struct {
  guint64 macs[2], params[2], size[2];
  double accuracy[2];
  gboolean evaluated[2];
  GPtrArray *groups;
  GArray *classes;
  char **names;
  guint n_test, n_changed, n_lost, n_won;
} PjmStepDiff;
void pjm_step_diff_free (PjmStepDiff *self);
void pjm_project_compare_steps_async (PjmProject *self, PjmStep *a, PjmStep *b, GAsyncReadyCallback callback,
                                      gpointer user_data);
PjmStepDiff *pjm_project_compare_steps_finish (PjmProject *self, GAsyncResult *result, GError **error);
/* As pjm_project_evaluate() for any step of the history, with what is marked there masked: what comparing steps by their
 * classes needs. */
PjmJob *pjm_project_evaluate_step (PjmProject *self, PjmStep *step);

G_END_DECLS
