// SPDX-License-Identifier: Apache-2.0
// /proc/self/maps, smaps and statm: format, order, protections, names, and how they follow mmap and mprotect.
#include "t.h"
#define P 4096UL
struct line {
	unsigned long a, b, off, ino;
	char prot[8], name[300];
};
static struct line v[500];
static int n;
static void load(void)
{
	FILE *f = fopen("/proc/self/maps", "r");
	char l[600];
	n = 0;
	while (f && fgets(l, sizeof l, f)) {
		unsigned ma, mi;
		struct line *x = &v[n];
		x->name[0] = 0;
		if (sscanf(l, "%lx-%lx %7s %lx %x:%x %lu %299[^\n]", &x->a, &x->b, x->prot, &x->off, &ma, &mi, &x->ino,
			   x->name) < 7)
			say("bad line %s", l);
		n++;
	}
	fclose(f);
}
static struct line *at(void *p)
{
	for (int i = 0; i < n; i++)
		if ((unsigned long)p >= v[i].a && (unsigned long)p < v[i].b)
			return v + i;
	return 0;
}
static int named(const char *s)
{
	int k = 0;
	for (int i = 0; i < n; i++)
		k += strstr(v[i].name, s) != 0;
	return k;
}
static int data = 1;
int main(void)
{
	int local, ordered = 1;
	void *heap = sbrk(4096);
	load();
	for (int i = 1; i < n; i++)
		ordered &= v[i].a >= v[i - 1].b;
	T(ordered && n > 5);
	T(named("[stack]") == 1);
	T(named("[heap]") == 1);
	T(named("libc.so.6") >= 3);
	T(named("ld-linux") >= 3);
	T(named("021_proc_maps") >= 3);
	T(named("[vdso]") <= 1);
	T(!strcmp(at(&local)->name, "[stack]") && !strcmp(at(&local)->prot, "rw-p"));
	T(!strcmp(at(heap)->name, "[heap]"));
	T(strstr(at((void *)main)->name, "021_proc_maps") && !strcmp(at((void *)main)->prot, "r-xp"));
	T(strstr(at((void *)main)->name, "021_proc_maps") && at((void *)main)->ino != 0);
	T(!strncmp(at(&data)->prot, "rw-p", 4));
	tmp();
	int fd = MUST(open("file", O_RDWR | O_CREAT, 0600));
	MUST(ftruncate(fd, 8 * P));
	char *f = mmap(0, 2 * P, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 3 * P);
	char *a = mmap(0, 6 * P, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	MUST(mprotect(a + 2 * P, P, PROT_READ));
	MUST(mprotect(a + 3 * P, P, PROT_READ | PROT_EXEC));
	load();
	T(!strcmp(at(f)->prot, "rw-s") && at(f)->off == 3 * P && at(f)->b - at(f)->a == 2 * P);
	T(!strcmp(strrchr(at(f)->name, '/'), "/file"));
	struct stat s;
	fstat(fd, &s);
	T(at(f)->ino == s.st_ino);
	T(!strcmp(at(a + P)->prot, "---p") && at(a + P)->b == (unsigned long)a + 2 * P);
	T(!strcmp(at(a + 2 * P)->prot, "r--p") && at(a + 2 * P)->b - at(a + 2 * P)->a == P);
	T(!strcmp(at(a + 3 * P)->prot, "r-xp"));
	T(!strcmp(at(a + 5 * P)->prot, "---p") && at(a + 5 * P)->a == (unsigned long)a + 4 * P);
	T(at(a)->name[0] == 0 && at(a)->ino == 0 && at(a)->off == 0);
	unlink("file");
	load();
	T(strstr(at(f)->name, "/file (deleted)"));
	munmap(a + 2 * P, P);
	load();
	T(at(a + 2 * P) == 0);
	// Neighbours with equal attributes become one line.
	MUST(mprotect(a + 3 * P, P, PROT_NONE));
	load();
	T(at(a + 3 * P) == at(a + 5 * P));
	// statm and the pages that were touched.
	long size, rss;
	sscanf(get("/proc/self/statm"), "%ld %ld", &size, &rss);
	T(size > rss && rss > 50);
	char *big = mmap(0, 32 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	long size2, rss2;
	sscanf(get("/proc/self/statm"), "%ld %ld", &size2, &rss2);
	T(size2 - size == (32 << 20) / 4096);
	memset(big, 1, 32 << 20);
	sscanf(get("/proc/self/statm"), "%ld %ld", &size2, &rss2);
	T(rss2 - rss >= (31 << 20) / 4096 && rss2 - rss < (36 << 20) / 4096);
	munmap(big, 32 << 20);
	sscanf(get("/proc/self/statm"), "%ld %ld", &size2, &rss2);
	T(rss2 - rss < (4 << 20) / 4096);
	return 0;
}
