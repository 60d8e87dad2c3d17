/* SPDX-License-Identifier: MIT */
/* What the files of this folder share about data sets and formats. */
#pragma once

#include "data/dataset.h"

G_BEGIN_DECLS

/* The mean and deviation measured before for the size in @format. Any thread. */
gboolean pj_dataset_recall (PjDataset *self, PjFormat *format);
void pj_dataset_remember (PjDataset *self, const PjFormat *format);

G_END_DECLS
