/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <string.h>

#include "train/arch.h"
#include "train/tables.h"

static const struct { const char *name, *about; } conventions[PJ_N_CONVENTIONS] = {
  [PJ_COUNT_WEIGHTS] = { "weights", "weights of convolutions and fully connected layers" },
  [PJ_COUNT_CAFFE] = { "caffe", "weights, and 2 per norm channel" },
  [PJ_COUNT_LEARNABLE] = { "learnable", "weights, biases, and 2 per norm channel" },
  [PJ_COUNT_MACS] = { "macs", "multiply-accumulates of convolutions and fully connected layers" },
  [PJ_COUNT_MACS_BN] = { "macs_bn", "multiply-accumulates, and 1 per norm channel" },
  [PJ_COUNT_FLOPS] = { "flops", "2 per multiply-accumulate" },
  [PJ_COUNT_FLOPS_CAFFE] = { "flops_caffe", "2 per multiply-accumulate, and 4 per norm channel" },
};

const char *
pj_convention_name (PjConvention convention)
{
  return conventions[convention].name;
}

const char *
pj_convention_about (PjConvention convention)
{
  return conventions[convention].about;
}

uint64_t
pj_convention_count (PjConvention convention, const PjCost *cost)
{
  switch (convention) {
  case PJ_COUNT_WEIGHTS:
    return cost->weights;
  case PJ_COUNT_CAFFE:
    return cost->weights + 2 * cost->norm_channels;
  case PJ_COUNT_LEARNABLE:
    return cost->learnable;
  case PJ_COUNT_MACS:
    return cost->macs;
  case PJ_COUNT_MACS_BN:
    return cost->macs + cost->norm_channels;
  case PJ_COUNT_FLOPS:
    return 2 * cost->macs;
  case PJ_COUNT_FLOPS_CAFFE:
    return 2 * cost->macs + 4 * cost->norm_channels;
  default:
    g_return_val_if_reached (0);
  }
}

/* To a multiple of @unit, halves up. */
static uint64_t
round_to (uint64_t count, uint64_t unit)
{
  return (count + unit / 2) / unit * unit;
}

gboolean
pj_claim_agrees (const PjClaim *claim, uint64_t count)
{
  uint64_t unit = claim->unit == 'G' ? 1000000000 : 1000000, printed = 0, digits = 1;
  const char *point = strchr (claim->printed, '.');

  /* "4.09" -> 409, and the unit of its last place. */
  for (const char *c = claim->printed; *c != '\0'; c++)
    if (g_ascii_isdigit (*c))
      printed = 10 * printed + (uint64_t) (*c - '0');
  for (const char *c = point; c != NULL && c[1] != '\0'; c++)
    unit /= 10;
  while (count / digits >= 1000000)
    digits *= 10;
  return round_to (count, unit) == printed * unit || round_to (round_to (count, digits), unit) == printed * unit;
}

PjGraph *
pj_table_row_make (const PjTableRow *self, GError **error)
{
  double width;
  const PjArch *arch = pj_arch_parse (self->arch, &width);
  PjArchOptions options;

  pj_arch_options_init (&options, arch);
  options.width = width;
  options.n_classes = self->n_classes;
  options.outline = TRUE;
  g_autoptr (PjGraph) graph = pj_arch_build (arch, &options, error);
  if (graph == NULL || self->cut == NULL)
    return g_steal_pointer (&graph);
  return self->cut (self, graph, error);
}

double
pj_speedup_ratio (const PjSpeedupRow *self)
{
  return rint (100 * self->baseline / self->flops) / 100;
}

double
pj_days (const PjDaysRow *self)
{
  double seconds = 0;
  for (guint i = 0; i < G_N_ELEMENTS (self->parts); i++)
    seconds += self->parts[i].seconds * self->parts[i].times;
  return rint (100 * seconds / 86400) / 100;
}
