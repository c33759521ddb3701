# SPDX-License-Identifier: Apache-2.0
# Pipes, sockets and epoll as the kernel compiles them, with the VFS, the wait queues and the allocators they stand on. The rest of
# the kernel is ipc_env.c; what no test reaches becomes an illegal instruction.
IPC_K := $(addprefix fs/,pipe pseudo splice eventfd timerfd signalfd eventpoll select seq_file file file_table \
	anon_inodes dcache dcache_tree inode super libfs stable read_write d_path) \
	$(addprefix lib/,string kstring vsprintf kstrtox rbtree xarray find_bit hash sort) \
	$(addprefix net/,socket syscalls message sock skbuff scm unix/af_unix unix/names unix/stream unix/dgram unix/garbage) \
	$(addprefix kernel/,init_task wait locking cred random time/timekeeping time/clock time/timer) $(addprefix mm/,page_alloc backing slab pagelock iov_iter kstrdup)
IPC_T := $(O)/unit/ipc_env.o $(O)/unit/test_ipc.o
$(IPC_T): $(O)/unit/%.o: tests/unit/%.c tests/unit/ipc_env.h $(wildcard include/husk/*.h include/hostif/*.h)
	@mkdir -p $(@D)
	$(Q)$(CC) $(KCFLAGS) -DHUSK_UNIT_LOCKS -c $< -o $@
$(O)/unit/ipc_kernel.o: $(IPC_K:%=$(O)/k/%.o) $(IPC_T)
	$(Q)$(LD) -r -o $@ $^
$(O)/unit/ipc_absent.S: $(O)/unit/ipc_kernel.o
	$(Q)nm -u $< | awk '$$2 !~ /^test_|^_GLOBAL/ { print ".globl " $$2 "\n.hidden " $$2 "\n" $$2 ":" } \
		END { print "ud2\n.section .note.GNU-stack" }' > $@
$(O)/unit/test_ipc: tests/unit/ipc_host.c $(O)/unit/ipc_kernel.o $(O)/unit/ipc_absent.S tests/unit/initcalls.ld
	$(Q)$(CC) $(HCFLAGS) -static -no-pie -o $@ $(filter %.c %.o %.S,$^) -Wl,-T,tests/unit/initcalls.ld -lpthread
.PHONY: unit-ipc
unit-ipc: $(O)/unit/test_ipc
	$(O)/unit/test_ipc
unit: unit-ipc
