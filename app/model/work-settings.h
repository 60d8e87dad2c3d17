/* SPDX-License-Identifier: MIT */
/* Settings of jobs as text: "key value" lines, the form in which a session keeps them.
 *
 * A table of fields describes a struct; writing and reading follow the table.  Reading leaves fields
 * without a line as they are and ignores lines without a field, so that older and newer versions
 * understand each other.  A text field with several lines of the same key is a list.  Backslash and
 * newline in values are written as \\ and \n. */
#pragma once

#include <glib.h>
#include <stddef.h>

G_BEGIN_DECLS

typedef enum {
  PJ_FIELD_UINT,        /* unsigned */
  PJ_FIELD_INT,         /* int, also enums */
  PJ_FIELD_UINT64,      /* uint64_t */
  PJ_FIELD_FLOAT,       /* float */
  PJ_FIELD_DOUBLE,      /* double */
  PJ_FIELD_BOOL,        /* gboolean: yes, no */
  PJ_FIELD_TEXT,        /* char *, owned; no line for NULL */
  PJ_FIELD_LIST,        /* char **, owned, NULL-terminated: one line each */
} PjFieldType;

/* A table ends with a row whose @key is NULL. */
typedef struct {
  const char *key;
  PjFieldType type;
  size_t offset;
} PjField;

/* (transfer full) */
char *pj_fields_write (const PjField *fields, gconstpointer object);
/* PJ_ERROR_INVALID naming the key if a value is not of the field's type; @object may then be half read. */
gboolean pj_fields_read (const PjField *fields, gpointer object, const char *text, GError **error);
/* Frees texts and lists and sets them to NULL. */
void pj_fields_clear (const PjField *fields, gpointer object);
/* The first value of @key in @text, or NULL. (transfer full) */
char *pj_settings_get (const char *text, const char *key);

G_END_DECLS
