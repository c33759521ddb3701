// SPDX-License-Identifier: Apache-2.0
// Records as numbers: --dump-records, for who debugs the trace itself.

#include <ctype.h>
#include <inttypes.h>
#include "trace.h"

static const char *const types[] = {
	[TRACE_PAD] = "pad",	 [TRACE_ENTER] = "enter",   [TRACE_EXIT] = "exit", [TRACE_SIGNAL] = "signal",
	[TRACE_NEWTASK] = "new", [TRACE_GONE] = "gone",	    [TRACE_EXEC] = "exec", [TRACE_STOP] = "stop",
	[TRACE_LOST] = "lost",	 [TRACE_ATTACH] = "attach", [TRACE_CALL] = "call",
};
static const char *const kinds[] = {
	[TRACE_BLOB_MEM] = "mem",	[TRACE_BLOB_STR] = "str",	[TRACE_BLOB_FDPATH] = "fdpath",
	[TRACE_BLOB_KSTACK] = "kstack", [TRACE_BLOB_USTACK] = "ustack", [TRACE_BLOB_MAP] = "map",
	[TRACE_BLOB_COUNT] = "count",	[TRACE_BLOB_UREGS] = "uregs",
};

static const char *name(const char *const *table, size_t n, unsigned i)
{
	return i < n && table[i] ? table[i] : "?";
}

static void dump_data(FILE *f, const uint8_t *p, uint32_t n)
{
	uint32_t most = n > 64 ? 64 : n;

	for (uint32_t i = 0; i < most; i++)
		fprintf(f, "%02x", p[i]);
	fputs("  ", f);
	for (uint32_t i = 0; i < most; i++)
		fputc(isprint(p[i]) ? p[i] : '.', f);
	fputs(most < n ? "...\n" : "\n", f);
}

void dump_record(FILE *f, const struct hostif_trace_rec *r)
{
	const uint8_t *p = (const uint8_t *)(r + 1), *end = (const uint8_t *)r + r->size;

	fprintf(f, "%" PRIu64 ".%09" PRIu64 " %d/%d %s nr %u flags %#x", r->time / 1000000000, r->time % 1000000000,
		r->tgid, r->tid, name(types, sizeof(types) / sizeof(*types), r->type), r->nr, r->flags);
	for (int i = 0; i < 6; i++)
		fprintf(f, " %" PRIx64, r->args[i]);
	fprintf(f, " ret %" PRId64 " ip %" PRIx64 " ticket %" PRIu64 " blobs %u\n", r->ret, r->ip, r->ticket,
		r->nblobs);
	for (uint32_t i = 0; i < r->nblobs && end - p >= (long)sizeof(struct hostif_trace_blob); i++) {
		const struct hostif_trace_blob *b = (const void *)p;

		p += sizeof(*b);
		if (b->len > end - p)
			break;
		fprintf(f, "    %s arg %u addr %" PRIx64 " len %u of %u  ",
			name(kinds, sizeof(kinds) / sizeof(*kinds), b->kind), b->arg, b->addr, b->len, b->want);
		dump_data(f, p, b->len);
		p += (b->len + 7) & ~7u;
	}
}
