/* SPDX-License-Identifier: MIT */
/* Tables of files that embed.sh builds into the program: one table for each folder that has such files. */
#pragma once

#include <glib.h>

typedef struct {
  const char *name;
  const guint8 *begin, *end;     /* @end is followed by a zero byte, so that a text is a string */
} PjEmbedded;

/* Each ends with a NULL name. */
extern const PjEmbedded pj_embedded_sample[], pj_embedded_demo[];
