// SPDX-License-Identifier: Apache-2.0
// The module loader on whole and on damaged files: no byte outside of the file is read, none outside of the regions is written.
// usage: test_module ROUNDS MODULE.ko...     ROUNDS damaged copies of each, the same ones in every run

#include <husk/kernel.h>
#include <husk/moduleloader.h>
#include <husk/kallsyms.h>
#include <sanitizer/asan_interface.h>
#include <stdarg.h>
#include <unistd.h>

char *module_window;
static unsigned int passed, failed, complaints, loaded;
static u64 rng_state = 88172645463325252ULL;

/* ---- what the loader calls ---- */

void printk(int level, const char *fmt, ...)
{
	va_list ap;
	char buf[2048];

	va_start(ap, fmt);
	vsnprintf(buf, sizeof(buf), fmt, ap); /* reads every text that is shown */
	va_end(ap);
	complaints++;
	if (getenv("V"))
		fprintf(stderr, "%s\n", buf);
}
void *kmalloc(size_t n, gfp_t gfp)
{
	return malloc(n);
}
void *kcalloc(size_t n, size_t size, gfp_t gfp)
{
	return calloc(n ? n : 1, size);
}
void kfree(const void *p)
{
	free((void *)p);
}
void panic(const char *fmt, ...)
{
	abort();
}

/* ---- a load, but for what is resolved and run ---- */

static void resolve(struct load_info *info)
{
	for (unsigned int i = 1; i < info->nsyms; i++) {
		const Elf64_Sym *s = &info->symtab[i];

		if (s->st_shndx == SHN_ABS)
			info->value[i] = s->st_value;
		else if (s->st_shndx)
			info->value[i] = info->addr[s->st_shndx] + s->st_value;
		else
			info->value[i] = MODULE_BASE - (1 << 20) + 16 * (i % 1000); /* the kernel is near */
	}
}

/* Regions as large as asked for, each at the end of poisoned memory, so that one byte too far is found. */
static void place_regions(struct load_info *info, struct module *m)
{
	static const unsigned long base[] = {MODULE_BASE, MODULE_BASE + MODULE_TEXT_SIZE,
					     MODULE_BASE + MODULE_TEXT_SIZE + MODULE_RODATA_SIZE};

	ASAN_POISON_MEMORY_REGION(module_window, MODULE_WINDOW_SIZE);
	for (int k = 0; k < MODULE_NR_REGIONS; k++) {
		m->region[k] = (struct module_region){base[k] + PAGE_SIZE, info->size[k]};
		ASAN_UNPOISON_MEMORY_REGION(module_alias(m->region[k].base), m->region[k].size);
	}
}

static int load(const char *image, size_t len, struct module *m)
{
	struct load_info info = {.image = image, .len = len};
	int err = module_elf_check(&info) ?: module_layout(&info);

	if (!err) {
		memset(m, 0, sizeof(*m));
		strscpy(m->name, info.name, MODULE_NAME_LEN);
		place_regions(&info, m);
		info.mod = m;
		module_move(&info);
		resolve(&info);
		for (unsigned int i = 1; !err && i < info.nsec; i++)
			if (info.sec[i].sh_type == SHT_RELA && info.addr[info.sec[i].sh_info])
				err = apply_relocate_add(&info, i);
		err = err ?: module_finish(&info);
		module_info_tag(&info, "vermagic", module_info_tag(&info, "vermagic", NULL));
	}
	module_elf_free(&info);
	return err;
}

static u64 rnd(void)
{
	rng_state ^= rng_state << 13;
	rng_state ^= rng_state >> 7;
	rng_state ^= rng_state << 17;
	return rng_state;
}

/* A number of the kind that finds mistakes. */
static u64 odd_number(size_t len)
{
	static const u64 odd[] = {0,	      1,     7,		8,    0x7fffffff, 0x80000000, 0xffffffff,
				  1ULL << 63, ~0ULL, ~0ULL - 7, 4096, 0xfff1,	  0xfff2};
	u64 r = rnd();

	if (r % 4 == 0)
		return rnd();
	if (r % 4 == 1)
		return len + (s64)(rnd() % 65) - 32;
	if (r % 4 == 2)
		return rnd() % 256;
	return odd[rnd() % ARRAY_SIZE(odd)];
}

