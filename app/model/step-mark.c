/* SPDX-License-Identifier: MIT */
#include "model/step-mark-private.h"

#include <glib/gi18n-lib.h>
#include <stdlib.h>
#include <string.h>

#include "model/engine-text.h"
#include "model/work-settings.h"
#include "prune/method.h"

/* The formats of titles are used in English for the session and translated for the person; every %s is a value. */
static const struct { const char *name, *format; } kinds[PJM_N_MARKS] = {
  /* Translators: a step of the history: Keep 50 % of conv3 */
  [PJM_MARK_KEEP_LAYER] = { "keep-layer", N_("Keep %s %% of %s") },
  [PJM_MARK_KEEP_GROUPS] = { "keep-groups", "Keep %s %% of %s groups" },
  [PJM_MARK_KEEP_ALL] = { "keep-all", N_("Keep %s %% of every layer") },
  /* Translators: a step of the history: Choose by ThiNet */
  [PJM_MARK_CHOOSE] = { "choose", N_("Choose by %s") },
  [PJM_MARK_REMOVE_CHANNEL] = { "remove-channel", N_("Remove channel %s of %s") },
  [PJM_MARK_KEEP_CHANNEL] = { "keep-channel", N_("Keep channel %s of %s") },
  [PJM_MARK_REMOVE_CHANNELS] = { "remove-channels", N_("Remove channel %s of %s and one of every other group") },
  [PJM_MARK_KEEP_CHANNELS] = { "keep-channels", N_("Keep channel %s of %s and one of every other group") },
  [PJM_MARK_AGAIN] = { "again", N_("Keep what was marked") },
  [PJM_MARK_PREPARE] = { "prepare", N_("Prepare pictures another way") },
};

/* What older versions wrote as a title only.  The general ones stand last: the first match wins. */
static const char *const old_titles[] = {
  "Keep %s %% of every layer", "Keep %s %% of %s groups", "Remove channel %s of %s and one of every other group",
  "Keep channel %s of %s and one of every other group", "Remove channel %s of %s", "Keep channel %s of %s",
  "Keep %s %% of %s", "Choose by %s", "Keep what was marked", "Prepare pictures another way", NULL
};

typedef struct { char *mark, **values; } Stored;

static const PjField fields[] = {
  { "mark", PJ_FIELD_TEXT, offsetof (Stored, mark) },
  { "value", PJ_FIELD_LIST, offsetof (Stored, values) },
  { NULL }
};

static const char *
format_of (PjmMarkKind kind, const char *const *values)
{
  if (kind == PJM_MARK_KEEP_GROUPS) {
    unsigned long n = strtoul (values[1], NULL, 10);
    /* Translators: a step of the history; groups of channels: those that are cut together count once */
    return g_dngettext (GETTEXT_PACKAGE, "Keep %s %% of %s group", "Keep %s %% of %s groups", n);
  }
  return _(kinds[kind].format);
}

static guint
n_values (const char *format)
{
  guint n = 0;
  for (const char *at = format; (at = strstr (at, "%s")) != NULL; at += 2)
    n++;
  return n;
}

/* Names of methods are written as their titles. */
static const char *
title_of_method (const char *name)
{
  const PjCriterion *criterion = pj_criterion_find (name);
  const PjMethod *method = criterion == NULL ? pj_method_find (name) : NULL;
  return criterion != NULL ? criterion->title : method != NULL ? method->title : name;
}

void
pjm_mark_write (const PjmMark *mark, PjStepRecord *record)
{
  const char *values[] = { mark->values[0], mark->values[0] != NULL ? mark->values[1] : NULL, NULL };
  Stored stored = { (char *) kinds[mark->kind].name, (char **) values };
  g_free (record->settings);
  record->settings = pj_fields_write (fields, &stored);
  if (mark->kind == PJM_MARK_CHOOSE)
    values[0] = title_of_method (values[0]);
  g_free (record->title);
  record->title = pjm_engine_text_fill (kinds[mark->kind].format, (char **) values, g_strv_length ((char **) values));
}

static const char *
translate (const char *text)
{
  return _(text);
}

char *
pjm_mark_title (const PjStepRecord *record)
{
  Stored stored = { NULL };
  char *title = NULL;
  if (record->kind != PJ_STEP_MASKED || record->job != 0)
    return NULL;
  if (!pj_fields_read (fields, &stored, record->settings != NULL ? record->settings : "", NULL))
    pj_fields_clear (fields, &stored);
  for (guint i = 0; i < PJM_N_MARKS && title == NULL && stored.mark != NULL; i++) {
    guint n = stored.values != NULL ? g_strv_length (stored.values) : 0;
    if (strcmp (stored.mark, kinds[i].name) != 0 || n != n_values (kinds[i].format))
      continue;
    const char *values[] = { n > 0 ? stored.values[0] : NULL, n > 1 ? stored.values[1] : NULL, NULL };
    if (i == PJM_MARK_CHOOSE)
      values[0] = _(title_of_method (values[0]));
    title = pjm_engine_text_fill (format_of (i, values), (char **) values, n);
  }
  pj_fields_clear (fields, &stored);
  return title != NULL ? title : pjm_engine_text_match (old_titles, translate, record->title);
}
