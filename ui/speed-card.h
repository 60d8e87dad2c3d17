/* SPDX-License-Identifier: MIT */
/* PjuSpeedCard: measures the network on the device, kernel by kernel, when a person asks for it: a bar, and the table behind
 * it. */
#pragma once

#include "studio.h"

G_BEGIN_DECLS

#define PJU_TYPE_SPEED_CARD (pju_speed_card_get_type ())
G_DECLARE_FINAL_TYPE (PjuSpeedCard, pju_speed_card, PJU, SPEED_CARD, GtkWidget)

GtkWidget *pju_speed_card_new (PjuStudio *studio);
/* As the button does. */
void pju_speed_card_measure (PjuSpeedCard *self);

G_END_DECLS
