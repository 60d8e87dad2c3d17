/* SPDX-License-Identifier: MIT */
/* penjing-cli: what its verbs share.
 *
 * A verb is one file with one row in verbs.c.  It parses nothing itself: main.c fills its option entries,
 * calls run(), and turns the outcome into an exit status: 0 ok, 1 failed (one sentence on stderr), 2 wrong
 * usage, 130 cancelled.  Results go to stdout: text through cli_say(), or the members that the verb put
 * into cli->result, as one JSON object, with --json.  Progress goes to stderr. */
#pragma once

#include <glib.h>
#include <json-glib/json-glib.h>

#include "compute/device.h"
#include "graph/cut.h"
#include "graph/graph.h"
#include "graph/groups.h"
#include "model/work-compare.h"
#include "model/work-prune.h"
#include "model/work-sensitivity.h"
#include "model/work-train.h"
#include "session/session.h"
#include "train/evaluate.h"

G_BEGIN_DECLS

#define CLI_ERROR (cli_error_quark ())
/* The command was not written as it should be: exit status 2. */
typedef enum { CLI_ERROR_USAGE } CliError;
GQuark cli_error_quark (void);

typedef struct _CliVerb CliVerb;

/**
 * Cli: one run of the program.
 * @device_id, @seed, @seed_set, @json, @quiet: the options that all verbs have
 * @verb: the verb that runs
 * @result: members of the JSON object
 * @partial: what is in @result is printed with --json although the verb fails
 * @hooks: progress on stderr, cancelled by Ctrl-C
 * @device: (nullable): opened by cli_device()
 * @resume_hint: (nullable): sentence printed when Ctrl-C stopped the work
 */
typedef struct {
  char *device_id;
  gint64 seed;
  gboolean json, quiet, partial;
  const CliVerb *verb;
  JsonObject *result;
  PjHooks hooks;
  PjDevice *device;
  char *resume_hint;
} Cli;

/**
 * CliVerb:
 * @arguments: as in the usage line: "MODEL"
 * @summary: one line for the list of verbs
 * @about: paragraphs and examples below the options
 * @entries: its options; parsed values live in its file
 * @more_entries: (nullable): further options that are made from a registry
 * @n_min, @n_max: number of positional arguments
 * @run: FALSE with @error set
 */
struct _CliVerb {
  const char *name, *arguments, *summary, *about;
  const GOptionEntry *entries;
  const GOptionEntry *(*more_entries) (void);
  int n_min, n_max;
  gboolean (*run) (Cli *cli, char **args, GError **error);
};

/* NULL-terminated. */
extern const CliVerb *const cli_verbs[];
const CliVerb *cli_verb_find (const char *name);

/* Sets a usage error; always FALSE. */
gboolean cli_usage (GError **error, const char *format, ...) G_GNUC_PRINTF (2, 3);

/* --- suggest.c --- */

/* The one of the NULL-terminated @known that @word is a slip of, or NULL. (transfer none) */
const char *cli_suggest (const char *word, const char *const *known);

/* --- method-options.c --- */

/* The settings of the methods' own as options, ending with an empty row; and what was given as "name=value". */
const GOptionEntry *cli_method_entries (void);
char **cli_method_settings (void);
/* What a setting of a method is, and what 0 means there. (transfer full) */
char *cli_method_option_about (const PjMethodOption *option);

/* --- output.c --- */

/* Prints to stdout unless --json. */
void cli_say (Cli *cli, const char *format, ...) G_GNUC_PRINTF (2, 3);
/* Prints a line to stderr, clear of the live progress line, unless --quiet. */
void cli_note (Cli *cli, const char *format, ...) G_GNUC_PRINTF (2, 3);

/* A text table: cells are UTF-8; a column whose heading starts with ">" is aligned to the right. */
typedef struct _CliTable CliTable;
CliTable *cli_table_new (const char *const *headings);
/* One string per column, NULL-terminated; copied. */
void cli_table_add (CliTable *self, ...) G_GNUC_NULL_TERMINATED;
/* Prints it indented by two spaces and frees it. */
void cli_table_print (CliTable *self, Cli *cli);

/* "29.13 M", "1.2 k", "17". (transfer full) */
char *cli_count (double number);
/* "1.5 MiB". (transfer full) */
char *cli_bytes (uint64_t bytes);
/* "91.85 %", or "–" for a negative share. (transfer full) */
char *cli_percent (double share);
/* "1 min 20 s". (transfer full) */
char *cli_duration (double seconds);
/* Members of an object: macs, params. */
void cli_json_cost (JsonObject *object, const PjCost *cost);
/* Members: top1, top5, loss, n, images_per_second. */
JsonObject *cli_json_accuracy (const PjAccuracy *accuracy);
/* An array of integers. */
JsonArray *cli_json_shape (const PjShape *shape);

