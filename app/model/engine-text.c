/* SPDX-License-Identifier: MIT */
#include "model/engine-text.h"

#include <glib/gi18n-lib.h>
#include <string.h>

/* Every %s stands for what the engine's format fills in, numbers too; translations keep them all.  What is
 * filled in is translated by the same table and, where it is a title, by the catalogue.  First match wins: the
 * general ones stand last. */
static const char *const formats[] = {
  /* Stages of jobs. */
  N_("epoch %s of %s"), N_("episode %s of %s"), N_("measuring %s of %s pictures"), N_("norm statistics, batch %s of %s"),
  N_("image %s of %s"), N_("group %s of %s"), N_("%s, %s of %s channels"),
  N_("compiling kernels: %s of %s"), N_("measuring variants of kernels: %s so far"),
  N_("labels of the teacher: %s of %s pictures"), N_("judging “%s” alone"), N_("%s and others, epoch %s of %s"),
  N_("gates of blocks, epoch %s of %s"),
  N_("T1, pruning on the large set: %s"), N_("T1, on the large set: %s"), N_("T1, on the small set: %s"), N_("transfer: %s"),
  N_("T2, pruning on the small set: %s"), N_("T2 by CURL, mixup and distillation: %s"), N_("T2 by CURL, label refinement: %s"),
  N_("T2: %s"),
  N_("times of all kernels: width %s of %s"), N_("times of all kernels"), N_("whole network"), N_("run %s of %s"),
  N_("%s: %s of %s pictures, %s widths"),
  N_("%s: %s of %s pictures"), N_("%s, keep %s: %s"), N_("unpruned: %s"), N_("activations"), N_("gradients"),
  /* Outcomes of jobs and details of steps. */
  N_("T1 %s, not cut %s, T2 %s, T2 with CURL’s stages %s"), N_("not cut %s, T2 %s, T2 with CURL’s stages %s"),
  N_("%s classes of %s"),
  N_("%s groups, %s test pictures"), N_("%s groups, %s pictures"), N_("%s → %s MACs, %s → %s parameters"),
  N_("learning rate %s, %s, seed %s"), N_("loss %s, %s images/s"), N_("%s of %s pictures (±%s), loss %s"), N_("%s rows"),
  N_("%s: %s kB, %s MACs, largest difference %s on %s test pictures, cut equals masked to %s, SHA-256 %s"),
  N_("%s: %s kB, %s MACs, largest difference %s on %s seeded inputs, cut equals masked to %s, SHA-256 %s"),
  N_("%s: %s kB, %s MACs, largest difference %s on %s test pictures, SHA-256 %s"),
  N_("%s: %s kB, %s MACs, largest difference %s on %s seeded inputs, SHA-256 %s"), N_("%s → %s MACs"),
  /* Readings of sensitivity curves. */
  N_("can lose %s %% of its channels for nothing"), N_("can lose %s %% of its channels for %s points"),
  N_("was not cut by any of the ratios"), N_("loses %s points with its first %s %% of channels"),
  /* Why criteria and methods refuse. */
  N_("“%s” has no batch norm, so there is no scale to compare; use the weight sum"),
  N_("“%s” has no ReLU, so no activation is ever zero and all its channels would look alike"),
  N_("“%s” has a single position per channel, so the deviation over positions is 0 for all"),
  N_("“%s”: a variance over pictures needs at least 2 of them"),
  N_("“%s” is read by no layer whose output could be rebuilt"),
  N_("“%s”: a trained gate cannot pass “%s” (%s) on its way to the next layers; set its keep ratio to 1 or use a criterion"),
  N_("stays whole: it has no gate"),
  N_("“%s” is a residual stream, which %s leaves whole; set its keep ratio to 1 or use a criterion"),
  N_("“%s”: %s pictures are too few to judge %s channels; use at least %s"),
  N_("%s judges layers that are cut together as one, so “%s” would change nothing; leave it at usual"),
  N_("the share of blocks to keep must be above 0 and below 1, not %s"),
  N_("gates of blocks are trained: choose pictures with classes"),
  N_("the network has %s residual blocks that can be removed; to choose among them takes two"),
  N_("AutoPruner trains on batches of %s pictures and there are only %s; use more pictures or a smaller code-batch"),
  N_("the share of the MACs to keep must be above 0 and at most 1, not %s"),
  N_("%s epochs on the small set are too few: an epoch of label refinement counts as six; use at least %s"),
  N_("%s does not choose under a budget of multiply-adds, which this experiment keeps equal; use curl or a criterion"),
  N_("“%s” has %s training pictures; label refinement needs a batch of 32"),
  N_("the class scores of “%s” come from %s “%s”; only a fully connected layer can be replaced for other classes"),
  N_("“%s” cannot be cut: %s"), N_("“%s” cannot be judged: %s"),
  N_("%s decides layer by layer and cannot share one budget among layers; give keep ratios instead"),
  N_("“%s” is no keep ratio: write a number above 0 and at most 1, as in 0.5 or conv3=0.25"),
  N_("%s needs labels, and the network tells %s classes apart while “%s” has %s"),
  N_("“%s” tells %s classes apart but the data set “%s” has %s"),
  N_("“%s” answers with maps of %s instead of one score for each class, so its accuracy cannot be measured and it cannot "
     "be trained; cut it by its weights, without pictures"),
  N_("cancelled"),
  /* What an import changed or assumed. */
  N_("Node “%s” (%s): %s. The network can be shown, but not run."),
  N_("Node “%s” (%s) is not known here: the network can be shown, but not run."),
  N_("The file does not say how large the result of node “%s” is; sizes and costs from there on are guesses."),
  N_("Node “%s” was exported for training; its stored statistics are used."),
  N_("Node “%s” was exported for training; nothing is dropped here."),
  N_("The network is stored in %s precision and computed in single precision."), N_("half"), N_("double"),
  N_("The file asks for %s pictures at once; here their number is free."),
  N_("Operator version %s is newer than %s, the newest one known here."),
  N_("Nodes that do not lead to the output were left out: %s."),
  N_("Nodes that compute constants were folded: %s."), N_("Nodes that change nothing were left out: %s."),
  N_("Groups of nodes were recognised as one operator each (channel shuffles, layer norms, GELU): %s."),
  N_("Transpositions and reshapes that undo each other were left out: %s."),
  /* Why a group is locked. */
  N_("its channels fall unevenly into the groups of a convolution (node “%s”)"),
  N_("“%s” is read by an operator that cannot be cut (node “%s”)"),
  N_("“%s” is made by an operator that cannot be cut (node “%s”)"),
  N_("“%s” is the network’s input"),
  N_("“%s” is the network’s output: one channel per class"),
  N_("“%s” is repeated over the channels of another map (node “%s”)"),
  N_("“%s” is divided by (node “%s”)"),
  N_("“%s” is read by a grouped transposed convolution (node “%s”)"),
  N_("“%s” is made by a grouped transposed convolution (node “%s”)"),
  N_("“%s” belongs to a grouped transposed convolution (node “%s”)"),
  N_("“%s” is read by a grouped convolution with shared weights (node “%s”)"),
  N_("“%s” is made by a grouped convolution with shared weights (node “%s”)"),
  N_("“%s” is mixed with neighbouring channels by a normalisation (node “%s”)"),
  N_("“%s” is normalised together with the other channels (node “%s”)"),
  N_("“%s” is padded with a value other than 0 (node “%s”)"),
  N_("“%s” is averaged over its channels (node “%s”)"),
  N_("“%s” is mixed by a reshape (node “%s”)"),
  N_("“%s” is read in steps (node “%s”)"),
  N_("“%s” is compared by a softmax (node “%s”)"),
  N_("“%s” is moved to another dimension by a transposition (node “%s”)"),
  N_("“%s” comes from another dimension through a transposition (node “%s”)"),
  NULL
};

