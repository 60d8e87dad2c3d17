/* SPDX-License-Identifier: MIT */
/* The table of a profile: one row per kernel call, sorted by any column. */
#pragma once

#include "studio.h"

G_BEGIN_DECLS

/* (transfer floating) */
GtkWidget *pju_kernel_table_new (void);
/* @profile: copied; NULL empties it */
void pju_kernel_table_set (GtkWidget *table, const PjmProfile *profile);

G_END_DECLS
