// SPDX-License-Identifier: Apache-2.0
// Runs a program many times and starts it once: loading its libraries takes longer than it needs for a small
// capture. Preloaded (LD_PRELOAD) into the program under test, which is left as it is, this stops in front of
// main() and for each request forks a child that goes on from there, with arguments, standard input and
// outputs of its own. tests/lib/fork_server.py is the other end.
//
// The environment variable FORK_SERVER names the descriptor of a socket of whole messages. A request is the
// arguments, each with a NUL behind it, and three descriptors; the answer is the child's process id, then, when
// it has ended, its status as waitpid() has it. The server ends with the socket.
#include <dlfcn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST_ARGUMENTS = 2048, MOST_BYTES = 128 * 1024 };

typedef int main_function(int argc, char **argv, char **environment);
typedef int start_function(main_function *main, int argc, char **argv, void (*init)(void),
    void (*fini)(void), void (*rtld_fini)(void), void *stack_end);

start_function __libc_start_main;

static main_function *program_main;

// One request: its arguments, pointers into `text`, and descriptors.
struct request {
	int argc;
	char *argv[MOST_ARGUMENTS + 1];
	int descriptors[3];
	char text[MOST_BYTES];
};

// False: the other end has closed the socket, or what came is no request.
static bool receive(int channel, struct request *request)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof request->descriptors)];
	} control;
	struct iovec data = {request->text, sizeof request->text};
	struct msghdr message = {.msg_iov = &data,
	    .msg_iovlen = 1,
	    .msg_control = &control,
	    .msg_controllen = sizeof control};
	ssize_t size = recvmsg(channel, &message, 0);
	const struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	if (size <= 0 || request->text[size - 1] != '\0' || header == NULL ||
	    header->cmsg_len != CMSG_LEN(sizeof request->descriptors))
		return false;
	memcpy(request->descriptors, CMSG_DATA(header), sizeof request->descriptors);
	request->argc = 0;
	for (char *at = request->text; at < request->text + size; at += strlen(at) + 1) {
		if (request->argc == MOST_ARGUMENTS)
			return false;
		request->argv[request->argc++] = at;
	}
	request->argv[request->argc] = NULL;
	return true;
}

static int run_child(int channel, struct request *request, char **environment)
{
	close(channel);
	for (int i = 0; i < 3; i++) {
		dup2(request->descriptors[i], i);
		close(request->descriptors[i]);
	}
	return program_main(request->argc, request->argv, environment);
}

static bool answer(int channel, int32_t number)
{
	return send(channel, &number, sizeof number, MSG_NOSIGNAL) == sizeof number;
}

// In the place of main(): returns in children only.
static int serve(int argc, char **argv, char **environment)
{
	static struct request request;
	const char *named = getenv("FORK_SERVER");
	if (named == NULL)
		return program_main(argc, argv, environment);
	int channel = atoi(named);
	while (receive(channel, &request)) {
		pid_t child = fork();
		if (child == 0)
			return run_child(channel, &request, environment);
		for (int i = 0; i < 3; i++)
			close(request.descriptors[i]);
		int status = 0;
		if (child < 0 || !answer(channel, child) || waitpid(child, &status, 0) != child ||
		    !answer(channel, status))
			break;
	}
	_exit(0);
}

int __libc_start_main(main_function *main, int argc, char **argv, void (*init)(void),
    void (*fini)(void), void (*rtld_fini)(void), void *stack_end)
{
	start_function *start;
	*(void **)&start = dlsym(RTLD_NEXT, "__libc_start_main");
	program_main = main;
	return start(serve, argc, argv, init, fini, rtld_fini, stack_end);
}
