# SPDX-License-Identifier: Apache-2.0
# The reader of the kernel's line table: right lines, and no fault on damaged files or hostile lines.
$(O)/unit/test_klines: tests/unit/test_klines.c host/klines.c host/klines.h
	@mkdir -p $(@D)
	$(Q)$(CC) $(HCFLAGS) -Ihost -O1 -fsanitize=address,undefined -fno-sanitize-recover=undefined -o $@ $(filter %.c,$^)
.PHONY: unit-klines
unit-klines: $(O)/unit/test_klines
	$(O)/unit/test_klines
unit: unit-klines
