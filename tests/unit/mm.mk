# SPDX-License-Identifier: Apache-2.0
# mm/ and what it needs of lib/, compiled as for the kernel, with a fake platform and host below and cmocka above.
UNIT_SAN := -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-sanitize=alignment
UNIT_KCFLAGS := $(filter-out -O2,$(KCFLAGS)) -O1 -DHUSK_UNIT -DHUSK_DEBUG $(UNIT_SAN)
MM_UNIT := page_alloc backing pagelock slab pgtable zap fork_copies mm vma mmap fault fault_anon fault_file text_run rmap gup mprotect mremap madvise mlock \
	filemap readahead writeback truncate vmscan recycle oom
MM_UNIT_SRC := $(MM_UNIT:%=mm/%.c) lib/rbtree.c lib/xarray.c lib/find_bit.c tests/unit/mm_fake.c tests/unit/mm_tests.c tests/unit/mm_space.c
MM_UNIT_OBJ := $(MM_UNIT_SRC:%.c=$(O)/unit/mm/%.o)
$(O)/unit/mm/%.o: %.c tests/unit/mm_unit.h mm/internal.h mm/pgtable.h $(wildcard include/husk/*.h)
	@mkdir -p $(@D)
	$(Q)$(CC) $(UNIT_KCFLAGS) -Imm -c $< -o $@
$(O)/unit/test_mm: tests/unit/test_mm.c $(MM_UNIT_OBJ)
	@mkdir -p $(@D)
	$(Q)$(CC) $(HCFLAGS) $(UNIT_SAN) -o $@ $^ -lcmocka
.PHONY: unit-mm
unit-mm: $(O)/unit/test_mm $(filter-out unit-mm,$(shell sed -n 's/^\(unit-[a-z]*\):.*/\1/p' tests/unit/*.mk))
	$(O)/unit/test_mm
unit: unit-mm
