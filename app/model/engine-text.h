/* SPDX-License-Identifier: MIT */
/* Sentences of the engine in the person's language.
 *
 * The engine speaks plain English: stages of jobs, reasons of locks and refusals, readings.  Each comes from a
 * format string of its source, which tools/engine-texts.py collects; here the sentence is taken apart by those
 * formats, and put together again by the translated one.  What matches none stays English. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* (transfer full) (nullable): NULL for NULL. Any thread. */
char *pjm_engine_text (const char *english);

/* Fills the @n @parts into @format, which has only "%s", "%2$s" and "%%". (transfer full) */
char *pjm_engine_text_fill (const char *format, char *const *parts, guint n);

/* --- for tests and for other lists of formats --- */

/* @text by the formats @formats (NULL-terminated), whose translations @translate gives. (transfer full) (nullable):
 * NULL if none fits. */
char *pjm_engine_text_match (const char *const *formats, const char *(*translate) (const char *format), const char *text);

G_END_DECLS
