// SPDX-License-Identifier: Apache-2.0
// Pictures of memory for the report, as inline SVG.

#include <stdlib.h>
#include <string.h>
#include "pages.h"
#include "picture.h"

#define COLUMNS 96
#define ROWS_MAX 32
#define CELL 10

/* By page type; the last two: free, and the image with what lies below the allocator */
static const char *const colour[MAX_PAGE_TYPES + 2] = {
	"#8c959f", "#cf222e", "#bf8700", "#0969da", "#1a7f37", "#8250df", "#bc4c00", "#1b7c83", "#57606a",
	"#57606a", "#57606a", "#57606a", "#57606a", "#57606a", "#57606a", "#57606a", "#d8dee4", "#24292f",
};
#define FREE MAX_PAGE_TYPES
#define FIXED (MAX_PAGE_TYPES + 1)

struct grid {
	u64 first, per_cell, cells;
	u32 (*count)[MAX_PAGE_TYPES + 2];
	u64 total[MAX_PAGE_TYPES + 2];
};

static void fill(struct grid *g, u64 pfn, u64 n, int kind)
{
	g->total[kind] += n;
	while (n) {
		u64 cell = (pfn - g->first) / g->per_cell, here = g->first + (cell + 1) * g->per_cell - pfn;

		if (cell >= g->cells)
			break;
		if (here > n)
			here = n;
		g->count[cell][kind] += (u32)here;
		pfn += here;
		n -= here;
	}
}

static void one_block(u64 pfn, u64 n, int type, void *arg)
{
	fill(arg, pfn, n, type < 0 ? FREE : type);
}

