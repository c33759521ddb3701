# SPDX-License-Identifier: Apache-2.0
# husk-trace's reader, decoders and printers, fed with garbage (make fuzz; FUZZ_CC=clang for libFuzzer).
# Memory of the guest lies as the guest has it: structures in it need not be aligned, which x86 allows.
TRACE_SRC := $(filter-out %/main.c %/session.c %/options.c %/filter.c %/inject.c %/stack.c %/dump.c,$(wildcard tools/trace/*.c))
TRACE_HDR := $(wildcard tools/trace/*.h) include/hostif/trace.h tests/fuzz/standalone.h
$(O)/unit/fuzz_trace: tests/fuzz/fuzz_trace.c $(TRACE_SRC) $(TRACE_HDR) | $(O)/include/syscall_table.h $(O)/include/trace_kinds.h
	@mkdir -p $(@D)
	$(Q)$(CC) $(HCFLAGS) -O1 $(SAN) -fno-sanitize=alignment -DFUZZ_STANDALONE -o $@ $(filter %.c,$^)
$(O)/fuzz/fuzz_trace: tests/fuzz/fuzz_trace.c $(TRACE_SRC) $(TRACE_HDR) | $(O)/include/syscall_table.h $(O)/include/trace_kinds.h
	@mkdir -p $(@D)
	$(Q)$(FUZZ_CC) $(HCFLAGS) $(FUZZ_FLAGS) -o $@ $(filter %.c,$^)
fuzz: $(O)/fuzz/fuzz_trace
.PHONY: unit-trace
unit-trace: $(O)/unit/fuzz_trace
	$(O)/unit/fuzz_trace 1500
	@echo "trace: ok"
unit: unit-trace
