// SPDX-License-Identifier: Apache-2.0
// How a thread of mailtap begins: no signal that is meant for the process comes to it, so that the thread that
// reads the input is the one whose wait a signal ends. One signal is left: by it a thread is asked to do
// something for itself that the kernel keeps by thread (analytics/every_thread.h). A thread that was begun
// before privileges are given up, and blocks that one as well, would keep what the others give up: the
// run does not begin then.
#ifndef MAILTAP_CAPTURE_BASE_THREAD_H
#define MAILTAP_CAPTURE_BASE_THREAD_H

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>

// As pthread_create. False: there is none.
bool thread_begin(pthread_t *thread, void *(*work)(void *context), void *context);

// The signal that is left.
int thread_signal(void);

// From here on, of the calling thread and those that it begins, by itself or by a library: every signal is
// blocked but that one. `before`: to give back to pthread_sigmask.
void thread_block_signals(sigset_t *before);

#endif
