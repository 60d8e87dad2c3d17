/* SPDX-License-Identifier: MIT */
/* The table that embed.sh generates.  Private to this folder. */
#pragma once

#include <glib.h>

typedef struct {
  const char *name;
  const guint8 *begin, *end;
} PjEmbedded;

/* Ends with a NULL name. */
extern const PjEmbedded pj_embedded[];
