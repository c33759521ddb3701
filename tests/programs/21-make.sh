# SPDX-License-Identifier: Apache-2.0
# make -j2 of a C project with 60 source files, a static library, a generated header, a test, an incremental and a failed build.
# time: 300
. "$(dirname "$0")/common.sh"
need make gcc
mkdir src
for i in $(seq 60); do
	{ echo '#include "gen.h"'; echo '#include <stdio.h>'; echo '#include <stdlib.h>'; echo '#include <string.h>'
	  echo "static int cmp$i(const void *a, const void *b) { return *(const int *)a - *(const int *)b; }"
	  echo "int fn$i(int n) { int v[100]; for (int i = 0; i < 100; i++) v[i] = (i * $i * 7919 + n) % 1000; qsort(v, 100, sizeof *v, cmp$i); char b[50]; snprintf(b, sizeof b, \"%d\", v[50]); return v[10] + v[90] + (int)strlen(b) + BASE; }"; } > src/m$i.c
done
{ for i in $(seq 60); do echo "int fn$i(int);"; done; echo '#include <stdio.h>'; echo 'int main(void) { long s = 0;'; for i in $(seq 60); do echo "s += fn$i($i);"; done; echo 'printf("sum %ld\n", s); return 0; }'; } > src/main.c
cat > Makefile <<'E'
SRC := $(wildcard src/m[0-9]*.c)
OBJ := $(SRC:src/%.c=obj/%.o)
CFLAGS = -O1 -Wall -Iobj -MMD
all: prog
prog: obj/main.o libm.a
	$(CC) -o $@ $^
libm.a: $(OBJ)
	@rm -f $@
	$(AR) rcs $@ $(sort $^)
obj/gen.h: gen.sh | obj
	sh gen.sh > $@
obj/%.o: src/%.c obj/gen.h | obj
	$(CC) $(CFLAGS) -c -o $@ $<
obj:
	mkdir -p obj
check: prog
	./prog > result && cat result
clean:
	rm -rf obj prog libm.a result
-include obj/*.d
E
echo 'echo "#define BASE 3"' > gen.sh
make -j2 > log 2>&1; echo $?; sort log | sha256sum; wc -l < log; make -s check; make -j2 | tail -1; make -q; echo $?
sleep 1.1; touch src/m7.c; make -j2 | sort; sleep 1.1; echo 'echo "#define BASE 4"' > gen.sh; make -j2 | wc -l; make -s check
sleep 1.1; echo 'syntax error' >> src/m9.c; make -j2 -k >/dev/null 2>&1; echo $?; ./prog; sed -i '$d' src/m9.c; make -j2 >/dev/null; echo $?; make clean; ls
cat > sub.mk <<'E'
X := $(shell echo from shell)
all: a b
a b: ; @echo $@ $(X) $(MAKELEVEL); $(MAKE) -s -f sub.mk leaf-$@
leaf-%: ; @echo leaf $* $(MAKELEVEL)
fail: ; @exit 3
E
make -s --no-print-directory -f sub.mk; make -s -f sub.mk fail 2>&1 | sed 's/.*\*\*\*/***/'; echo "${PIPESTATUS[0]}"
