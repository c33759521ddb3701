# SPDX-License-Identifier: Apache-2.0
# Wrong command lines: one clear line, status 125. Sourced by tests/cli/run.

bad() { # bad TEXT ARGS...
	local text=$1
	shift
	plain run "$@"
	status 125
	says "$text"
	one_line
	prints ""
}
test_option_unknown() { bad 'unknown option "--frobnicate"' --frobnicate -- true; }
test_option_unknown_short() { bad 'unknown option "-Z"' -Z -- true; }
test_option_no_value() { bad 'option "--memory" wants a value' --memory; }
test_option_no_program() { bad 'no program to run' --read-only; }
test_option_no_program_dashes() { bad 'no program to run' --; }
test_option_extra_value() { bad 'takes no value' --read-only=yes -- true; }
test_option_memory_words() { bad 'wants a size like' --memory lots -- true; }
test_option_memory_small() { bad 'is too little' --platform=none --memory 4m -- true; }
test_option_memory_huge() { bad 'cannot be had' --platform=none --memory 900t -- true; }
test_option_timeout() { bad '--timeout wants seconds' --timeout soon -- true; }
test_option_log_level() { bad '--log-level is one of' --log-level loud -- true; }
test_option_log_file() { bad 'cannot write --log' --platform=none --log /nonexistent/log -- true; }
test_option_platform() { bad '--platform is' --platform=xen -- true; }
test_option_jit() { bad '--jit is fast or strict' --jit=maybe -- true; }
test_option_volume_form() { bad '-v wants SRC:DST' -v /tmp -- true; }
test_option_volume_mode() { bad '-v wants SRC:DST' -v /tmp:/x:what -- true; }
test_option_volume_relative() { bad '-v wants SRC:DST' -v /tmp:x -- true; }
test_option_volume_missing() { bad 'cannot share /nonexistent' -v /nonexistent:/x -- true; }
test_option_volume_file() { bad 'is not a directory' -v /etc/passwd:/x -- true; }
test_option_volume_twice() { bad 'two directories are to be shared as /x' --platform=none -v /tmp:/x -v /etc:/x/. -- true; }
test_option_volume_on_file() { bad '/etc/passwd is not a directory in the guest' --platform=none -v /tmp:/etc/passwd -- true; }
test_option_volume_on_file_of_share() { bad '/x/passwd is not a directory in the guest' --platform=none -v /etc:/x -v /tmp:/x/passwd -- true; }
test_option_volume_read_only() { bad '--read-only lets none be made' --platform=none --read-only -v /tmp:/nonexistent -- true; }
test_option_root_missing() { bad '--root /nonexistent' --root /nonexistent -- true; }
test_option_root_file() { bad 'is not a directory' --root /etc/passwd -- true; }
test_option_user_name() { bad 'there is no user "nobody-knows"' -u nobody-knows -- true; }
test_option_group_name() { bad 'there is no group "nobody-knows"' -u 0:nobody-knows -- true; }
test_option_user_form() { bad '-u wants USER' -u : -- true; }
test_option_workdir_relative() { bad '-w wants an absolute path' -w x -- true; }
test_option_workdir_missing() { bad 'there is no directory /nonexistent' -w /nonexistent -- true; }
test_option_env_empty() { bad '-e wants NAME=VALUE' -e =x -- true; }
test_option_env_file_missing() { bad 'cannot read --env-file' --env-file /nonexistent -- true; }
test_option_hostname_long() { bad '--hostname wants' --hostname "$(printf 'x%.0s' {1..80})" -- true; }
test_option_max_tasks() { bad '--max-tasks wants' --max-tasks none -- true; }
test_option_overlay_size() { bad '--overlay-size wants' --overlay-size big -- true; }

test_command_unknown() { plain frobnicate; status 125; says 'there is no command "frobnicate"'; one_line; }
test_command_guess() { plain rnu; status 125; plain runn; says 'did you mean "husk run"?'; }
test_command_option() { plain --frobnicate; status 125; says 'unknown option'; one_line; }
test_command_none() { plain; status 125; says 'Usage: husk COMMAND'; }
test_command_help() { plain --help; status 0; quiet; [[ $out == *"Usage: husk"* ]] || wrong "no usage"; }
test_command_help_run() { plain help run; status 0; quiet; [[ $out == *"--read-only"* ]] || wrong "no options"; }
test_command_help_help() { plain help --help; status 0; quiet; [[ $out == *"Usage: husk COMMAND"* ]] || wrong "no usage"; }
test_command_run_help() { plain run --help; status 0; quiet; [[ $out == *"Usage: husk run"* ]] || wrong "no usage"; }
test_command_each() { # --help and husk(1) name every command; each has its own help and page
	local name
	plain --help
	for name in run trace ps top dump crash module; do
		[[ $out == *"
  $name "* ]] || wrong "husk --help lacks $name"
		grep -q "^\.BR husk\\\\-$name (1)" docs/man/husk.1 || wrong "husk.1 lacks $name"
		[ -s "docs/man/husk-$name.1" ] || wrong "no page of husk $name"
		guard "$husk" "$name" --help >"$work/help" 2>&1 </dev/null || wrong "husk $name --help fails"
		grep -q "^Usage: husk $name " "$work/help" || wrong "husk $name --help: $(head -n 1 "$work/help")"
	done
}
test_command_script() { # ./run knows which of husk run's options take a value, so that it does not take the value for the program
	local name
	for name in $(sed -n 's/.*{"\([a-z-]*\)", required_argument.*/\1/p' tools/cmd_run.c); do
		[ "$name" = platform ] || grep -Eq -- "[	 ]--$name( |\))" run || wrong "./run lacks --$name"
	done
}
test_command_version() { plain version; status 0; quiet; [[ $out =~ ^husk\ [0-9]+\.[0-9]+ ]] || wrong "version is \"$out\""; }
test_command_help_full() {
	guard "$husk" --help >/dev/full 2>"$work/err"
	rc=$? err=$(<"$work/err")
	status 125
	says 'cannot write to standard output'
}
test_command_help_closed() {
	guard "$husk" run --help >&- 2>"$work/err"
	rc=$? err=$(<"$work/err")
	status 125
	says 'cannot write to standard output'
}
test_no_kernel_image() { HUSK_KERNEL=/nonexistent plain run --platform=none -- true; status 125; says 'cannot open the kernel image'; one_line; }
test_bad_kernel_image() { HUSK_KERNEL=/etc/passwd plain run --platform=none -- true; status 125; says 'not a husk kernel image'; one_line; }
test_no_keys() {
	grep -qm1 '^flags.* ospke ' /proc/cpuinfo && return
	plain run -- true
	status 125
	says 'no memory protection keys'
	one_line
}

# The commands that are programs of their own say the same of a wrong option, and where to read more.
test_command_wrong_option() {
	local name
	for name in trace ps top dump crash; do
		plain "$name" --frobnicate
		status 125
		says "husk $name: unknown option \"--frobnicate\"; see \"husk $name --help\""
		one_line
		plain "$name" -j
		status 125
		says "husk $name: unknown option \"-j\"; see"
		one_line
		plain "$name" --help=much
		says "husk $name: option \"--help=much\" takes no value; see"
		one_line
	done
	for name in "top -n" "dump -d" "crash -c" "trace -o"; do
		plain $name
		status 125
		says "option \"${name#* }\" wants a value; see"
		one_line
	done
}
