// SPDX-License-Identifier: Apache-2.0
#define NCURSES_WIDECHAR 1
#include "analytics/top/top_screen.h"

#include "capture/base/monotonic.h"

#include <curses.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <term.h>
#include <unistd.h>

#undef lines // of terminfo's macros

static const char *const help[] = {
    "q        quit",
    "w        the next window of time: 15m, 1h, 24h",
    "p, blank pause, and go on",
    "s        sort servers by sessions, by those without TLS, by address",
    "arrows, j, k, Page Up, Page Down, Home, End   scroll",
    "h, ?     this, and back",
    "",
    "Windows are of packet time; rates are of the last ten seconds. A dash is what is",
    "not known. Lost: packets that the kernel, the card or the interface dropped, and",
    "segments left out under overload. LOSSES has all that the capture counted in the",
    "window. Red: stripping, or losses. > at the right: there was no room for more.",
};

enum { HELP_LINES = sizeof help / sizeof help[0] };

static bool can_move_its_cursor(void)
{
	int answer;
	const char *name = getenv("TERM");
	if (name == NULL || setupterm(name, STDOUT_FILENO, &answer) != OK)
		return false;
	bool can = cursor_address != NULL && clear_screen != NULL;
	(void)del_curterm(cur_term); // what follows reads it again
	return can;
}

static void choose_colours(void)
{
	const char *none = getenv("NO_COLOR"); // no-color.org
	if ((none != NULL && none[0] != '\0') || !has_colors() || start_color() != OK)
		return;
	(void)use_default_colors();
	(void)init_pair(TOP_BAD, COLOR_RED, -1);
	(void)init_pair(TOP_WARNING, COLOR_YELLOW, -1);
	(void)init_pair(TOP_GOOD, COLOR_GREEN, -1);
}

bool top_screen_open(struct error *error)
{
	error_set(error, "top: this is no terminal on which it can be shown; see --once");
	if (!isatty(STDOUT_FILENO) || !isatty(STDIN_FILENO) || !can_move_its_cursor() ||
	    newterm(NULL, stdout, stdin) == NULL)
		return false;
	choose_colours();
	(void)cbreak();
	(void)noecho();
	(void)curs_set(0);
	(void)keypad(stdscr, TRUE);
	(void)nodelay(stdscr, TRUE);
	return true;
}

void top_screen_close(void)
{
	(void)endwin();
}

size_t top_screen_columns(void)
{
	return COLS > 0 ? (size_t)COLS : 0;
}

/* ---- drawing ---- */

// Also without colours what is bad stands out.
static attr_t attribute_of(enum top_style style)
{
	static const attr_t attributes[TOP_STYLES] = {[TOP_HEAD] = A_BOLD, [TOP_BAD] = A_BOLD};
	bool coloured = style != TOP_PLAIN && style != TOP_HEAD && has_colors() && COLOR_PAIRS > 1;
	return attributes[style] | (coloured ? (attr_t)COLOR_PAIR((unsigned)style) : 0);
}

// `length` negative: all of it.
static void draw(attr_t attribute, const char *text, int length)
{
	(void)attr_set(attribute & ~A_COLOR, (short)PAIR_NUMBER((int)attribute), NULL);
	(void)addnstr(text, length);
	(void)attr_set(A_NORMAL, 0, NULL);
}

// Lines of a frame that there is room for, besides the last line.
static size_t room(void)
{
	return LINES > 1 ? (size_t)LINES - 1 : 0;
}

static size_t last_first(const struct top_frame *frame)
{
	return frame->count > room() ? frame->count - room() : 0;
}

static void draw_frame(const struct top_view *view, const struct top_frame *frame)
{
	for (size_t i = 0; i < room() && view->first + i < frame->count; i++) {
		const struct top_line *line = &frame->lines[view->first + i];
		int left = line->right_at > 0 ? (int)line->right_at : -1;
		(void)move((int)i, 0);
		draw(attribute_of(line->style), line->text, left);
		if (left > 0)
			draw(attribute_of(line->right), line->text + left, -1);
	}
}

static void draw_help(void)
{
	for (size_t i = 0; i < HELP_LINES && i < room(); i++) {
		(void)move((int)i, 0);
		draw(A_NORMAL, help[i], -1);
	}
}

// What is wrong, or what can be done.
static void draw_status(const struct top_view *view)
{
	char text[TOP_LINE_SIZE];
	int64_t age = (monotonic_now() - view->answered) / INT64_C(1000000000);
	if (view->failing && view->answered != 0)
		snprintf(text, sizeof text, "NO ANSWER for %" PRId64 " s, tried again: %s", age,
		    view->trouble.text);
	else if (view->failing)
		snprintf(text, sizeof text, "NO ANSWER, tried again: %s", view->trouble.text);
	else if (view->answered == 0)
		snprintf(text, sizeof text, "asking %s", view->address);
	else
		snprintf(text, sizeof text, "%s%s  q quit  w window  p pause  s sort  h help",
		    view->paused ? "PAUSED  " : "", view->address);
	if (strlen(text) >= top_screen_columns() && COLS > 0)
		text[COLS - 1] = '\0';
	(void)move(LINES - 1, 0);
	draw(view->failing ? attribute_of(TOP_BAD) | A_REVERSE : A_REVERSE, text, -1);
}

void top_screen_draw(struct top_view *view, const struct top_frame *frame)
{
	size_t last = last_first(frame);
	view->first = view->first < last ? view->first : last;
	(void)erase();
	if (view->help)
		draw_help();
	else
		draw_frame(view, frame);
	draw_status(view);
	(void)refresh();
}

/* ---- keys ---- */

static void scroll_by(struct top_view *view, const struct top_frame *frame, long lines)
{
	long first = (long)view->first + lines, last = (long)last_first(frame);
	first = first < last ? first : last;
	view->first = first > 0 ? (size_t)first : 0;
}

// False: it is none of them.
static bool scroll_key(struct top_view *view, const struct top_frame *frame, int key)
{
	long page = (long)room();
	switch (key) {
	case KEY_UP:
	case 'k':
		scroll_by(view, frame, -1);
		return true;
	case KEY_DOWN:
	case 'j':
		scroll_by(view, frame, 1);
		return true;
	case KEY_PPAGE:
		scroll_by(view, frame, -page);
		return true;
	case KEY_NPAGE:
		scroll_by(view, frame, page);
		return true;
	case KEY_HOME:
		view->first = 0;
		return true;
	case KEY_END:
		view->first = last_first(frame);
		return true;
	default:
		return false;
	}
}

static void take_key(struct top_view *view, const struct top_frame *frame, int key)
{
	if (scroll_key(view, frame, key))
		return;
	switch (key) {
	case 'w':
		view->window = (enum live_window)((view->window + 1) % LIVE_WINDOWS);
		break;
	case 'p':
	case ' ':
		view->paused = !view->paused;
		break;
	case 's':
		view->order = (enum top_order)((view->order + 1) % TOP_ORDERS);
		break;
	case 'h':
	case '?':
		view->help = !view->help;
		break;
	default:
		break;
	}
}

bool top_screen_keys(struct top_view *view, const struct top_frame *frame)
{
	int key;
	while ((key = getch()) != ERR) {
		if (key == 'q')
			return false;
		take_key(view, frame, key);
	}
	return isatty(STDIN_FILENO); // or the terminal has gone
}
