# SPDX-License-Identifier: Apache-2.0
# gcc: compile, link, run; shared library, static, LTO-free C++ if there, errors and their status; ar, nm, strip, objdump.
. "$(dirname "$0")/common.sh"
need gcc
cat > h.c <<'E'
#include <stdio.h>
#include <stdlib.h>
int main(int c, char **v) { printf("hello %d %s\n", c, c > 1 ? v[1] : "-"); return c; }
E
gcc -o h h.c && ./h; echo $?; ./h x; echo $?; gcc -static -o hs h.c && ./hs; echo $?; gcc -static-pie -o hp h.c && ./hp y; echo $?
gcc -O2 -g -pipe -o ho h.c && ./ho z; echo $?; gcc -c h.c; ar rcs libh.a h.o; nm libh.a | grep -c main; strip -o hx h; ./hx; sha256sum h.o | cut -c1-16
cat > l.c <<'E'
int counter; __attribute__((constructor)) static void c(void) { counter = 40; } int next(void) { return ++counter; }
E
cat > u.c <<'E'
#include <stdio.h>
#include <dlfcn.h>
int next(void);
int main(void) { printf("%d\n", next()); void *d = dlopen("./libl.so", RTLD_NOW); int (*n)(void) = dlsym(d, "next"); printf("%d\n", n()); printf("%s\n", dlopen("./none.so", RTLD_NOW) ? "?" : "no such library"); }
E
gcc -shared -fPIC -o libl.so l.c; gcc -o u u.c -L. -ll -Wl,-rpath,. && ./u; LD_LIBRARY_PATH=. LD_BIND_NOW=1 ./u; cat > pre.c <<'E'
int next(void) { return 7; }
E
gcc -shared -fPIC -o pre.so pre.c; LD_PRELOAD=./pre.so ./u
echo 'int main( {' > bad.c; gcc bad.c 2>/dev/null; echo $?; echo 'int main(void){return nothere();}' > un.c; gcc -w un.c 2>/dev/null; echo $?; ls a.out 2>&1 | sed 's/.*: //'
gcc -E -dM - < /dev/null | grep -c __x86_64__; objdump -f h.o | grep -c elf64; readelf -h h | grep -c DYN; echo 'int x;' | gcc -x c -c -o /dev/null - ; echo $?
if command -v g++ >/dev/null; then cat > t.cc <<'E'
#include <iostream>
#include <thread>
#include <vector>
#include <map>
#include <stdexcept>
#include <fstream>
int main() { std::map<int, std::string> m; for (int i = 0; i < 1000; i++) m[i] = std::to_string(i); std::vector<std::thread> t; std::vector<long> s(4);
for (int k = 0; k < 4; k++) t.emplace_back([&s, k] { for (int i = 0; i < 100000; i++) s[k] += i; }); for (auto &x : t) x.join();
try { throw std::runtime_error("thrown"); } catch (std::exception &e) { std::cout << e.what() << " " << m[77] << " " << s[0] + s[3] << "\n"; } std::ofstream("o") << "file\n"; throw 5; }
E
g++ -O1 -o t t.cc -pthread && ./t 2>/dev/null; echo $?; cat o; fi
gcc -pthread -o ms -x c - <<'E'
#include <malloc.h>
#include <stdio.h>
#include <pthread.h>
static void *f(void *a) { for (int i = 0; i < 2000; i++) { char *p = malloc(i * 37 % 90000); if (p) p[0] = 1; free(p); } return a; }
int main(void) { pthread_t t[6]; for (int i = 0; i < 6; i++) pthread_create(t + i, 0, f, 0); for (int i = 0; i < 6; i++) pthread_join(t[i], 0); puts("malloc in threads"); }
E
./ms
