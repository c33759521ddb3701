# SPDX-License-Identifier: Apache-2.0
# The decoders of husk trace: records made by hand and by chance.
DECODE_SRC := $(wildcard tools/trace/d_*.c tools/trace/tables_*.c) $(addprefix tools/trace/,text.c names.c basic.c decode.c spec.c)
$(O)/unit/test_decode: tests/unit/test_decode.c $(DECODE_SRC) tools/trace/decode.h tools/trace/impl.h $(O)/include/syscall_table.h
	@mkdir -p $(@D)
	$(Q)$(CC) $(HCFLAGS) -O1 -fsanitize=address,undefined -fno-sanitize-recover=undefined -o $@ $(filter %.c,$^)
.PHONY: unit-decode
unit-decode: $(O)/unit/test_decode
	$(O)/unit/test_decode
unit: unit-decode
