// SPDX-License-Identifier: Apache-2.0
#include "capture/base/thread.h"

int thread_signal(void)
{
	return SIGRTMAX - 1;
}

void thread_block_signals(sigset_t *before)
{
	sigset_t blocked;
	sigfillset(&blocked);
	sigdelset(&blocked, thread_signal());
	(void)pthread_sigmask(SIG_SETMASK, &blocked, before);
}

bool thread_begin(pthread_t *thread, void *(*work)(void *context), void *context)
{
	sigset_t before;
	thread_block_signals(&before);
	bool begun = pthread_create(thread, NULL, work, context) == 0;
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return begun;
}