/* Writes refined labels, @n x @n_classes class scores, as .npy and says so. */
gboolean cli_write_labels (Cli *cli, const char *path, unsigned n, unsigned n_classes, const float *logits, GError **error);

/* --- progress.c --- */

/* Fills cli->hooks and catches Ctrl-C. */
void cli_progress_begin (Cli *cli);
/* Clears the live line. */
void cli_progress_end (void);

/* --- open.c --- */

/* The device of --device, opened once. */
PjDevice *cli_device (Cli *cli, GError **error);

/**
 * CliModel: what a verb works on.
 * @session: (nullable); @step: its step
 * @plan: what is marked to be cut at this step; empty without a session
 * @accuracy: (nullable): as it was last measured by this run: "0.9185 of 10000"
 * @original: (nullable): the network that it was made from, for exports that show it; NULL: of the session
 */
typedef struct {
  PjGraph *graph;
  PjGroups *groups;
  PjSession *session;
  int64_t step;
  PjCutPlan *plan;
  char *name, *accuracy;
  PjGraph *original;
} CliModel;

void cli_model_clear (CliModel *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (CliModel, cli_model_clear)

/* @path: an ONNX file, a session (its current step), or "sample" for the bundled network. */
gboolean cli_open_model (Cli *cli, const char *path, gboolean writable, CliModel *model, GError **error);

/* The network that a job left takes the place of the one it worked on. @graph (transfer full); @step: 0 keeps
 * the step. */
void cli_model_advance (CliModel *self, PjGraph *graph, int64_t step);

/**
 * cli_keep_session:
 * @wanted: (nullable): of --session; "none" keeps nothing
 * @out: (nullable): result file, beside which the session goes by default
 *
 * Opens the session that records the work on @model, unless the model came from one, and puts the model into
 * it.  Without @wanted and @out it goes to the person's data folder.  Also sets cli->resume_hint.
 */
gboolean cli_keep_session (Cli *cli, CliModel *model, const char *wanted, const char *out, const char *origin,
                           GError **error);

/* What a job works on, from the parts. @dataset (nullable). Opens the device. */
gboolean cli_work (Cli *cli, const CliModel *model, PjDataset *dataset, const char *data, const char *out, PjWork *work,
                   GError **error);

/* The data of --data (NULL: the embedded sample). @absolute: (out) (transfer full): the same place from any folder. */
PjDataset *cli_open_data (Cli *cli, const char *where, char **absolute, GError **error);

/* --- measure.c, pruning.c --- */

/* Accuracy of the model on the test part, stored in the session and noted in the network. @n_max: 0 for all. */
gboolean cli_measure (Cli *cli, CliModel *model, PjWork *work, unsigned n_max, PjAccuracy *accuracy, GError **error);

/**
 * CliStages: the lines of a before/after report.
 */
typedef struct _CliStages CliStages;
CliStages *cli_stages_new (void);
void cli_stages_free (CliStages *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CliStages, cli_stages_free)
/* Adds "after cutting" with what was measured. @accuracy: (nullable): nothing was, only the costs are known */
void cli_stages_add (CliStages *self, const char *id, const char *title, const PjGraph *graph,
                     const PjAccuracy *accuracy);
gboolean cli_stages_has (const CliStages *self, const char *id);
/* Prints the table and puts the stages into cli->result. */
void cli_stages_show (const CliStages *self, Cli *cli);
/* The same as a fragment of a page. (transfer full) */
char *cli_stages_html (const CliStages *self);
/* As text, and back; NULL if it is not such a text. (transfer full) */
char *cli_stages_write (const CliStages *self);
CliStages *cli_stages_read (const char *text);

/* --- verb-parts.c --- */

/* Whole parts to remove first. @blocks, @layers: (nullable): their names; @n_weakest: residual blocks, chosen by what the
 * answers of the network miss least; @groups: (nullable): "conv2=0,3": groups of grouped convolutions; @keep_blocks:
 * share of the residual blocks that stays, chosen by AutoPruner's gates; 0 for none of this */
typedef struct {
  char **blocks, **layers;
  unsigned n_weakest;
  char **groups;
  double keep_blocks;
} CliDrop;

/* The names are those of parts that can be removed. */
gboolean cli_check_drop (const PjGraph *graph, const CliDrop *drop, GError **error);
/* Chooses and removes; @model goes on as what is left. */
gboolean cli_drop (Cli *cli, CliModel *model, PjWork *work, const CliDrop *drop, GError **error);

/**
 * CliPruning: what happens to a network on the way.
 * @choice: what stays; without keep ratios and budgets no channels are cut
 * @recalibrate: measure norms again after cutting
 * @tune: (nullable): fine-tuning at the end
 * @n_test: test pictures for every measurement, 0 for all
 * @drop: (nullable): blocks and layers that are removed first
 * @stages: (nullable each): mixup with distillation, then label refinement, with the network as it was for a teacher
 * @gap: after cutting, a global average and one layer take the place of the classifier (ThiNet-GAP)
 */
typedef struct {
  const PjWorkChoose *choice;
  gboolean recalibrate;
  const PjWorkTrain *tune;
  unsigned n_test;
  const CliDrop *drop;
  const PjWorkTrain *stages[2];
  gboolean gap;
} CliPruning;

/* Measures, chooses, cuts, recalibrates, fine-tunes; @model ends as the smaller network. Every measurement is added
 * to @stages; the first is left out if @model was measured before. */
gboolean cli_prune (Cli *cli, CliModel *model, PjWork *work, const CliPruning *pruning, CliStages *stages,
                    GError **error);

/* Kind of the job that a whole pruning is; its parts are jobs of their own (pj_work_find_stage()). */
#define CLI_JOB_PRUNE "prune"

/**
 * CliPruneJob: all that “prune” was asked for.
 * @epochs: of plain fine-tuning; @stage_a, @stage_b: of CURL's stages instead; 0 for none
 * @steps: at most so many in each training, 0 for no limit; @batch: of plain fine-tuning; @lr: 0 for the usual ones
 * @lr_b: of the second stage, 0 for @lr or the usual one; @rate_b: of its labels
 * @n_test: test pictures of every measurement, 0 for all
 * @format: (nullable): of the file
 */
typedef struct {
  PjWorkChoose choice;
  CliDrop drop;
  unsigned epochs, stage_a, stage_b, steps, batch, n_test;
  double lr, lr_b, rate_b;
  gboolean no_recalibrate, gap;
  char *format;
} CliPruneJob;

void cli_prune_job_init (CliPruneJob *self);
void cli_prune_job_clear (CliPruneJob *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (CliPruneJob, cli_prune_job_clear)

/* The whole way with report, and @work->out, if there is to be one. */
gboolean cli_prune_job_run (Cli *cli, CliModel *model, const PjWork *work, const CliPruneJob *self, GError **error);
/* What is left of it after the process ended; cli->device is open. @target: (nullable): where the network goes */
gboolean cli_prune_job_resume (Cli *cli, PjSession *session, const PjJobRecord *job, const char *target, GError **error);

/* The same of “score”; @target: (nullable): its CSV file. */
gboolean cli_score_resume (Cli *cli, PjSession *session, const PjJobRecord *job, const char *target, GError **error);
/* The same of “small-data”. */
gboolean cli_small_data_resume (Cli *cli, PjSession *session, const PjJobRecord *job, const char *target, GError **error);

/* Export with certificate in @format, and a line about it. */
gboolean cli_export (Cli *cli, const CliModel *model, const PjWork *work, const char *format, const char *path,
                     const char *member,
                     GError **error);

/* --- report.c --- */

/**
 * cli_report:
 * @data: name of the data set
 * @tune: (nullable): fine-tuning of the rows; NULL or without steps: none
 * @path: (nullable): of report.html; NULL only prints the table
 *
 * Prints the table of a comparison, puts it into cli->result, and writes the page and the CSV.
 */
gboolean cli_report (Cli *cli, const char *network, const char *data, const PjGroups *groups,
                     const PjComparison *comparison,
                     const PjWorkCompare *settings, const char *path, const char *stages_html, GError **error);

/* Prints the table of a sensitivity and puts it into cli->result. @allowed: share of accuracy that a group may cost;
 * @path: (nullable): CSV file. In verb-sensitivity.c. */
gboolean cli_show_sweep (Cli *cli, const PjGroups *groups, const PjSweep *sweep, double allowed, const char *path,
                         GError **error);

/* Refuses early, before minutes of work: the folder of @path must exist and be writable. NULL is allowed. */
gboolean cli_check_out (const char *path, GError **error);
/* The same for what a format writes, which may be a folder, and for what the format needs. @format: (nullable) */
gboolean cli_check_export (const char *format, const char *path, gboolean has_original, gboolean has_data,
                           GError **error);

/* $XDG_DATA_HOME/penjing/@name; made if needed. (transfer full) */
char *cli_data_folder (const char *name, GError **error);

G_END_DECLS
