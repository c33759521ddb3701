// SPDX-License-Identifier: Apache-2.0
// locks: the kernel's locks that are held or waited for, and who holds and waits.

#include <dwarf.h>
#include <stdlib.h>
#include <string.h>
#include "crash.h"

/**
 * DOC: which locks can be seen
 *
 * A lock word does not name its holder. What can be told: every lock in a variable of the kernel that is not free (found by type, in
 * structures and arrays too), the locks of each task's shared parts, how many locks each task holds (thread_info.lock_depth), and
 * which lock a sleeper waits for, where the dump has the registers of its host call.
 */
#define MAX_ARRAY 64

static unsigned long shown;

static void lock_line(const char *name, u64 addr, const char *kind, const char *state)
{
	shown++;
	obj(NULL);
	f_hex("address", "%12llx", addr);
	f_str("kind", "  %-12s", kind);
	f_str("state", "  %-20s", state);
	f_str("name", "  %s\n", name);
	end();
}

static void spin_state(const char *name, u64 addr, const char *kind)
{
	u64 v = FIELD(addr, mutex, l.v);

	if (v)
		lock_line(name, addr, kind, v == 1 ? "held" : v == 2 ? "held, waited for" : "damaged");
}

/* kernel/locking.c */
#define RW_WRITER 0x40000000
#define RW_WAITERS 0x20000000

static void rwsem_state(const char *name, u64 addr)
{
	u64 count = FIELD(addr, rw_semaphore, count) & 0xffffffff;
	char s[64];

	if (!count)
		return;
	snprintf(s, sizeof(s), "%s%llu readers%s", count & RW_WRITER ? "a writer, " : "",
		 (unsigned long long)(count & ~(u64)(RW_WRITER | RW_WAITERS)),
		 count & RW_WAITERS ? ", waited for" : "");
	lock_line(name, addr, "rw_semaphore", s);
}

/* Locks inside an object of any type. */
static void look_into(Dwarf_Die *type, u64 addr, const char *name, int depth)
{
	Dwarf_Die t = *type, d;
	const char *n;
	char inner[MAX_NAME];

	if (depth > 4 || interrupted)
		return;
	n = dwarf_tag(&t) == DW_TAG_typedef ? dwarf_diename(&t) : NULL;
	if (n && !strcmp(n, "spinlock_t")) {
		spin_state(name, addr, "spinlock");
		return;
	}
	if (!type_strip(&t))
		return;
	if (dwarf_tag(&t) == DW_TAG_array_type && die_type(&t, &d)) {
		u64 size = type_size(&d), n_ = size ? type_size(&t) / size : 0;
		Dwarf_Die probe = d;

		if (!type_strip(&probe) || dwarf_tag(&probe) == DW_TAG_pointer_type ||
		    dwarf_tag(&probe) == DW_TAG_base_type)
			return;
		for (u64 i = 0; i < n_ && i < MAX_ARRAY; i++) {
			snprintf(inner, sizeof(inner), "%.200s[%llu]", name, (unsigned long long)i);
			look_into(&d, addr + i * size, inner, depth + 1);
		}
		return;
	}
	if (dwarf_tag(&t) != DW_TAG_structure_type)
		return;
	n = dwarf_diename(&t);
	if (n && !strcmp(n, "mutex")) {
		spin_state(name, addr, "mutex");
		return;
	}
	if (n && !strcmp(n, "rw_semaphore")) {
		rwsem_state(name, addr);
		return;
	}
	if (dwarf_child(&t, &d))
		return;
	do {
		struct member m;

		if (dwarf_tag(&d) != DW_TAG_member || !dwarf_diename(&d) || !type_member(&t, dwarf_diename(&d), &m))
			continue;
		snprintf(inner, sizeof(inner), "%.120s.%.120s", name, dwarf_diename(&d));
		look_into(&m.type, addr + m.offset, inner, depth + 1);
	} while (!dwarf_siblingof(&d, &d));
}

