/* SPDX-License-Identifier: MIT */
/* Errors that every part of the engine can raise.  Anything a file, a device or a person can cause
 * is a GError; anything only a programmer can cause is g_return_if_fail or g_assert.  Messages hold
 * facts (what, where, what would help) in plain English; the studio adds a translated headline. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define PJ_ERROR (pj_error_quark ())

/**
 * PjError:
 * @PJ_ERROR_CANCELLED: the person stopped the work; nothing that was stored is lost
 * @PJ_ERROR_NO_MEMORY: host memory; the message names the size asked for
 * @PJ_ERROR_INVALID: a setting is out of its range
 * @PJ_ERROR_IO: reading or writing a file failed; the message names the path
 * @PJ_ERROR_UNSUPPORTED: valid, but not something this build can do
 */
typedef enum {
  PJ_ERROR_CANCELLED,
  PJ_ERROR_NO_MEMORY,
  PJ_ERROR_INVALID,
  PJ_ERROR_IO,
  PJ_ERROR_UNSUPPORTED,
} PjError;

GQuark pj_error_quark (void);

G_END_DECLS
