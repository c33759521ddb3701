/* SPDX-License-Identifier: Apache-2.0 */
/* File and line in the lines of a kernel report, from the table in the kernel's file. */
#ifndef HUSK_HOST_KLINES_H
#define HUSK_HOST_KLINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * One reader of one log, used by one thread at a time. @fd: the kernel's file, or -1; not owned. @data: the table, once it was wanted
 * @rip: the symbol of the report's RIP line. @trace_begins: the line before was the head of a backtrace
 */
struct klines {
	int fd;
	bool tried, trace_begins;
	char *data;
	const char *files, *funcs, *end;
	char rip[256];
	size_t rip_len;
};

/**
 * klines_note - add " (file:line)" to a line of a report
 * @line: @n bytes of text without level and newline, in @room bytes; lines must come one after the other
 * Return: its new length; @n when it names no function of the kernel, or when the file has no table.
 */
size_t klines_note(struct klines *k, char *line, size_t n, size_t room);
void klines_free(struct klines *k);

#endif
