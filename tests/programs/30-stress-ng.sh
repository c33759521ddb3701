# SPDX-License-Identifier: Apache-2.0
# stress-ng: kinds of work that race with one another, some of each, results verified.
. "$(dirname "$0")/common.sh"
need stress-ng
stress() { # KIND:OPERATIONS...
	local a=() k
	for k; do a+=(--"${k%:*}" 1 --"${k%:*}"-ops "${k#*:}"); done
	stress-ng -q --verify --temp-path "$PWD" "${a[@]}" > log 2>&1
	k=$?
	echo "$k: $*"
	[ $k -eq 0 ] || head -5 log
}
stress fork:50 vfork:50 signal:2000 pipe:2000 futex:1000 dentry:100 rename:100 sigq:500
stress exec:5 sockpair:50 epoll:200 timer:200 fifo:500 flock:500 lockf:200 switch:500 eventfd:500
stress sigsegv:500 sigfpe:500 sigabrt:20 sigpending:500 sigsuspend:200 sigtrap:500 kill:500 session:20 wait:10
stress brk:500 mincore:5 mprotect:200 msync:20 ptrace:100 poll:100 splice:100 tee:100 timerfd:100 touch:50 zombie:20