static void kind_name(int kind, char *s, size_t n)
{
	const char *name = kind < MAX_PAGE_TYPES ? enum_name("page_type", (u64)kind) : NULL;

	if (kind == FREE || kind == FIXED)
		snprintf(s, n, "%s", kind == FREE ? "free" : "kernel image and page array");
	else
		snprintf(s, n, "%s", name ? name + (!strncmp(name, "PGT_", 4) ? 4 : 0) : "other");
	for (char *c = s; *c; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c += 32;
}

static void legend(FILE *f, const struct grid *g)
{
	char name[64];

	fputs("<table><tr>", f);
	for (int k = 0, shown = 0; k < MAX_PAGE_TYPES + 2; k++) {
		if (!g->total[k])
			continue;
		kind_name(k, name, sizeof(name));
		if (shown++ % 5 == 0 && shown > 1)
			fputs("</tr><tr>", f);
		fprintf(f, "<td><svg width=\"12\" height=\"12\"><rect width=\"12\" height=\"12\" fill=\"%s\"/></svg> ",
			colour[k]);
		html_escape(f, name);
		fprintf(f, " %.1f MiB</td>", (double)g->total[k] / 256);
	}
	fputs("</tr></table>\n", f);
}

/* The colour of a cell is what most of its pages are; how full it is, its strength. */
static void cells(FILE *f, const struct grid *g)
{
	u64 rows = (g->cells + COLUMNS - 1) / COLUMNS;

	fprintf(f, "<svg viewBox=\"0 0 %d %llu\" width=\"%d\" role=\"img\" aria-label=\"Use of RAM\">\n",
		COLUMNS * CELL, (unsigned long long)rows * CELL, COLUMNS * CELL);
	for (u64 c = 0; c < g->cells; c++) {
		int best = FREE;
		u32 used = 0;
		char name[64];

		for (int k = 0; k < MAX_PAGE_TYPES + 2; k++) {
			if (k == FREE || !g->count[c][k])
				continue;
			used += g->count[c][k];
			if (best == FREE || g->count[c][k] > g->count[c][best])
				best = k;
		}
		kind_name(best, name, sizeof(name));
		fprintf(f,
			"<rect x=\"%llu\" y=\"%llu\" width=\"%d\" height=\"%d\" fill=\"%s\" "
			"fill-opacity=\"%.2f\"><title>%llx: ",
			(unsigned long long)(c % COLUMNS) * CELL, (unsigned long long)(c / COLUMNS) * CELL, CELL - 1,
			CELL - 1, colour[best], best == FREE ? 1.0 : 0.35 + 0.65 * (double)used / (double)g->per_cell,
			(unsigned long long)((g->first + c * g->per_cell) * PAGE_SIZE));
		html_escape(f, name);
		fprintf(f, ", %llu%% used</title></rect>\n", (unsigned long long)(100ull * used / g->per_cell));
	}
	fputs("</svg>\n", f);
}

void picture_ram(FILE *f)
{
	struct grid g = {0};
	struct pages p;
	u64 n;

	if (pages_open(&p)) {
		fputs("<p>The page array cannot be read.</p>\n", f);
		return;
	}
	n = p.highest + 1 > p.lowest ? p.highest + 1 - p.lowest : 1;
	g.first = p.lowest;
	g.per_cell = (n + COLUMNS * ROWS_MAX - 1) / (COLUMNS * ROWS_MAX) ?: 1;
	g.cells = (n + g.per_cell - 1) / g.per_cell;
	g.count = calloc(g.cells, sizeof(*g.count));
	if (!g.count)
		abort();
	g.total[FIXED] = p.lowest;
	pages_each(&p, one_block, &g);
	fprintf(f,
		"<p>RAM from %.1f to %.1f MiB of %.1f: what lies before is the kernel's image and page array, what "
		"lies behind was never used. "
		"A cell is %llu page%s.</p>\n",
		(double)p.lowest / 256, (double)(p.highest + 1) / 256, (double)p.max / 256,
		(unsigned long long)g.per_cell, g.per_cell == 1 ? "" : "s");
	cells(f, &g);
	legend(f, &g);
	free(g.count);
	pages_close(&p);
}

/* ---- an address space ---- */

static const char *area_colour(const struct vma *v)
{
	if (v->flags & 4)
		return "#1a7f37"; /* text */
	if (!v->file)
		return "#0969da"; /* anonymous */
	return v->flags & 2 ? "#bf8700" : "#8c959f";
}

/* As high as the size has digits in binary: from a page to gigabytes on one picture. */
static unsigned area_height(const struct vma *v)
{
	unsigned h = 14;

	for (u64 n = (v->end - v->start) / PAGE_SIZE; n > 4; n /= 4)
		h += 3;
	return h;
}

static u64 resident(u64 mm, const struct vma *v)
{
	u64 n = 0, phys, pte;

	for (u64 a = v->start; a < v->end && !interrupted; a += PAGE_SIZE) {
		if (user_phys(mm, a, &phys, &pte))
			n++;
		else if (!pte && a % (1 << 21) == 0 && v->end - a > 1 << 21)
			a += (1 << 21) - PAGE_SIZE;
	}
	return n;
}

static void area(FILE *f, u64 mm, const struct vma *v, unsigned y)
{
	unsigned h = area_height(v);
	u64 kb = (v->end - v->start) / 1024, rss = 4 * resident(mm, v);
	char name[MAX_PATH] = "";
	double part = kb ? (double)rss / (double)kb : 0;

	if (v->file)
		file_name(v->file, name, sizeof(name));
	else
		snprintf(name, sizeof(name), "%s", vma_purpose(mm, v));
	fprintf(f, "<rect x=\"250\" y=\"%u\" width=\"260\" height=\"%u\" fill=\"%s\" fill-opacity=\"0.25\"/>", y, h - 1,
		area_colour(v));
	fprintf(f, "<rect x=\"250\" y=\"%u\" width=\"%.1f\" height=\"%u\" fill=\"%s\"/>", y,
		260 * (part > 1 ? 1 : part), h - 1, area_colour(v));
	fprintf(f, "<text x=\"240\" y=\"%u\" text-anchor=\"end\">%llx-%llx</text>", y + 11,
		(unsigned long long)v->start, (unsigned long long)v->end);
	fprintf(f, "<text x=\"520\" y=\"%u\">%c%c%c %lluk of %lluk ", y + 11, v->flags & 1 ? 'r' : '-',
		v->flags & 2 ? 'w' : '-', v->flags & 4 ? 'x' : '-', (unsigned long long)rss, (unsigned long long)kb);
	html_escape(f, name);
	fputs("</text>\n", f);
}

void picture_space(FILE *f, const struct task *t)
{
	struct vma *v;
	size_t n = vmas_load(t->mm, &v);
	unsigned y = 0, height = 0;

	if (n > 1000)
		n = 1000;
	for (size_t i = 0; i < n; i++)
		height += area_height(&v[i]);
	fputs("<p>An area's height grows with its size (four times: one step); the strong part is what is in memory. "
	      "Green: code, blue: "
	      "anonymous, yellow: private file data, grey: read-only.</p>\n",
	      f);
	fprintf(f,
		"<svg viewBox=\"0 0 1000 %u\" width=\"1000\" role=\"img\" aria-label=\"Address space\" "
		"font-size=\"11\" "
		"font-family=\"monospace\">\n",
		height ?: 1);
	for (size_t i = 0; i < n; i++) {
		area(f, t->mm, &v[i], y);
		y += area_height(&v[i]);
	}
	fputs("</svg>\n", f);
	free(v);
}
