/* SPDX-License-Identifier: MIT */
/* PjuCertificate: what was checked of an exported file, as a card with a badge. */
#pragma once

#include "studio.h"

G_BEGIN_DECLS

#define PJU_TYPE_CERTIFICATE (pju_certificate_get_type ())
G_DECLARE_FINAL_TYPE (PjuCertificate, pju_certificate, PJU, CERTIFICATE, GtkWidget)

/* @details: of a job of the kind “export”: “key value” lines; see PjmJob. */
GtkWidget *pju_certificate_new (const char *title, const char *details);

G_END_DECLS
