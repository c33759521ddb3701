# SPDX-License-Identifier: Apache-2.0
# lib/ in a hosted build; its string functions as the kernel compiles them.
LIB_SRC := lib/kstring.c mm/kstrdup.c lib/vsprintf.c lib/kstrtox.c lib/rbtree.c lib/xarray.c lib/find_bit.c lib/sort.c lib/crc32.c \
	lib/hash.c kernel/random.c
$(O)/unit/string_under_test.o: tests/unit/string_under_test.c lib/string.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(KCFLAGS) -DHUSK_UNIT_LOCKS -c $< -o $@
$(O)/unit/test_lib: tests/unit/test_lib.c $(LIB_SRC) $(O)/unit/string_under_test.o
	@mkdir -p $(@D)
	$(Q)$(CC) $(HCFLAGS) -DHUSK_HOSTED -O1 -fno-builtin -fsanitize=address,undefined -fno-sanitize-recover=undefined -o $@ $^
.PHONY: unit-lib
unit-lib: $(O)/unit/test_lib
	$(O)/unit/test_lib
unit: unit-lib
