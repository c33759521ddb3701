// SPDX-License-Identifier: Apache-2.0
// Output of commands: text for people, or the same values as one JSON object a command.

#include <json-c/json.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include "crash.h"

/**
 * DOC: one code path for both
 *
 * A command calls text() for what only people read, and f_*() for each value with its name and its printf format (NULL: in JSON only). obj()
 * and list() open a nested object or array; inside an array the name is not used. Addresses are strings in JSON, "0x...": they do not fit a double.
 */
#define MAX_DEPTH 16

FILE *out;
bool out_json;
static json_object *stack[MAX_DEPTH];
static unsigned depth;

void text(const char *fmt, ...)
{
	va_list ap;

	if (out_json)
		return;
	va_start(ap, fmt);
	vfprintf(out, fmt, ap);
	va_end(ap);
}

static void attach(const char *name, json_object *v)
{
	json_object *o = stack[depth - 1];

	if (json_object_is_type(o, json_type_array))
		json_object_array_add(o, v);
	else
		json_object_object_add(o, name ?: "value", v);
}

static void push(const char *name, json_object *v)
{
	if (depth == MAX_DEPTH)
		abort();
	attach(name, v);
	stack[depth++] = v;
}

void obj(const char *name)
{
	if (out_json)
		push(name, json_object_new_object());
}

void list(const char *name)
{
	if (out_json)
		push(name, json_object_new_array());
}

void end(void)
{
	if (out_json && depth > 1)
		depth--;
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-security"
void f_int(const char *name, const char *fmt, s64 v)
{
	if (out_json)
		attach(name, json_object_new_int64(v));
	else if (fmt)
		fprintf(out, fmt, (long long)v);
}

void f_uint(const char *name, const char *fmt, u64 v)
{
	if (out_json)
		attach(name, json_object_new_uint64(v));
	else if (fmt)
		fprintf(out, fmt, (unsigned long long)v);
}

void f_hex(const char *name, const char *fmt, u64 v)
{
	char s[32];

	if (out_json) {
		snprintf(s, sizeof(s), "0x%llx", (unsigned long long)v);
		attach(name, json_object_new_string(s));
	} else if (fmt) {
		fprintf(out, fmt, (unsigned long long)v);
	}
}

void f_str(const char *name, const char *fmt, const char *v)
{
	if (out_json)
		attach(name, v ? json_object_new_string(v) : NULL);
	else if (fmt)
		fprintf(out, fmt, v ?: "-");
}

void f_double(const char *name, const char *fmt, double v)
{
	if (out_json)
		attach(name, json_object_new_double(v));
	else if (fmt)
		fprintf(out, fmt, v);
}
#pragma GCC diagnostic pop

void f_bool(const char *name, bool v)
{
	if (out_json)
		attach(name, json_object_new_boolean(v));
}

void out_begin(const char *command)
{
	if (!out_json)
		return;
	depth = 1;
	stack[0] = json_object_new_object();
	json_object_object_add(stack[0], "command", json_object_new_string(command));
}

void out_end(int status)
{
	if (!out_json) {
		fflush(out);
		return;
	}
	json_object_object_add(stack[0], "ok", json_object_new_boolean(!status));
	fprintf(out, "%s\n",
		json_object_to_json_string_ext(stack[0], JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	fflush(out);
	json_object_put(stack[0]);
	stack[0] = NULL;
	depth = 0;
}
