// SPDX-License-Identifier: Apache-2.0
// Counters of the whole system and the list of its tasks, written into RAM when the monitor asks.

#include <husk/sched.h>
#include <husk/boot.h>
#include <husk/mm.h>
#include <husk/stats.h>
#include <husk/time.h>

/**
 * DOC: statistics
 *
 * Tasks count for themselves anyway (task_struct); what a task counted is added to `gone` when it is forgotten, under tasklist_lock, so
 * that gone and the sum over all tasks under that lock are exact. Nothing else is kept: the sums are made when somebody asks.
 *
 * A task that runs knows its CPU time only since its last sample: it is kicked, and a moment later the sums are made.
 */
#define SAMPLE_WAIT (2 * NSEC_PER_MSEC)
#define TASKS_SLACK 16 /* tasks that come while the list is allocated */

static struct {
	u64 cpu, syscalls, min_flt, maj_flt, nvcsw, nivcsw, rchar, wchar, read_bytes, write_bytes;
} gone;				  /* under tasklist_lock */
static struct hostif_task *tasks; /* only the event thread looks at these */
static unsigned tasks_order, tasks_room;

void stats_task_gone(struct task_struct *t)
{
	gone.cpu += t->utime + t->stime;
	gone.syscalls += t->ti->ncalls;
	gone.min_flt += t->min_flt;
	gone.maj_flt += t->maj_flt;
	gone.nvcsw += t->nvcsw;
	gone.nivcsw += t->nivcsw;
	gone.rchar += t->rchar;
	gone.wchar += t->wchar;
	gone.read_bytes += t->read_bytes;
	gone.write_bytes += t->write_bytes;
}

static u64 pages(enum vm_stat_item i)
{
	long n = atomic64_read(&vm_stat[i]);

	return n > 0 ? (u64)n << PAGE_SHIFT : 0;
}

static void count_memory(struct hostif_stats *s)
{
	s->mem_total = totalram_pages << PAGE_SHIFT;
	s->mem_free = nr_free_pages() << PAGE_SHIFT;
	s->mem_available = mem_available() << PAGE_SHIFT;
	s->mem_cached = pages(NR_FILE_PAGES);
	s->mem_anon = pages(NR_ANON_PAGES);
	s->mem_shmem = pages(NR_SHMEM);
	s->mem_slab = pages(NR_SLAB);
	s->mem_pagetables = pages(NR_PAGETABLE);
	s->mem_dirty = pages(NR_FILE_DIRTY);
}

static char task_state(struct task_struct *t)
{
	unsigned s = READ_ONCE(t->state), e = READ_ONCE(t->exit_state);

	if (e)
		return e & EXIT_ZOMBIE ? 'Z' : 'X';
	if (s & (__TASK_TRACED | __TASK_STOPPED))
		return s & __TASK_TRACED ? 't' : 'T';
	if (s & TASK_UNINTERRUPTIBLE)
		return 'D';
	/* kernel threads wait for the monitor's doorbells outside of the scheduler's sight */
	return s & TASK_INTERRUPTIBLE || t->flags & PF_KTHREAD ? 'S' : 'R';
}

static void count_task(struct hostif_stats *s, struct task_struct *t)
{
	char state = task_state(t);
	u64 ut, st;

	task_cputime(t, &ut, &st);
	s->cpu += ut + st;
	s->syscalls += t->ti->ncalls;
	s->min_flt += t->min_flt;
	s->maj_flt += t->maj_flt;
	s->nvcsw += t->nvcsw;
	s->nivcsw += t->nivcsw;
	s->rchar += t->rchar;
	s->wchar += t->wchar;
	s->read_bytes += t->read_bytes;
	s->write_bytes += t->write_bytes;
	if (t->flags & PF_KTHREAD)
		return;
	s->threads++;
	s->processes += thread_group_leader(t);
	s->running += state == 'R';
	s->blocked += state == 'D';
	s->zombies += state == 'Z';
}

static void count_all(struct hostif_stats *s)
{
	s->cpu = gone.cpu;
	s->syscalls = gone.syscalls;
	s->min_flt = gone.min_flt;
	s->maj_flt = gone.maj_flt;
	s->nvcsw = gone.nvcsw;
	s->nivcsw = gone.nivcsw;
	s->rchar = gone.rchar;
	s->wchar = gone.wchar;
	s->read_bytes = gone.read_bytes;
	s->write_bytes = gone.write_bytes;
	s->forks = total_forks;
	s->max_threads = max_threads;
}