static void variable(const char *name, Dwarf_Die *die)
{
	Dwarf_Attribute a;
	Dwarf_Op *op;
	Dwarf_Die type;
	size_t n;

	if (dwarf_tag(die) == DW_TAG_variable && dwarf_attr(die, DW_AT_location, &a) &&
	    !dwarf_getlocation(&a, &op, &n) && n == 1 && op->atom == DW_OP_addr && die_type(die, &type))
		look_into(&type, op->number, name, 0);
}

/* Structures that tasks share: each once. */
static void task_part(u64 addr, const char *type, const struct task *t)
{
	char name[MAX_NAME];
	Dwarf_Die die;

	if (!is_kernel_address(addr) || !type_named(type, &die))
		return;
	snprintf(name, sizeof(name), "%s of %.64s (pid %lld)", type + 7, t->comm, (long long)t->pid);
	look_into(&die, addr, name, 0);
}

static bool seen_before(size_t n, u64 addr, u64 (*part)(const struct task *))
{
	for (size_t i = 0; i < n; i++)
		if (part(&tasks[i]) == addr)
			return true;
	return false;
}

static u64 part_mm(const struct task *t)
{
	return t->mm;
}
static u64 part_files(const struct task *t)
{
	return t->files;
}
static u64 part_signal(const struct task *t)
{
	return t->signal;
}

static void task_locks(void)
{
	for (size_t i = 0; i < ntasks && !interrupted; i++) {
		const struct task *t = &tasks[i];

		task_part(t->addr, "struct task_struct", t);
		if (t->mm && !seen_before(i, t->mm, part_mm))
			task_part(t->mm, "struct mm_struct", t);
		if (t->files && !seen_before(i, t->files, part_files))
			task_part(t->files, "struct files_struct", t);
		if (t->signal && !seen_before(i, t->signal, part_signal)) {
			task_part(t->signal, "struct signal_struct", t);
			task_part(FIELD(t->addr, task_struct, sighand), "struct sighand_struct", t);
		}
	}
}

/* Who holds locks, and who waits for which. */
static void task_line(const struct task *t)
{
	struct frame f[MAX_FRAMES];
	const struct core_note *note = task_note(t);
	const struct symbol *s = NULL;
	const char *how;
	u64 held = t->ti && is_kernel_address(t->ti) && HAS_FIELD(thread_info, lock_depth)
			   ? FIELD(t->ti, thread_info, lock_depth)
			   : 0;
	size_t n = kernel_backtrace(t, f, MAX_FRAMES, &how);
	bool waits = false;
	char sym[MAX_NAME];

	for (size_t i = 0; i < n && i < 4 && !waits; i++) {
		s = symbol_at(f[i].exact ? f[i].ip : f[i].ip - 1, NULL);
		waits = s && (!strcmp(s->name, "__lock_slow") || !strcmp(s->name, "__mutex_lock_slow") ||
			      !strcmp(s->name, "lock_sleep") || !strcmp(s->name, "down_read") ||
			      !strcmp(s->name, "down_write"));
	}
	if (!held && !waits)
		return;
	obj(NULL);
	task_header(t);
	task_members(t);
	f_uint("held", "    holds %llu", held);
	if (waits) {
		f_str("waits_in", ", waits in %s", s->name);
		if (note && note->from == MDUMP_REGS_HOST && symbol_at(note->regs.ip, NULL) &&
		    !strncmp(symbol_at(note->regs.ip, NULL)->name, "host_futex_wait", 15)) {
			f_hex("lock", " for the lock at %llx", note->regs.di);
			if (symbol_at(note->regs.di, NULL))
				f_str("lock_name", " <%s>", symbolise(note->regs.di, sym, sizeof(sym)));
		}
	}
	text("\n");
	end();
}

int cmd_locks(int argc, char **argv)
{
	shown = 0;
	text("   ADDRESS    KIND          STATE                 NAME\n");
	list("locks");
	type_index_each("", variable);
	task_locks();
	end();
	if (!shown)
		text("  none of the locks that can be found by their type is held\n");
	list("tasks");
	for (size_t i = 0; i < ntasks && !interrupted; i++)
		task_line(&tasks[i]);
	end();
	return 0;
}
