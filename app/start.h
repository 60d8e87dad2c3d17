/* SPDX-License-Identifier: MIT */
/* What both programs do before anything else. */
#pragma once

/**
 * pj_start:
 * @argv: of main()
 *
 * Limits how long the threads of a parallel loop spin while they wait for the next one.  Without a limit
 * they keep a processor busy for milliseconds, and on a machine that does something else as well training
 * becomes several times slower.  The OpenMP library reads this when it is loaded, before main(), so the
 * program starts itself once more; whoever has set OMP_WAIT_POLICY or GOMP_SPINCOUNT is left alone.
 */
void pj_start (char **argv);
