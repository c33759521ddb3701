// SPDX-License-Identifier: Apache-2.0
/*
 * FUSE server: the table of nodes.
 *
 * DOC: nodes
 *
 * A node stands for a file of the host, told by device and inode number, as long as the guest has lookups
 * of it or another node names it as its parent. A node id is a slot number and the slot's generation,
 * so an id that the guest made up or kept too long is found out. Nodes hold no descriptor until
 * one is needed (fuse_fd.c): a hundred thousand of them cost memory only.
 */
#include "fuse_srv.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NODES_MAX (8u << 20) /* a guest that never forgets gets ENOMEM before the monitor does */

static uint32_t node_hash(const struct fs_dev *d, uint64_t dev, uint64_t ino)
{
	uint64_t h = (ino ^ dev * 0x9e3779b97f4a7c15ULL) * 0xff51afd7ed558ccdULL;

	return (h >> 32) & (d->hash_size - 1);
}

static void hash_grow(struct fs_dev *d)
{
	uint32_t size = d->hash_size * 4;
	struct fs_node **old = d->hash, **table = calloc(size, sizeof(*table));
	uint32_t old_size = d->hash_size;

	if (!table)
		return;
	d->hash = table;
	d->hash_size = size;
	for (uint32_t i = 0; i < old_size; i++) {
		struct fs_node *n, *next;

		for (n = old[i]; n; n = next) {
			uint32_t h = node_hash(d, n->dev, n->ino);

			next = n->hash_next;
			n->hash_next = table[h];
			table[h] = n;
		}
	}
	free(old);
}

static void hash_del(struct fs_dev *d, struct fs_node *n)
{
	struct fs_node **p = &d->hash[node_hash(d, n->dev, n->ino)];

	for (; *p; p = &(*p)->hash_next) {
		if (*p == n) {
			*p = n->hash_next;
			return;
		}
	}
}

struct fs_node *node_find(struct fs_dev *d, uint64_t dev, uint64_t ino, uint32_t type)
{
	struct fs_node *n = d->hash[node_hash(d, dev, ino)];

	while (n && (n->ino != ino || n->dev != dev || n->type != type))
		n = n->hash_next;
	return n;
}

struct fs_node *node_by_id(struct fs_dev *d, uint64_t nodeid)
{
	uint32_t slot = nodeid;
	struct fs_node *n;

	if (slot >= d->nslots)
		return NULL;
	n = d->slots[slot];
	return n && n->gen == nodeid >> 32 && (n->nlookup || n == d->root) ? n : NULL;
}

