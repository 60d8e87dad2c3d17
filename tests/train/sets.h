/* SPDX-License-Identifier: MIT */
/* Small data sets and networks that can be learnt in a second. */
#pragma once

#include "compute/device.h"
#include "data/dataset.h"
#include "graph/graph.h"

G_BEGIN_DECLS

/* The device of PJ_TEST_DEVICE, else the CPU. */
PjDevice *sets_device (void);
/* Four classes of 8 × 8 pictures: a bright bar along one side of noise. */
PjDataset *sets_bars (int n, int n_test);
/* conv 8 – pool – conv 12 – classifier, with norms, for sets_bars(). */
PjGraph *sets_net (uint64_t seed);
/* What pictures of sets_bars() are prepared as. */
extern const PjFormat sets_format;

G_END_DECLS
