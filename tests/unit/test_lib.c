// SPDX-License-Identifier: Apache-2.0
/* Unit tests of lib/ in a hosted build: trees and arrays against plain models, formats against libc's. */
#include <assert.h>
#include <stdlib.h>
#include <husk/kernel.h>
#include <husk/lock.h>
#include <husk/rbtree.h>
#include <husk/slab.h>
#include <husk/xarray.h>

int husk_snprintf(char *buf, size_t size, const char *fmt, ...) __printf(3, 4);
/* string_under_test.c: lib/string.c under other names */
void *k_memcpy(void *d, const void *s, size_t n);
void *k_memmove(void *d, const void *s, size_t n);
void *k_memset(void *d, int c, size_t n);
int k_memcmp(const void *a, const void *b, size_t n);
size_t k_strlen(const char *s);
char *k_strstr(const char *h, const char *n);

/* ---- what lib/ needs from the kernel ---- */
static long live;

/* One in fifty fails. */
static void *node_get(void)
{
	if (rand() % 50 == 0)
		return NULL;
	live++;
	return calloc(1, xa_node_size);
}

static void node_put(void *p)
{
	live--;
	free(p);
}

static const struct xa_memory nodes = {.get = node_get, .put = node_put};

void *kmalloc(size_t n, gfp_t gfp)
{
	return malloc(n);
}

void __lock_slow(spinlock_t *l)
{
	abort();
}

void __unlock_slow(spinlock_t *l)
{
	abort();
}

/* ---- xarray ---- */
#define KEYS 5000
static void *model[KEYS];

/* Dense, spaced and huge indices. */
static unsigned long key_index(int k)
{
	if (k < 1000)
		return k;
	return k < 3000 ? k * 777UL : ~0UL - (k - 3000) * 99999999999UL;
}

static void xarray_step(struct xarray *xa, int k)
{
	unsigned long index = key_index(k);
	void *e, *old;

	switch (rand() % 4) {
	case 0:
		e = xa_erase(xa, index);
		assert(e == model[k]);
		model[k] = NULL;
		break;
	case 1:
		assert(xa_load(xa, index) == model[k]);
		break;
	case 2:
		e = xa_find(xa, &index, ~0UL);
		if (model[k])
			assert(e == model[k] && index == key_index(k));
		else if (e)
			assert(index > key_index(k));
		break;
	default:
		e = (void *)((rand() + 1L) * 2);
		if (!xa_store(xa, index, e, &old)) {
			assert(old == model[k]);
			model[k] = e;
		} else {
			assert(xa_load(xa, index) == model[k]);
		}
	}
}

static void test_xarray(void)
{
	struct xarray xa = XARRAY_INIT;
	int i, k, n, want;
	unsigned long index;
	void *e;

	xarray_init(&nodes);
	for (i = 0; i < 300000; i++)
		xarray_step(&xa, rand() % KEYS);
	n = want = 0;
	xa_for_each (&xa, index, e)
		n++;
	for (k = 0; k < KEYS; k++)
		want += model[k] != NULL;
	assert(n == want);
	for (k = 0; k < KEYS; k++)
		assert(xa_erase(&xa, key_index(k)) == model[k]);
	assert(!live && !xa.root && !xa.height);
}

/* ---- rbtree ---- */
struct item {
	struct rb_node node;
	int key;
};

/* Black height; asserts the rules. */
static int check_tree(struct rb_node *n, bool red_parent)
{
	bool red;
	int left, right;

	if (!n)
		return 1;
	red = !(n->__parent_color & 1);
	assert(!(red && red_parent));
	assert(!n->rb_left || (n->rb_left->__parent_color & ~1UL) == (unsigned long)n);
	assert(!n->rb_right || (n->rb_right->__parent_color & ~1UL) == (unsigned long)n);
	left = check_tree(n->rb_left, red);
	right = check_tree(n->rb_right, red);
	assert(left == right);
	return left + !red;
}

static void insert(struct rb_root *root, struct item *it)
{
	struct rb_node **p = &root->rb_node, *parent = NULL;

	while (*p) {
		parent = *p;
		p = it->key < rb_entry(parent, struct item, node)->key ? &parent->rb_left : &parent->rb_right;
	}
	rb_link_node(&it->node, parent, p);
	rb_insert_color(&it->node, root);
}

static void check_order(const struct rb_root *root, int want)
{
	struct rb_node *n;
	int last = -1, count = 0;

	for (n = rb_first(root); n; n = rb_next(n), count++) {
		assert(rb_entry(n, struct item, node)->key > last);
		last = rb_entry(n, struct item, node)->key;
	}
	assert(count == want);
	for (n = rb_last(root); n; n = rb_prev(n))
		count--;
	assert(!count);
}

static void test_rbtree(void)
{
	static struct item items[1000];
	static bool in[1000];
	struct rb_root root = RB_ROOT;
	int i, k, count = 0;

	for (i = 0; i < 100000; i++) {
		k = rand() % 1000;
		items[k].key = k;
		if (in[k])
			rb_erase(&items[k].node, &root);
		else
			insert(&root, &items[k]);
		in[k] = !in[k];
		count += in[k] ? 1 : -1;
		if (i % 100)
			continue;
		check_tree(root.rb_node, false);
		check_order(&root, count);
	}
}

