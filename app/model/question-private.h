/* SPDX-License-Identifier: MIT */
/* A question of the studio that a queue's thread answers: the way from a GTask through a PjJobQueue and back. */
#pragma once

#include <gio/gio.h>

#include "model/job-queue.h"

G_BEGIN_DECLS

/* The answer in what @run left in its data; the data keeps nothing of it. */
typedef gpointer (*PjmTakeFunc) (gpointer data);

/**
 * pjm_question_ask:
 * @queue: whose thread answers, behind what waits there
 * @task: (transfer full): gets the answer, the error of @run, or G_IO_ERROR_CANCELLED; its cancellable stops the run
 * @run: with @data, on the thread of @queue
 * @data, @data_free: (transfer full): freed on the main thread
 * @take, @answer_free: of the answer, once @run succeeded
 *
 * Main thread.
 */
void pjm_question_ask (PjJobQueue *queue, GTask *task, PjTaskFunc run, gpointer data, GDestroyNotify data_free, PjmTakeFunc take,
                       GDestroyNotify answer_free);

/* @task: (transfer full): fails because there is no network to ask about. */
void pjm_question_refuse (GTask *task);

/* What an estimate ends with: its seconds, or -1 with @error. */
double pjm_question_take_seconds (GAsyncResult *result, gpointer source, GError **error);

G_END_DECLS
