# SPDX-License-Identifier: Apache-2.0
# The device side of virtqueues and the FUSE server; fuzzers for both (make fuzz; FUZZ_CC=clang for libFuzzer).
FS_SRC := host/virtq.c host/fs_server.c host/fuse_node.c host/fuse_fd.c host/fuse_ops.c host/fuse_dirops.c host/fuse_io.c host/fuse_copy.c host/plain.c \
	host/fuse_readdir.c host/fuse_xattr.c
FS_HDR := host/virtq.h host/fs_server.h host/fuse_srv.h tests/unit/virtq_driver.h tests/unit/fuse_driver.h include/hostif/hostif.h
SAN := -fsanitize=address,undefined -fno-sanitize-recover=undefined

$(O)/unit/test_virtq: tests/unit/test_virtq.c host/virtq.c $(FS_HDR)
	@mkdir -p $(@D)
	$(Q)$(CC) $(HCFLAGS) $(SAN) -o $@ $(filter %.c,$^)
$(O)/unit/test_fs_server: tests/unit/test_fs_server.c $(FS_SRC) $(FS_HDR)
	@mkdir -p $(@D)
	$(Q)$(CC) $(HCFLAGS) $(SAN) -o $@ $(filter %.c,$^) -lpthread
# the kernel's half as the kernel compiles it, the rest with libc
REQ_K := drivers/virtio/virtio_ring.c fs/fuse/req.c tests/unit/test_fuse_req.c
$(O)/unit/req/%.o: %.c fs/fuse/fuse_i.h include/husk/virtio.h
	@mkdir -p $(@D)
	$(Q)$(CC) $(KCFLAGS) -DHUSK_UNIT_LOCKS -Ifs/fuse -c $< -o $@
$(O)/unit/test_fuse_req: tests/unit/test_fuse_req_host.c $(FS_SRC) $(FS_HDR) $(REQ_K:%.c=$(O)/unit/req/%.o)
	@mkdir -p $(@D)
	$(Q)$(CC) $(HCFLAGS) -o $@ $(filter %.c %.o,$^) -lpthread
# a hostile kernel and a restless host; fixed seeds here, as many as wanted by hand
$(O)/unit/fuzz_share: tests/fuzz/fuzz_share.c $(FS_SRC) $(FS_HDR)
	@mkdir -p $(@D)
	$(Q)$(CC) $(HCFLAGS) -fsanitize=address,undefined -fno-sanitize-recover=all -o $@ $(filter %.c,$^) -lpthread
.PHONY: unit-virtq fuzz
unit-virtq: $(O)/unit/test_virtq $(O)/unit/test_fs_server $(O)/unit/test_fuse_req $(O)/unit/fuzz_share
	$(O)/unit/test_virtq
	$(O)/unit/test_fs_server
	$(O)/unit/test_fuse_req
	$(O)/unit/fuzz_share 60
unit: unit-virtq

FUZZ_CC ?= gcc
comma := ,
FUZZ_FLAGS := $(if $(findstring clang,$(FUZZ_CC)),-fsanitize=fuzzer$(comma)address$(comma)undefined,$(SAN) -DFUZZ_STANDALONE)
$(O)/fuzz/fuzz_virtq: tests/fuzz/fuzz_virtq.c host/virtq.c $(FS_HDR)
	@mkdir -p $(@D)
	$(Q)$(FUZZ_CC) $(HCFLAGS) $(FUZZ_FLAGS) -o $@ $(filter %.c,$^)
$(O)/fuzz/fuzz_fuse: tests/fuzz/fuzz_fuse.c $(FS_SRC) $(FS_HDR)
	@mkdir -p $(@D)
	$(Q)$(FUZZ_CC) $(HCFLAGS) $(FUZZ_FLAGS) -o $@ $(filter %.c,$^) -lpthread
fuzz: $(O)/fuzz/fuzz_virtq $(O)/fuzz/fuzz_fuse
