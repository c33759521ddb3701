# SPDX-License-Identifier: Apache-2.0
# The line discipline as the kernel compiles it, with libc in place of the rest of the kernel.
NTTY_SRC := tests/unit/test_ntty.c drivers/tty/n_tty.c drivers/tty/n_tty_read.c drivers/tty/n_tty_output.c
$(O)/unit/test_ntty: $(NTTY_SRC) include/husk/tty.h
	@mkdir -p $(@D)
	$(Q)$(CC) $(filter-out -Werror,$(KCFLAGS)) -DHUSK_UNIT_LOCKS -fsanitize=undefined -fno-sanitize-recover=undefined -o $@ $(NTTY_SRC)
.PHONY: unit-ntty
unit-ntty: $(O)/unit/test_ntty
	$(O)/unit/test_ntty
unit: unit-ntty
