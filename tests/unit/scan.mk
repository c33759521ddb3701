# SPDX-License-Identifier: Apache-2.0
# The scanner for forbidden instructions against one that looks at every byte.
$(O)/unit/test_scan: tests/unit/test_scan.c arch/x86/scan.c host/plain.c arch/x86/scan.h host/plain.h
	@mkdir -p $(@D)
	$(Q)$(CC) $(HCFLAGS) -DHUSK_HOSTED -O1 -fsanitize=address,undefined -fno-sanitize-recover=undefined -o $@ $(filter %.c,$^)
.PHONY: unit-scan
unit-scan: $(O)/unit/test_scan
	$(O)/unit/test_scan
unit: unit-scan