static void describe_mm(struct hostif_task *o, struct task_struct *t)
{
	long rss = 0;

	task_lock(t);
	memcpy(o->comm, t->comm, sizeof(o->comm));
	if (t->mm) {
		rss = atomic_long_read(&t->mm->rss_anon) + atomic_long_read(&t->mm->rss_file) +
		      atomic_long_read(&t->mm->rss_shmem);
		o->vsize = (u64)t->mm->total_vm << PAGE_SHIFT;
	}
	task_unlock(t);
	o->rss = rss > 0 ? (u64)rss << PAGE_SHIFT : 0;
}

static void describe_task(struct hostif_task *o, struct task_struct *t)
{
	memset(o, 0, sizeof(*o));
	o->pid = t->pid;
	o->tgid = t->tgid;
	o->ppid = t->real_parent ? t->real_parent->tgid : 0;
	o->uid = READ_ONCE(t->cred)->uid;
	o->flags = t->flags & PF_KTHREAD ? HOSTIF_TASK_KTHREAD : 0;
	o->nice = t->nice;
	o->state = task_state(t);
	describe_mm(o, t);
	o->start = t->start_time;
	task_cputime(t, &o->utime, &o->stime);
	o->syscalls = t->ti->ncalls;
	o->min_flt = t->min_flt;
	o->maj_flt = t->maj_flt;
	o->nvcsw = t->nvcsw;
	o->nivcsw = t->nivcsw;
	o->rchar = t->rchar;
	o->wchar = t->wchar;
	o->read_bytes = t->read_bytes;
	o->write_bytes = t->write_bytes;
}

/* Room for all tasks there are, if memory allows; what does not fit is counted. */
static void make_room(void)
{
	unsigned want = min((unsigned)READ_ONCE(nr_threads) + TASKS_SLACK, (unsigned)HOSTIF_MAX_TASKS), order = 0;
	struct hostif_task *more;

	if (want <= tasks_room)
		return;
	while ((PAGE_SIZE << order) / sizeof(*tasks) < want)
		order++;
	more = __get_free_pages(GFP_KERNEL | __GFP_NOWARN, order);
	if (!more)
		return;
	if (tasks)
		free_pages((unsigned long)tasks, tasks_order);
	tasks = more;
	tasks_order = order;
	tasks_room = (PAGE_SIZE << order) / sizeof(*tasks);
}

/* Asks those that run for a sample; true if it is worth waiting for. */
static bool kick_running(void)
{
	struct task_struct *p, *t;
	bool any = false;
	u64 ut, st;

	read_lock(&tasklist_lock);
	for_each_process (p)
		for_each_thread (p, t)
			if (task_state(t) == 'R' && !(t->flags & PF_KTHREAD)) {
				task_cputime(t, &ut, &st);
				any = true;
			}
	read_unlock(&tasklist_lock);
	return any;
}

static void walk(struct hostif_stats *s, bool list)
{
	struct task_struct *p, *t;

	read_lock(&tasklist_lock);
	count_all(s);
	for_each_process (p)
		for_each_thread (p, t) {
			count_task(s, t);
			if (!list)
				continue;
			if (s->ntasks < tasks_room)
				describe_task(&tasks[s->ntasks++], t);
			else
				s->more_tasks++;
		}
	read_unlock(&tasklist_lock);
}

void stats_refresh(bool list)
{
	struct hostif_stats *out = &boot->stats, s = {0};
	u32 request = __atomic_load_n(&boot->stats_request, __ATOMIC_ACQUIRE);

	if (kick_running()) {
		set_current_state(TASK_UNINTERRUPTIBLE);
		schedule_timeout(SAMPLE_WAIT);
	}
	s.seq = out->seq;
	WRITE_ONCE(out->seq, s.seq | 1);
	smp_wmb();
	if (list)
		make_room();
	walk(&s, list);
	count_memory(&s);
	s.time = ktime_get_ns();
	s.tasks_phys = tasks ? virt_to_phys(tasks) : 0;
	if (!list) { /* the list stays as it was */
		s.ntasks = out->ntasks;
		s.more_tasks = out->more_tasks;
	}
	s.answered = out->answered;
	s.seq |= 1;
	memcpy(out, &s, sizeof(s));
	__atomic_store_n(&out->seq, (s.seq | 1) + 1, __ATOMIC_RELEASE);
	__atomic_store_n(&out->answered, request, __ATOMIC_RELEASE);
}

void stats_kill(void)
{
	struct hostif_kill *k = &boot->kill;
	u32 request = __atomic_load_n(&k->request, __ATOMIC_ACQUIRE);
	pid_t pid = READ_ONCE(k->pid);
	int sig = READ_ONCE(k->sig);

	if (pid <= 0 || sig < 0 || sig > _NSIG)
		k->result = -EINVAL;
	else
		k->result = kill_pid(pid, sig, 1);
	__atomic_store_n(&k->answered, request, __ATOMIC_RELEASE);
}
