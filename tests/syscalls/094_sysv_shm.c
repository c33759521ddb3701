// SPDX-License-Identifier: Apache-2.0
// System V shared memory: keys, permissions, attaching, counting over fork, exec and exit, removal while attached, limits.
#include "t.h"
#include <sys/ipc.h>
#include <sys/shm.h>

static struct shmid_ds stat_of(int id)
{
	struct shmid_ds d;

	MUST(shmctl(id, IPC_STAT, &d));
	return d;
}
static int in_maps(const char *what)
{
	char line[512];
	int n = 0;
	FILE *f = fopen("/proc/self/maps", "r");

	while (f && fgets(line, sizeof line, f))
		n += strstr(line, what) != NULL;
	if (f)
		fclose(f);
	return n;
}
static int in_proc(const char *file, int id)
{
	char line[512];
	int n = 0, key, got;
	FILE *f = fopen(file, "r");

	while (f && fgets(line, sizeof line, f))
		n += sscanf(line, "%d %d", &key, &got) == 2 && got == id;
	if (f)
		fclose(f);
	return n;
}
static void keys(void)
{
	key_t k = 0x68000000 | (getpid() & 0xffffff);
	int id = MUST(shmget(k, 5000, IPC_CREAT | IPC_EXCL | 0640)), own = MUST(shmget(IPC_PRIVATE, 1, 0600));
	char name[32];

	R(shmget(k, 5000, IPC_CREAT | IPC_EXCL | 0600));
	T(shmget(k, 0, 0) == id);
	T(shmget(k, 5000, IPC_CREAT | 0600) == id);
	R(shmget(k, 5001, 0));
	R(shmget(k + 1, 100, 0));
	R(shmget(IPC_PRIVATE, 0, 0600));
	T(own != id && in_proc("/proc/sysvipc/shm", id) == 1 && in_proc("/proc/sysvipc/shm", own) == 1);
	struct shmid_ds d = stat_of(id);
	T(d.shm_segsz == 5000 && d.shm_nattch == 0 && d.shm_cpid == getpid() && !d.shm_lpid && !d.shm_atime);
	T(d.shm_perm.__key == k && (d.shm_perm.mode & 0777) == 0640 && d.shm_perm.cuid == geteuid());
	T(labs(d.shm_ctime - time(NULL)) < 100);
	char *p = shmat(id, NULL, 0);
	snprintf(name, sizeof name, "/SYSV%08x (deleted)", k);
	T(in_maps(name) == 1);
	p[4999] = 7;
	R(shmctl(id, IPC_RMID, NULL));
	R(shmget(k, 5000, 0)); // the key is free, the memory is there
	T(stat_of(id).shm_perm.mode & 01000);
	char *again = shmat(id, NULL, SHM_RDONLY);
	T(again != (void *)-1 && again[4999] == 7);
	R(shmdt(again));
	R(shmdt(p));
	R(shmctl(id, IPC_STAT, &d));
	R(shmctl(own, IPC_RMID, NULL));
	R(shmctl(own, IPC_RMID, NULL));
	T((long)shmat(own, NULL, 0) == -1 && errno == EINVAL);
}
static void attach(void)
{
	int id = MUST(shmget(IPC_PRIVATE, 3 * 4096, 0600));
	char *at = mmap(NULL, 65536, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *p;

	T((long)shmat(id, at, 0) == -1 && errno == EINVAL); // something is there
	T(shmat(id, at, SHM_REMAP) == at);
	T((long)shmat(id, at + 20001, 0) == -1 && errno == EINVAL);
	T((p = shmat(id, at + 20001, SHM_RND | SHM_REMAP)) == at + 16384);
	T((long)shmat(id, NULL, SHM_REMAP) == -1 && errno == EINVAL);
	at[5] = 'x';
	T(p[5] == 'x' && stat_of(id).shm_nattch == 2);
	munmap(at + 4096, 4096); // a hole: two mappings, and shmdt takes both
	T(stat_of(id).shm_nattch == 3);
	R(shmdt(at + 8192));
	R(shmdt(at + 1));
	R(shmdt(at));
	T(stat_of(id).shm_nattch == 1);
	R(shmdt(at));
	CHILD("read-only", {
		char *q = shmat(id, NULL, SHM_RDONLY);
		signal(SIGSEGV, SIG_DFL);
		prctl(PR_SET_DUMPABLE, 0);
		T(q[5] == 'x');
		*(volatile char *)q = 1;
	});
	CHILD("inherited", {
		T(stat_of(id).shm_nattch == 2);
		p[6] = 'y';
	});
	T(p[6] == 'y' && stat_of(id).shm_nattch == 1); // exit detaches
	CHILD("exec", {
		execl("/bin/sh", "sh", "-c", "exit 3", NULL);
		_exit(9);
	});
	T(stat_of(id).shm_nattch == 1 && stat_of(id).shm_lpid != getpid());
	p = mremap(p, 3 * 4096, 3 * 4096, MREMAP_MAYMOVE | MREMAP_FIXED, at + 40960);
	T(p == at + 40960 && p[6] == 'y' && stat_of(id).shm_nattch == 1);
	R(shmdt(p));
	T(stat_of(id).shm_nattch == 0 && stat_of(id).shm_dtime);
	R(shmctl(id, IPC_RMID, NULL));
}
static void rights(void)
{
	int id = MUST(shmget(0x69000000 | (getpid() & 0xffffff), 4096, IPC_CREAT | 0640));
	struct shmid_ds d = stat_of(id);
	struct shminfo i;
	struct shm_info u;

	d.shm_perm.mode = 0604;
	R(shmctl(id, IPC_SET, &d));
	T((stat_of(id).shm_perm.mode & 0777) == 0604);
	R(shmctl(id, SHM_LOCK, NULL));
	T(stat_of(id).shm_perm.mode & 02000);
	R(shmctl(id, SHM_UNLOCK, NULL));
	if (!geteuid())
		CHILD("others", {
			nobody();
			T((long)shmat(id, NULL, 0) == -1 && errno == EACCES);
			T((long)shmat(id, NULL, SHM_RDONLY) != -1);
			R(shmctl(id, IPC_RMID, NULL));
			R(shmctl(id, IPC_SET, &d));
			R(shmget(d.shm_perm.__key, 4096, 0600));
			O(shmget(d.shm_perm.__key, 4096, 0004));
		});
	T(shmctl(0, IPC_INFO, (void *)&i) >= 0 && i.shmmin == 1 && i.shmmni == 4096);
	T(shmctl(0, SHM_INFO, (void *)&u) >= 0 && u.used_ids >= 1 && u.shm_tot >= 1);
	R(shmctl(id, 99, &d));
	R(shmctl(-1, IPC_STAT, &d));
	R(shmctl(id, IPC_STAT, (void *)8));
	R(shmctl(id, IPC_RMID, NULL));
	// Removed with the last process that has it, however that ends.
	id = MUST(shmget(IPC_PRIVATE, 4096, 0600));
	CHILD("killed", {
		shmat(id, NULL, 0);
		shmctl(id, IPC_RMID, NULL);
		T(stat_of(id).shm_nattch == 1);
		raise(SIGKILL);
	});
	R(shmctl(id, IPC_STAT, &d));
}
int main(void)
{
	keys();
	attach();
	rights();
}