/* The places that hold structure: the header, section headers, symbols, relocations, the head and tables of the module. */
static size_t structured_place(const char *image, size_t len)
{
	const Elf64_Ehdr *eh = (const void *)image;
	const Elf64_Shdr *s = (const void *)(image + eh->e_shoff);
	unsigned int n = (unsigned int)(rnd() % (eh->e_shnum + 2));

	if (n < 2)
		return n ? eh->e_shoff + rnd() % (eh->e_shnum * sizeof(*s)) : rnd() % sizeof(*eh);
	s += n - 2;
	if (s->sh_type == SHT_NOBITS || !s->sh_size || (!(s->sh_flags & SHF_ALLOC) && s->sh_type == SHT_PROGBITS))
		return eh->e_shoff +
		       rnd() % (eh->e_shnum * sizeof(*s)); /* debugging information says nothing to the loader */
	return s->sh_offset + rnd() % s->sh_size;
}

/* A damaged copy in memory of just its size. */
static char *damage(const char *image, size_t *len)
{
	size_t n = rnd() % 12 ? *len : rnd() % *len;
	char *copy = malloc(n ? n : 1);
	unsigned int changes = 1 + rnd() % 4;

	memcpy(copy, image, n);
	while (changes--) {
		static const u8 width[] = {1, 2, 4, 8};
		size_t at = structured_place(image, *len), w = width[rnd() % 4];
		u64 v = odd_number(*len);

		at &= ~(w - 1);
		if (at + w <= n)
			memcpy(copy + at, &v, w);
	}
	*len = n;
	return copy;
}

static void check(bool ok, const char *what)
{
	ok ? passed++ : failed++;
	if (!ok)
		printf("FAIL %s\n", what);
}

static const char *name_of(const struct module *m, unsigned long addr)
{
	const struct module_symbol *s = module_alias((unsigned long)m->symbols);

	for (unsigned int i = 0; i < m->nsymbols; i++)
		if (s[i].addr == addr)
			return (const char *)module_alias((unsigned long)m->strtab) + s[i].name;
	return "";
}

/* What a whole module must look like once it is loaded. */
static void check_whole(const char *path, const char *image, size_t len)
{
	struct module m;
	const struct kernel_param *p;
	const char *base = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;

	check(!load(image, len, &m), "a whole module loads");
	check(!strncmp(m.name, base, strlen(m.name)) && base[strlen(m.name)] == '.', "its name");
	check(m.init && m.exit && strstr(name_of(&m, (unsigned long)m.init), "init"), "its init has a name");
	p = m.nparams ? module_alias((unsigned long)m.params) : NULL;
	check(!strcmp(m.name, "params") ? m.nparams == 14 : !m.nparams, "its parameters");
	for (unsigned int i = 0; i < m.nparams; i++)
		check(!strncmp(name_of(&m, (unsigned long)m.params + i * sizeof(*p)), "__param_", 8) &&
			      strlen(module_alias((unsigned long)p[i].name)) > 3,
		      "a parameter's name");
	for (unsigned int i = 1; i < m.nsymbols; i++) {
		const struct module_symbol *s = module_alias((unsigned long)m.symbols);

		if (s[i - 1].addr > s[i].addr)
			check(false, "symbols are in order");
	}
}

static char *read_file(const char *path, size_t *len)
{
	FILE *f = fopen(path, "rb");
	char *image;

	if (!f || fseek(f, 0, SEEK_END)) {
		perror(path);
		exit(1);
	}
	*len = ftell(f);
	rewind(f);
	image = malloc(*len);
	if (fread(image, 1, *len, f) != *len) {
		perror(path);
		exit(1);
	}
	fclose(f);
	return image;
}

int main(int argc, char **argv)
{
	unsigned long rounds = argc > 2 ? strtoul(argv[1], NULL, 0) : 0;
	struct module m;

	module_window = aligned_alloc(PAGE_SIZE, MODULE_WINDOW_SIZE);
	for (int i = 2; i < argc && module_window; i++) {
		size_t len, n;
		char *image = read_file(argv[i], &len), *copy;

		check_whole(argv[i], image, len);
		for (unsigned long r = 0; r < rounds; r++) {
			unsigned int before = complaints;
			int err;

			n = len;
			copy = damage(image, &n);
			err = load(copy, n, &m);
			loaded += !err;
			if (err && complaints == before)
				check(false, "a refusal without a reason");
			free(copy);
		}
		check(true, "damaged copies");
		free(image);
	}
	ASAN_UNPOISON_MEMORY_REGION(module_window, MODULE_WINDOW_SIZE);
	free(module_window);
	printf("%lu damaged modules each, %u still loaded\n%u passed, %u failed\n", rounds, loaded, passed, failed);
	return failed != 0;
}