/* More slots: the three tables grow together. */
static int slots_grow(struct fs_dev *d)
{
	uint32_t size = d->nslots ? d->nslots * 2 : 256;
	struct fs_node **slots;
	uint32_t *gens, *fr;

	if (size > NODES_MAX)
		return -ENOMEM;
	slots = realloc(d->slots, size * sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	d->slots = slots;
	gens = realloc(d->gens, size * sizeof(*gens));
	if (!gens)
		return -ENOMEM;
	d->gens = gens;
	fr = realloc(d->free_slots, size * sizeof(*fr));
	if (!fr)
		return -ENOMEM;
	d->free_slots = fr;
	for (uint32_t s = size; s-- > d->nslots;) {
		slots[s] = NULL;
		gens[s] = 0;
		if (s > FUSE_ROOT_ID)
			fr[d->free_slots_n++] = s;
	}
	d->nslots = size;
	return 0;
}

static struct fs_node *node_alloc(struct fs_dev *d, uint32_t slot)
{
	struct fs_node *n;

	if (!slot) {
		if (!d->free_slots_n && slots_grow(d))
			return NULL;
		slot = d->free_slots[--d->free_slots_n];
	}
	n = calloc(1, sizeof(*n));
	if (!n) {
		if (slot != FUSE_ROOT_ID)
			d->free_slots[d->free_slots_n++] = slot;
		return NULL;
	}
	n->slot = slot;
	n->gen = d->gens[slot];
	n->fd = n->wfd = -1;
	n->dirpos = -1;
	d->slots[slot] = n;
	d->nnodes++;
	return n;
}

static void node_free(struct fs_dev *d, struct fs_node *n)
{
	hash_del(d, n);
	node_close(d, n);
	d->slots[n->slot] = NULL;
	d->gens[n->slot]++;
	d->free_slots[d->free_slots_n++] = n->slot;
	d->nnodes--;
	free(n->name);
	free(n);
}

/* Free it if nothing needs it, and then perhaps its parents. */
static void node_reap(struct fs_dev *d, struct fs_node *n)
{
	while (n && n != d->root && !n->nlookup && !n->children) {
		struct fs_node *parent = n->parent;

		node_free(d, n);
		if (parent)
			parent->children--;
		n = parent;
	}
}

static bool is_below(const struct fs_node *n, const struct fs_node *top)
{
	for (; n; n = n->parent)
		if (n == top)
			return true;
	return false;
}

int node_set_name(struct fs_dev *d, struct fs_node *n, struct fs_node *parent, const char *name)
{
	struct fs_node *old = n->parent;
	char *copy = NULL;

	if (n == d->root)
		return 0;
	if (n->name && name && old == parent && !strcmp(n->name, name))
		return 0;
	if (name && S_ISDIR(n->type) && is_below(parent, n))
		return 0; /* the host has it mounted inside itself: keep the outer name */
	if (name) {
		copy = strdup(name);
		if (!copy)
			return -ENOMEM;
		parent->children++;
	}
	free(n->name);
	n->name = copy;
	n->parent = parent;
	if (old) {
		old->children--;
		node_reap(d, old);
	}
	return 0;
}

/* Another file system begins here: is it one that must not be seen? False: nobody knows, as no descriptor is left to look with. */
static bool node_check_hidden(struct fs_dev *d, struct fs_node *parent, struct fs_node *n)
{
	int dir = node_dir_fd(d, parent), fd = dir < 0 ? dir : fs_openat(dir, n->name, O_PATH | O_DIRECTORY, 0);

	if (fd < 0)
		return false;
	n->hidden = fs_is_hidden(fd);
	close(fd);
	return true;
}

struct fs_node *node_get(struct fs_dev *d, struct fs_node *parent, const char *name, const struct stat *st)
{
	uint32_t type = st->st_mode & S_IFMT, h;
	struct fs_node *n = node_find(d, st->st_dev, st->st_ino, type);

	if (n) {
		if (name && node_set_name(d, n, parent, name))
			return NULL;
		n->nlookup++;
		return n;
	}
	n = node_alloc(d, 0);
	if (!n)
		return NULL;
	n->dev = st->st_dev;
	n->ino = st->st_ino;
	n->type = type;
	h = node_hash(d, n->dev, n->ino);
	n->hash_next = d->hash[h];
	d->hash[h] = n;
	if (name && node_set_name(d, n, parent, name)) {
		node_free(d, n);
		return NULL;
	}
	n->nlookup = 1;
	if (name && S_ISDIR(type) && n->dev != parent->dev && !node_check_hidden(d, parent, n)) {
		node_forget(d, n, 1);
		return NULL;
	}
	if (d->nnodes > d->hash_size * 2)
		hash_grow(d);
	return n;
}

void node_forget(struct fs_dev *d, struct fs_node *n, uint64_t nlookup)
{
	n->nlookup -= nlookup < n->nlookup ? nlookup : n->nlookup;
	if (!n->nlookup) {
		n->writers = 0;
		node_reap(d, n);
	}
}

/* Inode numbers for the guest: the share's own file system unchanged, others told apart in the upper bits. */
uint64_t node_ino(struct fs_dev *d, uint64_t dev, uint64_t ino)
{
	uint32_t i;

	for (i = 0; i < d->ndevs; i++)
		if (d->devs[i] == dev)
			break;
	if (i == d->ndevs && i < 65535) {
		uint64_t *devs = realloc(d->devs, (i + 1) * sizeof(*devs));

		if (devs) {
			d->devs = devs;
			d->devs[d->ndevs++] = dev;
		}
	}
	return ino ^ (uint64_t)i << 48;
}

int nodes_init(struct fs_dev *d, int dir_fd)
{
	struct fs_node *n;
	struct stat st;
	int fd, kind = FD_READ;

	d->lru.lru_next = d->lru.lru_prev = &d->lru;
	if (fstat(dir_fd, &st))
		return -errno;
	if (!S_ISDIR(st.st_mode))
		return -ENOTDIR;
	d->hash_size = 1024;
	d->hash = calloc(d->hash_size, sizeof(*d->hash));
	if (!d->hash || slots_grow(d))
		return -ENOMEM;
	n = node_alloc(d, FUSE_ROOT_ID);
	if (!n)
		return -ENOMEM;
	d->root = n;
	n->dev = st.st_dev;
	n->ino = st.st_ino;
	n->type = S_IFDIR;
	n->nlookup = 1;
	d->hash[node_hash(d, n->dev, n->ino)] = n;
	node_ino(d, n->dev, 0);
	fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		kind = FD_PATH;
		fd = openat(dir_fd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	}
	if (fd < 0)
		return -errno;
	node_set_fd(d, n, fd, kind);
	n->hidden = fs_is_hidden(fd);
	return 0;
}

void nodes_fini(struct fs_dev *d)
{
	for (uint32_t s = 0; s < d->nslots; s++) {
		struct fs_node *n = d->slots[s];

		if (!n)
			continue;
		node_close(d, n);
		free(n->name);
		free(n);
	}
	free(d->slots);
	free(d->gens);
	free(d->free_slots);
	free(d->hash);
	free(d->walk);
	free(d->devs);
}
