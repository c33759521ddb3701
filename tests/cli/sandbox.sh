# SPDX-License-Identifier: Apache-2.0
# Whole sandboxes: what the options do, exit statuses, failures of programs. Sourced by tests/cli/run.

test_run_status() { run -- true; status 0; quiet; run -- false; status 1; run -- sh -c 'exit 42'; status 42; }
test_run_signal() { run -- sh -c 'kill -TERM $$; sleep 9'; status 143; run -- bash -c '(kill -KILL $BASHPID); exit $?'; status 137; }
test_run_no_dashes() { run echo a -n b; status 0; prints 'a -n b'; }
test_run_missing() { run -- no-such-program; status 127; says 'cannot run no-such-program'; one_line; }
test_run_missing_unsearchable() { # a directory in the PATH that the user may not search has nothing
	mkdir -p "$work/closed" && chmod 700 "$work/closed" || return
	run -u 4321 -e PATH="$work/closed:/bin" -- no-such-program
	status 127
	one_line
	run -u 4321 -e PATH="$work/closed:/bin" -- true
	status 0
}
test_run_nice() {
	guard nice -n 3 "$husk" run --platform="$platform" -- nice >"$work/out" 2>"$work/err"
	rc=$? out=$(<"$work/out") err=$(<"$work/err")
	status 0
	prints "$(nice -n 3 nice)"
}
test_run_missing_path() { run -- /no/such/program; status 127; says 'No such file'; one_line; }
test_run_empty_name() { run -- ''; status 127; one_line; }
test_run_directory() { run -- /usr; status 126; says 'it is a directory'; one_line; }
test_run_not_executable() { run -- /etc/passwd; status 126; says 'not executable'; one_line; }
test_run_not_a_program() { echo nonsense >"$work/text"; chmod 755 "$work/text"; run -- "$work/text"; status 126; one_line; }
test_run_other_architecture() {
	head -c 64 /bin/true >"$work/arm"
	printf '\267\0' | dd of="$work/arm" bs=1 seek=18 conv=notrunc status=none
	chmod 755 "$work/arm"
	run -- "$work/arm"
	status 126
	says 'another architecture'
	one_line
}
test_run_no_interpreter() { printf '#!/no/such/interpreter\n' >"$work/script"; chmod 755 "$work/script"; run -- "$work/script"; status 127; one_line; }
test_run_unreadable() {
	[ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null || return 0
	cp /bin/true "$work/locked"
	chmod 700 "$work/locked"
	as_user "$work/bin/husk" run --platform="$platform" -- "$work/locked"
	rc=$? err=$(<"$work/err")
	status 126
	one_line
}
test_run_env() {
	export HUSK_T1=one HUSK_T2=two
	run -e HUSK_T3=three -e HUSK_T1=eins -- sh -c 'echo $HUSK_T1 $HUSK_T2 $HUSK_T3'
	prints 'eins two three'
	run --clear-env -e HUSK_T2 -- sh -c 'echo "$HUSK_T1|$HUSK_T2"; test -n "$PATH"'
	status 0
	prints '|two'
	printf '# comment\nHUSK_T4=four\nHUSK_T2\n' >"$work/env"
	run --clear-env --env-file "$work/env" -- sh -c 'echo "$HUSK_T4 $HUSK_T2"'
	prints 'four two'
	unset HUSK_T1 HUSK_T2
}
test_run_workdir() { run -- pwd; prints "$PWD"; run -w /usr/../usr/lib/ -- pwd; prints /usr/lib; }
test_run_user() {
	run -u 1234:5678 -- id -u; prints 1234
	run -u 1234:5678 -- id -g; prints 5678
	run -u daemon -- id -un; prints daemon
	run -u daemon -- sh -c 'echo $HOME'; prints "$(getent passwd daemon | cut -d: -f6)"
	run -- id; prints "$(id)"
}
test_run_set_id() { # the first program itself, not only what it starts; kernel threads have directories of their own
	run -u 0 -w /etc -- sh -c 'readlink /proc/2/cwd; cp /usr/bin/id /tmp/id; chmod 4755 /tmp/id; exec setpriv --reuid 1000 /tmp/id -u'
	status 0
	prints $'/\n0'
}
test_run_hostname() { run -- uname -n; prints husk; run --hostname box -- hostname; prints box; }
test_run_umask() { (umask 027; run -- sh -c umask; prints 0027; echo "$problem" >"$work/problem"); problem=$(<"$work/problem"); }
test_run_overlay() {
	run -- sh -c "echo new >$work/new && cat $work/new && rm -r /usr/bin && ls -d /usr/bin 2>/dev/null; echo end"
	status 0
	prints $'new\nend'
	[ ! -e "$work/new" ] && [ -d /usr/bin ] || wrong "the host's files changed"
}
# what is open outlives its name: files and directories of the host that were never written here, locked or not, removed or replaced
test_run_removed_open() {
	local i
	mkdir -p "$work/open/dir" "$work/open/empty"
	for i in 1 2 3 4; do seq "$i"00 "$i"99 >"$work/open/f$i"; done
	run -w "$work/open" --log-level warn -- bash -c 'exec 5<f1 6<f2 7<f3 8<dir; flock 6; flock -s 7; rm f1 f2; mv f4 f3; rmdir dir
		for i in {1..500}; do echo "another file $i" >new$i; mkdir d$i; done
		cksum <&5; cksum <&6; cksum <&7; readlink /proc/self/fd/8; ls -A /proc/self/fd/8/; flock -n 6 && flock -u 6 && flock -u 7; rmdir empty
		exec 5<&- 6<&- 7<&- 8<&-; rm -r new* d*; cksum <f3; ls'
	status 0
	quiet
	prints "$(cd "$work/open" && cksum <f1; cksum <f2; cksum <f3; echo "$work/open/dir (deleted)"; cksum <f4; echo f3)"
	rm -rf "$work/open"
}
test_run_read_only() { run --read-only -- sh -c 'echo x >/etc/husk-test'; [ "$rc" -ne 0 ] || wrong "status 0"; says 'ead-only file system'; }
test_run_volume() {
	mkdir -p "$work/vol"
	echo host >"$work/vol/file"
	run -v "$work/vol:/data" -- sh -c 'cat /data/file; echo guest >/data/made; mv /data/file /data/moved'
	status 0
	prints host
	[ "$(cat "$work/vol/made")" = guest ] && [ -e "$work/vol/moved" ] || wrong "the share was not written"
	run -v "$work/vol:/data:ro" -- sh -c 'cat /data/made; echo x >/data/made'
	prints guest
	says 'ead-only file system'
	[ "$(cat "$work/vol/made")" = guest ] || wrong "a read-only share was written"
	run --read-only -v "$work/vol:/mnt" -- sh -c 'echo rw >/mnt/made'
	status 0
	[ "$(cat "$work/vol/made")" = rw ] || wrong "a share under a read-only root was not written"
	rm -rf "$work/vol"
}
# A symbolic link of a share with several names: one of them goes, another gets one more
test_run_volume_symlink_names() {
	mkdir -p "$work/vol/d"
	run -v "$work/vol:/data" -w /data -- sh -c 'ln -s y s1; ln s1 s2; rm s2; ln s1 s3; mv s3 d/s4; rm d/s4; echo x >s4
		ln s1 s5; ln s1 s4; readlink s5; stat -c %h s1; cat s4'
	prints $'y\n2\nx'
	says 'File exists'
	rm -rf "$work/vol"
}
# The same of a file and its extended attributes, as the host's file system has them
test_run_volume_xattr_names() {
	local script='import os
os.link("f", "g"); os.stat("g"); os.unlink("g")
try:
    os.setxattr("f", "user.a", b"v"); print(os.getxattr("f", "user.a"), os.listxattr("f"))
except OSError as e:
    print(e)'
	command -v python3 >/dev/null || return 0
	mkdir -p "$work/vol" "$work/here"
	echo x | tee "$work/vol/f" >"$work/here/f"
	run -v "$work/vol:/data" -w /data -- python3 -c "$script"
	prints "$(cd "$work/here" && python3 -c "$script")"
	rm -rf "$work/vol" "$work/here"
}
# Thousands of operations on names, data and open files do the same on a share, and in the layer over the host's files, as on the host
test_run_random_files() {
	local seed kind dir
	gcc -std=gnu17 -O1 -Wall -Wextra -o "$work/random_files" tests/cli/random_files.c || { wrong "gcc failed"; return; }
	for seed in 1 2 3; do
		for kind in host layer share; do
			dir=$work/tree-$kind
			rm -rf "$dir"
			mkdir -p "$dir"/{a,b,sub/x,sub/e}
			seq 1 $((seed * 300)) | tee "$dir"/{c,d,a/a,a/b,b/c,sub/f,sub/x/a,sub/e/q} >/dev/null
			ln "$dir/c" "$dir/e"
			ln -s sub/x "$dir/f"
		done
		"$work/random_files" $seed 4000 "$work/tree-host" >"$work/native"
		run -- "$work/random_files" $seed 4000 "$work/tree-layer"
		cmp -s "$work/native" "$work/out" || wrong "seed $seed, layer: $(diff "$work/native" "$work/out" | head -n 3)"
		run -v "$work/tree-share:/share" -- "$work/random_files" $seed 4000 /share
		cmp -s "$work/native" "$work/out" || wrong "seed $seed, share: $(diff "$work/native" "$work/out" | head -n 3)"
		diff -r --no-dereference "$work/tree-host" "$work/tree-share" >/dev/null || wrong "seed $seed: the trees differ on the host"
	done
	rm -rf "$work"/tree-* "$work/random_files" "$work/native"
}
# A host file is deleted in the layer while it is open: it stays what it was, whatever is made meanwhile
test_run_deleted_open() {
	mkdir -p "$work/del/dir"
	echo kept >"$work/del/file"
	echo two >"$work/del/other"
	run -w "$work/del" -- sh -c 'exec 3<file; rm file; i=0; while [ $i -lt 200 ]; do i=$((i + 1)); echo $i >new$i; done
		cat <&3; stat -Lc "%h %s" /proc/self/fd/3; rmdir dir; mkdir dir; rmdir dir; ln other third; rm other; cat third; rm third new*; ls'
	status 0
	prints $'kept\n0 5\ntwo'
	[ -d "$work/del/dir" ] && [ -e "$work/del/file" ] || wrong "the host's files changed"
	rm -rf "$work/del"
}
# --max-tasks is the program's: the kernel's own threads are not taken off it
test_run_max_tasks() {
	run --max-tasks 1 -- true
	status 0
	run --max-tasks 3 -- sh -c 'sleep 5 & sleep 5 & echo two; sleep 5 & echo three'
	prints two
	says 'fork'
}
# The host changes a file whose pages the guest has cached, or still has under way from read-ahead: an open after the attributes' second sees it.
test_run_volume_changes() {
	mkdir -p "$work/vol"
	seq 100000 >"$work/vol/same"
	cp "$work/vol/same" "$work/vol/shrinks"
	seq 100 >"$work/vol/grows"
	run_changes() {
		local i
		for i in {1..100}; do
			[ ! -e "$work/vol/ready" ] || break
			sleep 0.1
		done
		seq 900000 999999 | head -c "$(stat -c %s "$work/vol/same")" >"$work/vol/same.new"
		cat "$work/vol/same.new" >"$work/vol/same"
		seq 5000 6000 >"$work/vol/shrinks"
		seq 200000 >"$work/vol/grows"
		: >"$work/vol/go"
	}
	run_changes &
	run -v "$work/vol:/data" -- sh -c 'cd /data; for f in same shrinks grows; do dd if=$f of=/dev/null bs=512 count=1 2>/dev/null; done
		: >ready; until [ -e go ]; do sleep 0.1; done; sleep 1.1; cksum same shrinks grows'
	wait $!
	prints "$(cd "$work/vol" && cksum same shrinks grows)"
	rm -rf "$work/vol"
}
# What is made on a share has the mode that was asked for and its maker's owner, set-id bits too, whether it has a name or not.
test_run_volume_modes() {
	local script='import os
os.umask(0o022); os.chdir("/data")
os.close(os.open("file", os.O_CREAT | os.O_RDWR, 0o7755))
f = os.open(".", os.O_TMPFILE | os.O_RDWR, 0o7755)
os.link("/proc/self/fd/%d" % f, "tmp", src_dir_fd=f, follow_symlinks=True)
os.mknod("fifo", 0o17755); os.mkdir("dir", 0o1777)
for n in "file tmp fifo dir".split(): s = os.stat(n); print(n, oct(s.st_mode), s.st_uid == os.getuid())'
	mkdir -p "$work/vol"
	chmod 777 "$work/vol"
	run -v "$work/vol:/data" -- python3 -c "$script"
	prints $'file 0o107755 True\ntmp 0o107755 True\nfifo 0o17755 True\ndir 0o41755 True'
	[ "$(stat -c %a "$work/vol/tmp")" = 7755 ] || wrong "the host sees another mode"
	rm -rf "$work/vol"
	[ "$(id -u)" = 0 ] || return
	mkdir -p "$work/vol"
	chmod 777 "$work/vol"
	run -u 1234:1234 -v "$work/vol:/data" -- python3 -c "$script"
	prints $'file 0o107755 True\ntmp 0o107755 True\nfifo 0o17755 True\ndir 0o41755 True'
	rm -rf "$work/vol"
}
# A walk over a read-only share has the next directories listed and the next files read before it asks. What it sees is what is there,
# and a directory listed in advance is looked at anew when the walk comes a second later.
test_run_volume_walk() {
	local i dirs
	for i in {1..12}; do
		mkdir -p "$work/vol/d$i/sub/below"
		seq "$i"000 >"$work/vol/d$i/file"
		seq "$i" >"$work/vol/d$i/small"
		: >"$work/vol/d$i/empty"
	done
	mkdir "$work/vol/d3/many"
	(cd "$work/vol/d3/many" && seq 400 | split -l 1 -a 3 -)
	run -v "$work/vol:/data:ro" -- sh -c 'cd /data; tar cf - . | cksum; find . | cksum; find . -type f | wc -l'
	prints "$(cd "$work/vol"; tar cf - . | cksum; find . | cksum; find . -type f | wc -l)"
	mapfile -t dirs < <(ls -U "$work/vol")
	: >"$work/out"
	run_later() {
		local i
		for i in {1..100}; do
			! grep -q ready "$work/out" || break
			sleep 0.1
		done
		for i in "${dirs[@]:4}"; do : >"$work/vol/$i/late"; done
		: >"$work/go/go"
	}
	mkdir "$work/go"
	run_later &
	run -v "$work/vol:/data:ro" -v "$work/go:/go" -- sh -c 'cd /data; ls -U >/dev/null
		for d in '"${dirs[*]:0:4}"'; do ls -U $d $d/sub $d/sub/below >/dev/null; done
		echo ready; until [ -e /go/go ]; do sleep 0.1; done; sleep 1.1; ls '"${dirs[*]:4}"
	wait $!
	prints "$(echo ready; cd "$work/vol"; ls "${dirs[@]:4}")"
	rm -rf "$work/vol" "$work/go"
}
# What was read of the host's files can be had back, and is read again.
test_run_drop_caches() {
	mkdir -p "$work/vol"
	seq 2000000 >"$work/vol/big"
	run -u 0 -v "$work/vol:/data:ro" -- sh -c 'cached() { sed -n "s/^Cached: *\([0-9]*\).*/\1/p" /proc/meminfo; }
		cksum /data/big; find /data /etc >/dev/null; a=$(cached); echo 3 >/proc/sys/vm/drop_caches; b=$(cached); cksum /data/big
		[ $((a - b)) -gt 10000 ] && [ "$(cached)" -gt $((b + 10000)) ] && echo fell
		for i in 0 9 x; do echo $i >/proc/sys/vm/drop_caches || echo refused; done' 2>/dev/null
	prints "$(cd "$work/vol" && c=$(cksum big) && printf '%s\n' "${c/big//data/big}" "${c/big//data/big}" fell refused refused refused)"
	rm -rf "$work/vol"
}
# Data beside code in one page (a Lisp's heap, a JIT's constants): running the code does not change it. With protection keys it may
# (docs/design/text.md).
test_run_data_beside_code() {
	[ "$platform" = none ] || return
	cat >"$work/d.c" <<'X'
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
int main(void)
{
	unsigned char data[256], *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (int i = 0; i < 256; i += 4)
		memcpy(data + i, (unsigned char[]){0x0f, 0xae, 0x28 + i / 4 % 8, i}, 4);
	p[0] = 0xc3; /* ret */
	memcpy(p + 64, data, 256);
	((void (*)(void))p)();
	return puts(memcmp(p + 64, data, 256) ? "changed" : "kept") < 0;
}
X
	gcc -o "$work/d" "$work/d.c" && run -- "$work/d"
	prints kept
	rm -f "$work/d" "$work/d.c"
}
test_run_volume_escape() {
	mkdir -p "$work/esc"
	ln -s /etc/passwd "$work/esc/link"
	run --root "$work/esc" -v "$work/esc:/data" -- /nothing
	status 127
	ln -sf ../../../../etc/passwd "$work/esc/dots"
	run -v "$work/esc:/data" -- sh -c 'cd /data && cat ../data/../../../etc/hostname >/dev/null; ls -l /data >/dev/null'
	rm -rf "$work/esc"
}
test_run_root() {
	mkdir -p "$work/root/bin"
	printf 'int main(void) { return 33; }\n' | gcc -static -x c -o "$work/root/bin/prog" - 2>/dev/null || return 0
	run --root "$work/root" -- /bin/prog
	status 33
	run --root "$work/root" -- prog
	status 33
	rm -rf "$work/root"
}
test_run_memory() {
	run --memory 256m -- awk '/MemTotal/ { print ($2 <= 262144 && $2 > 131072) }' /proc/meminfo
	prints 1
}
test_run_timeout() {
	local start=$EPOCHREALTIME
	run --timeout 0.5 -- sleep 50
	status 124
	says 'time limit'
	[ $((${EPOCHREALTIME/./} - ${start/./})) -lt 45000000 ] || wrong "took too long"
	run --timeout 30 -- true
	status 0
}
test_run_stdin() { echo some input | { run -- cat; prints 'some input'; status 0; echo "$problem" >"$work/problem"; }; problem=$(<"$work/problem"); }
test_run_closed() {
	guard "$husk" run --platform="$platform" -- sh -c 'echo x' >&- 2>"$work/err"
	[ $? -ne 0 ] || wrong "closed stdout: status 0"
	guard "$husk" run --platform="$platform" -- true <&- >&- 2>&-
	[ $? -eq 0 ] || wrong "all closed: status $?"
	guard "$husk" run --platform="$platform" -- sh -c 'exec 3</dev/null; readlink /proc/self/fd/3' <&- >"$work/out" 2>"$work/err"
	[ $? -eq 0 ] || wrong "closed stdin"
}
test_run_full_disk() {
	guard "$husk" run --platform="$platform" -- sh -c 'echo x; sleep 0.1; echo y' >/dev/full 2>"$work/err"
	rc=$? err=$(<"$work/err")
	says 'No space left'
	[ "$rc" -ne 0 ] || wrong "status 0, though the second echo failed"
	guard "$husk" run --platform="$platform" -- echo x >/dev/full 2>"$work/err"
	rc=$? err=$(<"$work/err")
	says 'No space left'
	status 125
}
test_run_broken_pipe() {
	guard "$husk" run --platform="$platform" -- yes 2>"$work/err" | head -n 1 >/dev/null
	[ "${PIPESTATUS[0]}" -eq 141 ] || wrong "yes | head: status ${PIPESTATUS[0]}, expected 141"
}
test_run_large_args() {
	local n
	n=$(printf 'x%.0s' {1..100000})
	run -- sh -c 'echo ${#1}' sh "$n"
	prints 100000
}
test_run_signals() {
	local s pid
	for s in TERM INT HUP QUIT; do
		background signals sh -c 'echo up; exec sleep 30'
		kill -"$s" "$pid"
		ended
		[ "$rc" -eq $((128 + $(kill -l "$s"))) ] || wrong "$s: status $rc"
	done
}
test_run_trap() {
	local pid
	background trap sh -c 'trap "echo caught; exit 5" TERM; sleep 30 & echo up; wait'
	kill -TERM "$pid"
	ended
	status 5
	prints $'up\ncaught'
}
test_run_monitor_killed() {
	local pid
	background killed sh -c 'sleep 60 & echo up; sleep 60'
	kill -KILL "$pid"
	ended
	none_left killed
}
test_run_jail_killed() {
	local pid
	background jail sh -c 'echo up; exec sleep 60'
	kill -KILL $(jailed "$pid")
	ended
	status 70
	says 'crashed'
}
# any other host process of the jail: the kernel notices
test_run_jailed_process_killed() {
	local pid victim
	background process sh -c 'sleep 60 & echo up; wait; echo not reached'
	victim=$(jailed "$(jailed "$pid" | head -n 1)" | tail -n 1)
	[ -n "$victim" ] || { wrong "there is only one jailed process"; kill -KILL "$pid"; return; }
	kill -KILL "$victim"
	ended
	status 70
	prints up
}
test_run_as_user() {
	[ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null || return 0
	(cd / && as_user "$work/bin/husk" run --platform="$platform" -- sh -c 'id -u; echo x >/tmp/husk-as-user; cat /tmp/husk-as-user')
	rc=$? out=$(<"$work/out") err=$(<"$work/err")
	status 0
	prints $'1000\nx'
}
test_run_log() { run --log "$work/log" --log-level debug -- true; status 0; quiet; [ -s "$work/log" ] || wrong "the log is empty"; }
test_run_boot_time() { run --boot-time -- true; status 0; says 'first user code'; }
test_run_script() {
	(cd /usr/lib && "$top/run" -- pwd) >"$work/out" 2>"$work/err"
	rc=$? out=$(<"$work/out")
	status 0
	prints /usr/lib
}