/* ---- the rest ---- */
static int cmp_int(const void *a, const void *b)
{
	return *(const int *)a < *(const int *)b ? -1 : *(const int *)a > *(const int *)b;
}

static void test_sort(void)
{
	int a[1000], n, i;

	for (n = 0; n < 1000; n += 37) {
		for (i = 0; i < n; i++)
			a[i] = rand();
		sort(a, n, sizeof(a[0]), cmp_int, NULL);
		for (i = 1; i < n; i++)
			assert(a[i - 1] <= a[i]);
	}
}

#define SAME(fmt, ...)                                                                                                 \
	do {                                                                                                           \
		char x[200], y[200];                                                                                   \
		assert(husk_snprintf(x, sizeof(x), fmt, ##__VA_ARGS__) == snprintf(y, sizeof(y), fmt, ##__VA_ARGS__)); \
		assert(!strcmp(x, y));                                                                                 \
	} while (0)

static void test_format(void)
{
	char small[5];

	SAME("%d %i %u %d", -5, 7, 9u, 0);
	SAME("%5d|%-5d|%05d|%+d|% d|%+05d", 42, 42, 42, 42, 42, -42);
	SAME("%x %X %#x %#o %o %#X", 255, 255, 255, 8, 8, 255);
	SAME("%s|%10s|%-10s|%.2s|%.*s", "abc", "abc", "abc", "abc", 2, "abcdef");
	SAME("%c%%|%3c|%-3c", 'x', 'y', 'z');
	SAME("%ld %lu %lld %zu %016llx", -1L, ~0UL, (long long)INT64_MIN, (size_t)5, 0xabULL);
	SAME("%hhd %hd", (signed char)44, (short)4464);
	SAME("%.5d|%8.3d|%-8.3x|%*d|%-*d", 42, 42, 42, 6, 1, 6, 2);
	assert(husk_snprintf(small, sizeof(small), "%s", "hello world") == 11 && !strcmp(small, "hell"));
	assert(scnprintf(small, sizeof(small), "%s", "hello world") == 4);
}

static void test_numbers(void)
{
	unsigned long long u;
	long long l;
	char *end;

	assert(!kstrtoull("0x1f\n", 0, &u) && u == 31);
	assert(!kstrtoull("017", 0, &u) && u == 15);
	assert(!kstrtoull("0", 0, &u) && u == 0);
	assert(kstrtoull("", 0, &u) == -EINVAL && kstrtoull("12x", 10, &u) == -EINVAL);
	assert(kstrtoull("18446744073709551616", 10, &u) == -ERANGE);
	assert(!kstrtoll("-9223372036854775808", 10, &l) && l == INT64_MIN);
	assert(kstrtoll("9223372036854775808", 10, &l) == -ERANGE);
	assert(simple_strtoul("12ab", &end, 10) == 12 && !strcmp(end, "ab"));
	assert((crc32_le(~0u, "123456789", 9) ^ ~0u) == 0xcbf43926);
}

static void test_strings(void)
{
	static char a[2000], b[2000];
	int i, j, n, s, d, x, y;

	for (i = 0; i < 200000; i++) {
		n = rand() % (i & 1 ? 40 : 600);
		s = rand() % 600;
		d = rand() % 600;
		for (j = 0; i % 50 == 0 && j < 2000; j++)
			a[j] = b[j] = (char)rand();
		switch (rand() % 4) {
		case 0:
			memmove(a + d, a + s, n);
			k_memmove(b + d, b + s, n);
			break;
		case 1:
			memcpy(a + 1200 + d % 100, a + s, n);
			k_memcpy(b + 1200 + d % 100, b + s, n);
			break;
		case 2:
			memset(a + d, s, n);
			k_memset(b + d, s, n);
			break;
		default:
			x = memcmp(a + s, a + d, n);
			y = k_memcmp(b + s, b + d, n);
			assert((x < 0) == (y < 0) && (x > 0) == (y > 0));
		}
		assert(!memcmp(a, b, sizeof(a)));
	}
	assert(k_strlen("hello") == 5 && k_strlen("") == 0);
	assert(k_strstr("foobar", "bar") && !k_strstr("foo", "x") && k_strstr("", ""));
	strcpy(a, " \t cut both ends \n");
	assert(!strcmp(strim(a), "cut both ends"));
	assert(strscpy(a, "too long", 4) == -E2BIG && !strcmp(a, "too"));
}

static void test_random(void)
{
	u64 seed[8] = {1}, first, second;
	u8 big[1000];

	random_init(seed);
	first = get_random_u64();
	second = get_random_u64();
	assert(first != second);
	get_random_bytes(big, sizeof(big));
	random_init(seed);
	assert(get_random_u64() == first); /* nothing but the seed goes in */
}

int main(void)
{
	test_xarray();
	test_rbtree();
	test_sort();
	test_format();
	test_numbers();
	test_strings();
	test_random();
	puts("lib: ok");
	return 0;
}
