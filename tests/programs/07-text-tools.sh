# SPDX-License-Identifier: Apache-2.0
# sed, awk, grep -r, perl, xargs, bc, jq over generated text.
. "$(dirname "$0")/common.sh"
need perl awk
make_tree t 40
grep -r 'file 7 ' t | LC_ALL=C sort; grep -rl below t | wc -l; grep -rc x t | wc -l; grep -rnE '([0-9])\1\1' t | LC_ALL=C sort | head -5
grep -q nothing-like-this -r t; echo $?; grep x nofile 2>/dev/null; echo $?
seq 1000 | sed -n '/5$/{s/^/</;s/$/>/;p}' | tail -2; echo 'a b c' | sed 's/\(.\) \(.\)/\2 \1/'; seq 5 | sed '2d;4{i\
inserted
}'
printf 'x\n' > e; sed -i 's/x/y/' e; cat e; sed -i.bak 's/y/z/' e; cat e e.bak
awk 'BEGIN { for (i = 0; i < 100000; i++) a[i % 100] += i; for (k in a) s += a[k]; print s }'
awk -F: '{ n[NF]++ } END { for (k in n) print k }' /etc/passwd | sort
seq 10 | awk '{ print | "sort -rn" } END { close("sort -rn"); "echo sub" | getline x; print x; print system("exit 3") }'
perl -e 'print join(",", map { $_ * $_ } grep { $_ % 2 } 1..9), "\n"'
perl -ne '$w{$_}++ for split; END { print "$_ $w{$_}\n" for sort keys %w }' t/dir1/f*.txt | head -4
perl -e 'my $p = fork; if (!$p) { exit 7 } waitpid $p, 0; print $? >> 8, "\n"; $SIG{USR1} = sub { print "usr1\n" }; kill USR1 => $$; open my $f, "-|", "echo from pipe" or die; print <$f>; print -s "t/empty", "\n"; my @s = stat "t/script"; printf "%o\n", $s[2] & 0777; opendir my $d, "t"; print scalar(grep { !/^\./ } readdir $d), "\n"; local $| = 1; alarm 1; eval { local $SIG{ALRM} = sub { die "alarm\n" }; select undef, undef, undef, 5 }; print $@'
perl -MPOSIX -e 'print POSIX::strftime("%F", gmtime 86400), "\n"; pipe my $r, my $w; print {$w} "x\n"; close $w; print <$r>; print POSIX::floor(3.7), "\n"; sysopen(my $h, "new", O_RDWR|O_CREAT|O_EXCL) or die; flock $h, 2; print "locked\n"'
perl -MFile::Find -e 'my $n = 0; find(sub { $n++ }, "t"); print "$n\n"'
perl -MIO::Socket::UNIX -e 'my $l = IO::Socket::UNIX->new(Local => "s", Listen => 1) or die $!; if (!fork) { my $c = IO::Socket::UNIX->new(Peer => "s"); print $c "over unix\n"; exit } my $a = $l->accept; print scalar <$a>; wait'
find t -name '*.txt' -print0 | LC_ALL=C sort -z | xargs -0 -n 50 wc -l | tail -1; seq 50 | xargs -P 4 -I{} sh -c 'echo {}' | sort -n | tr '\n' ' '; echo
command -v bc >/dev/null && echo '2^100; scale=20; 4*a(1)' | bc -l
command -v jq >/dev/null && echo '{"a":[1,2,{"b":3}]}' | jq -c '.a[2].b, (.a | length), [.a[0:2][] * 2]'
cut -d: -f1 /etc/passwd | head -1; tr a-z A-Z <<< upper; column -t -s: <<< 'a:b' 2>/dev/null || true
