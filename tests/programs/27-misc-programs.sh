# SPDX-License-Identifier: Apache-2.0
# Others: rsync local copy, busybox, file, xxd-like od, openssl, curl on a file, ssh-keygen where there; each only if installed.
. "$(dirname "$0")/common.sh"
make_tree t 10
if command -v rsync >/dev/null; then rsync -a t/ u/; diff -r t u && echo rsync; echo more >> t/dir1/f1.txt; rsync -ai t/ u/ | sed 's/^[^ ]* //' | sort; else echo 'no rsync'; fi
if command -v file >/dev/null; then file -b t/script | cut -d, -f1; file -b /usr/bin/env | cut -d, -f1-2 | cut -c1-30; else echo 'no file'; fi
if command -v openssl >/dev/null; then seq 1000 | openssl dgst -sha512 | tail -c 20; openssl rand -hex 8 | wc -c; seq 100 | openssl enc -aes-256-cbc -pbkdf2 -pass pass:x | openssl enc -d -aes-256-cbc -pbkdf2 -pass pass:x | tail -1; openssl genrsa 1024 2>/dev/null | grep -c BEGIN; fi
if command -v curl >/dev/null; then curl -s "file://$TESTDIR/t/dir2/f2.txt"; fi
if command -v java >/dev/null; then echo 'public class H { public static void main(String[] a) throws Exception { Thread t = new Thread(() -> System.out.println("thread")); t.start(); t.join(); System.out.println("hello"); } }' > H.java; java -Xshare:auto H.java; fi
if command -v strace >/dev/null; then echo strace is for later; fi
command -v m4 >/dev/null && echo 'define(x, y)x' | m4; command -v patch >/dev/null && { cp t/dir1/f2.txt a; sed 's/file/FILE/' a > b; diff -u a b > d; patch -s a d; cmp a b && echo patched; }
command -v bison >/dev/null && echo '%% s: "x" ;' > g.y && bison g.y 2>/dev/null && ls g.tab.c
command -v ed >/dev/null && printf 'a\nline\n.\nw out\nq\n' | ed -s && cat out
iconv -f UTF-8 -t UTF-16LE <<< 'ä' | od -An -tx1; locale -a 2>/dev/null | grep -c '^C'; getent passwd root | cut -d: -f1,3; getent hosts localhost | awk '{print $2}' | head -1
flock lockfile echo locked; (flock 9; echo inside) 9> lockfile; flock -n lockfile sh -c 'flock -n lockfile true; echo $?'; setsid -w sh -c 'exit 6'; echo $?; nice -n 5 nice; chrt -p $$ 2>/dev/null | grep -c OTHER; taskset -p $$ >/dev/null 2>&1; echo $?
stdbuf -oL seq 3 | cat; unshare --help >/dev/null; echo $?; xargs -a <(seq 3) echo; mkfifo pipe; (cat pipe | wc -c) & head -c 1000000 /dev/zero > pipe; wait; cmp <(head -c 1000 /dev/zero) <(head -c 1000 /dev/zero) && echo same
