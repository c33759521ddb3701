// SPDX-License-Identifier: Apache-2.0
// Sizes and times for people.

#include <stdio.h>
#include "top.h"

void format_size(char *out, size_t n, uint64_t bytes)
{
	static const char units[] = "KMGT";
	double v = bytes / 1024.0;
	int u = 0;

	while (v >= 999.5 && u < 3) {
		v /= 1024;
		u++;
	}
	snprintf(out, n, v < 9.95 && u ? "%.1f%c" : "%.0f%c", v, units[u]);
}

void format_time(char *out, size_t n, uint64_t ns)
{
	unsigned long long s = ns / 1000000000, m = s / 60, h = m / 60;

	if (h >= 48)
		snprintf(out, n, "%llud %02lluh", h / 24, h % 24);
	else if (h)
		snprintf(out, n, "%llu:%02llu:%02llu", h, m % 60, s % 60);
	else if (m)
		snprintf(out, n, "%llu:%02llu", m, s % 60);
	else
		snprintf(out, n, "%llus", s);
}