/* More than any format has. */
#define MAX_PARTS 8

/* Length of the literal text up to the next %s or the end; "%%" counts as one "%", appended to @out. */
static const char *
take_literal (const char *format, GString *out)
{
  g_string_set_size (out, 0);
  while (*format != '\0' && !(format[0] == '%' && format[1] == 's')) {
    if (format[0] == '%' && format[1] == '%')
      format++;
    g_string_append_c (out, *format++);
  }
  return format;
}

/* Takes @text apart by @format; FALSE if it does not fit. @n: parts found, which the caller frees. */
static gboolean
take_apart (const char *format, const char *text, char **parts, guint *n)
{
  g_autoptr (GString) literal = g_string_new (NULL);
  *n = 0;
  format = take_literal (format, literal);
  if (!g_str_has_prefix (text, literal->str))
    return FALSE;
  text += literal->len;
  while (*format != '\0' && *n < MAX_PARTS) {
    format = take_literal (format + 2, literal);
    /* The last part takes all that is left; one before it ends where the next words begin. */
    const char *end = *format == '\0' && literal->len == 0 ? text + strlen (text)
                      : *format == '\0' && g_str_has_suffix (text, literal->str) ? text + strlen (text) - literal->len
                      : *format == '\0' ? NULL : strstr (text, literal->str);
    if (end == NULL || end == text)
      return FALSE;
    parts[(*n)++] = g_strndup (text, (gsize) (end - text));
    text = end + literal->len;
  }
  return *format == '\0' && *text == '\0';
}

char *
pjm_engine_text_fill (const char *format, char *const *parts, guint n)
{
  GString *out = g_string_new (NULL);
  guint next = 0;
  for (const char *at = format; *at != '\0'; at++) {
    char *end = NULL;
    guint64 number = at[0] == '%' && g_ascii_isdigit (at[1]) ? g_ascii_strtoull (at + 1, &end, 10) : 0;
    if (at[0] == '%' && at[1] == 's') {
      g_string_append (out, next < n ? parts[next] : "");
      next++;
      at++;
    } else if (number > 0 && g_str_has_prefix (end, "$s")) {
      g_string_append (out, number <= n ? parts[number - 1] : "");
      at = end + 1;
    } else {
      if (at[0] == '%' && at[1] == '%')
        at++;
      g_string_append_c (out, *at);
    }
  }
  return g_string_free (out, FALSE);
}

char *
pjm_engine_text_match (const char *const *list, const char *(*translate) (const char *format), const char *text)
{
  char *result = NULL;
  for (guint i = 0; list[i] != NULL && result == NULL; i++) {
    char *parts[MAX_PARTS] = { NULL };
    guint n;
    if (take_apart (list[i], text, parts, &n)) {
      for (guint k = 0; k < n; k++) {
        char *inner = pjm_engine_text_match (list, translate, parts[k]);
        const char *word = inner == NULL ? translate (parts[k]) : NULL;
        if (inner != NULL || word != parts[k]) {
          g_free (parts[k]);
          parts[k] = inner != NULL ? inner : g_strdup (word);
        }
      }
      result = pjm_engine_text_fill (translate (list[i]), parts, n);
    }
    for (guint k = 0; k < n; k++)
      g_free (parts[k]);
  }
  return result;
}

static const char *
translate (const char *text)
{
  return _(text);
}

char *
pjm_engine_text (const char *english)
{
  if (english == NULL)
    return NULL;
  char *text = pjm_engine_text_match (formats, translate, english);
  return text != NULL ? text : g_strdup (*english != '\0' ? _(english) : "");
}
