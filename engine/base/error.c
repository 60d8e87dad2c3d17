/* SPDX-License-Identifier: MIT */
#include "base/error.h"

G_DEFINE_QUARK (pj-error-quark, pj_error)
