// SPDX-License-Identifier: Apache-2.0
// Sizes and times for people.

#include <stdio.h>
#include <json-c/json.h>
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

void format_argv(char *out, size_t n, struct json_object *info)
{
	struct json_object *argv = NULL;
	size_t len = 0, count;

	json_object_object_get_ex(info, "argv", &argv);
	count = json_object_is_type(argv, json_type_array) ? json_object_array_length(argv) : 0;
	for (size_t i = 0; i < count; i++) {
		const char *a = json_object_get_string(json_object_array_get_idx(argv, i));

		if (i && len + 1 < n)
			out[len++] = ' ';
		for (; a && *a && len + 1 < n; a++)
			out[len++] = *a < 32 || *a > 126 ? '?' : *a;
	}
	out[len] = 0;
}
