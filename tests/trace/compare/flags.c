#define _GNU_SOURCE
#include <unistd.h>
#include <sys/syscall.h>
#include <stdint.h>
#define S(n, ...) syscall(SYS_##n, ##__VA_ARGS__)
#define F(x) (x)
static void all(long nr, int at, int pre_n, uint64_t fill, uint64_t v){ uint64_t a[6]={fill,fill,fill,fill,fill,fill}; a[at]=v; syscall(nr,a[0],a[1],a[2],a[3],a[4],a[5]); }
int main(void){
	uint64_t B=-1;
	#define FL(n,at) all(SYS_##n,at,0,B,0xffffffffffffffffull); all(SYS_##n,at,0,B,0); all(SYS_##n,at,0,B,0x7fffffff);
	#define EN(n,at,max) for(int i=-2;i<max;i++) all(SYS_##n,at,0,B,i);
	FL(openat,2) FL(mmap,2) FL(mmap,3) FL(mprotect,2) FL(mremap,3) FL(msync,2) FL(mlockall,0) FL(mlock2,2) FL(access,1) FL(faccessat2,3) FL(faccessat2,2)
	FL(sendto,3) FL(socket,1) FL(accept4,3) FL(unlinkat,2) FL(linkat,4) FL(newfstatat,3) FL(fchownat,4) FL(statx,2) FL(statx,3) FL(utimensat,3) FL(execveat,4) FL(renameat2,4)
	FL(pipe2,1) FL(eventfd2,1) FL(epoll_create1,0) FL(inotify_init1,0) FL(signalfd4,3) FL(timerfd_create,1) FL(timerfd_settime,1) FL(inotify_add_watch,2) FL(memfd_create,1)
	FL(splice,5) FL(fallocate,1) FL(sync_file_range,3) FL(preadv2,5) FL(getrandom,2) FL(close_range,2) FL(pidfd_open,1) FL(pidfd_send_signal,3) FL(setxattr,4) FL(mount,3) FL(umount2,1) FL(unshare,0) FL(setns,1) FL(timer_settime,1) FL(clock_nanosleep,1) FL(membarrier,1) FL(flock,1) FL(dup3,2) FL(copy_file_range,5) FL(personality,0) FL(wait4,2) FL(waitid,3) FL(recvmmsg,3) FL(process_vm_readv,5) FL(sched_setattr,2) FL(finit_module,2) FL(delete_module,1) FL(seccomp,1) FL(userfaultfd,0) FL(name_to_handle_at,4) FL(futex_waitv,2) FL(fanotify_init,0) FL(fanotify_init,1) FL(fanotify_mark,1) FL(fanotify_mark,2) FL(mq_open,1) FL(shmget,2) FL(shmat,2) FL(semget,2) FL(msgget,1) FL(semop,0) FL(ioprio_set,2) FL(mbind,3) FL(mbind,5) FL(swapon,1) FL(open_tree,2) FL(move_mount,4) FL(fsopen,1) FL(fsmount,1) FL(fsmount,2) FL(fspick,2) FL(pidfd_getfd,2) FL(rseq,2) FL(keyctl,0) FL(add_key,4) FL(mount_setattr,2) FL(perf_event_open,4) FL(landlock_create_ruleset,2) FL(memfd_secret,0) FL(process_madvise,3) FL(mknod,1) FL(mkdir,1) FL(chmod,1) FL(umask,0) FL(kexec_load,3) FL(io_uring_enter,3) FL(get_mempolicy,4) FL(set_mempolicy,0)FL(modify_ldt,0)FL(pkey_mprotect,2)FL(pkey_alloc,1)
	all(SYS_umask,0,0,0,022);
	EN(lseek,2,7) EN(rt_sigprocmask,0,5) EN(madvise,2,28) EN(madvise,2,103) EN(shutdown,1,5) EN(socket,0,48) EN(socket,1,14) EN(getitimer,0,5) EN(getrlimit,0,18) EN(getrusage,0,4) EN(getpriority,0,5) EN(setpriority,0,5) EN(sched_setscheduler,1,9) EN(sched_get_priority_max,0,9) EN(prctl,0,80) EN(clock_gettime,0,14) EN(timerfd_create,0,14) EN(timer_create,0,14) EN(epoll_ctl,1,6) EN(fcntl,1,44) EN(waitid,0,6) EN(ioprio_get,0,5) EN(ioprio_set,0,5) EN(fadvise64,3,9) EN(seccomp,0,6) EN(membarrier,0,8) EN(futex,1,16) EN(syslog,0,13) EN(sysfs,0,5) EN(kcmp,2,10) EN(keyctl,0,34) EN(bpf,0,40) EN(quotactl,0,4) EN(rt_tgsigqueueinfo,2,70) EN(ptrace,0,36) EN(msgctl,1,14) EN(semctl,2,22) EN(shmctl,1,17) EN(fsconfig,1,10) EN(landlock_add_rule,1,4) EN(io_uring_register,1,30) EN(clock_nanosleep,0,13) EN(mbind,2,8) EN(clone3,1,3) EN(add_key,4,2)
	int fc[]={1024,1025,1026,1027,1028,1029,1030,1031,1032,1033,1034,1035,1036,1037,1038,1039,1040}; for(int i=0;i<17;i++) all(SYS_fcntl,1,0,B,fc[i]);
	for (int i=0;i<12;i++) all(SYS_prctl,0,0,B,0x59616d61), all(SYS_prctl,0,0,B,0x53564d41);
	for (int i=0x1000;i<0x1020;i++) all(SYS_arch_prctl,0,0,B,i);
	for (int i=0x3000;i<0x3004;i++) all(SYS_arch_prctl,0,0,B,i);
	for (int i=0;i<16;i++) all(SYS_membarrier,0,0,B,1<<i);
	for (int i=128;i<144;i++) all(SYS_futex,1,0,B,i);
	for (int i=256;i<284;i++) all(SYS_futex,1,0,B,i);
	for (int i=0x5400;i<0x5480;i++) all(SYS_ioctl,1,0,B,i);
	return 0;
}
