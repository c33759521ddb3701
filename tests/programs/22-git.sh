# SPDX-License-Identifier: Apache-2.0
# git: init, add, commit, log, diff, branch, merge, rebase, clone from a path, fetch, push, gc, fsck, worktree, archive; fixed dates.
# time: 240
. "$(dirname "$0")/common.sh"
need git
export GIT_AUTHOR_NAME=A GIT_AUTHOR_EMAIL=a@x GIT_COMMITTER_NAME=C GIT_COMMITTER_EMAIL=c@x GIT_AUTHOR_DATE='2020-01-01T00:00:00Z' GIT_COMMITTER_DATE='2020-01-01T00:00:00Z' GIT_PAGER=cat GIT_CONFIG_GLOBAL=/dev/null GIT_EDITOR=true
git init -q -b main r; cd r; git config gc.auto 0
for i in $(seq 100); do mkdir -p d$((i % 7)); seq $i $((i + 50)) > d$((i % 7))/f$i; done
git add .; git commit -q -m first; git rev-parse HEAD
for i in $(seq 15); do echo "change $i" >> d1/f1; [ $i = 8 ] && git mv d2/f2 d2/renamed; git commit -qam "change $i"; done; git log --oneline | sha256sum; git log --stat -3 | cat; git rev-parse HEAD
echo dirty >> d3/f3; : > new; git status --short; git diff | tail -3; git stash -q -u; git status --short; git stash pop -q; git checkout -q -- .; rm new
git checkout -q -b side HEAD~5; echo side > sidefile; git add sidefile; git commit -qm side; git checkout -q main; git merge -q --no-edit side; git rev-parse HEAD; git log --graph --oneline -4
git checkout -q -b conflict HEAD~1; echo one > c; git add c; git commit -qm one; git checkout -q main; echo two > c; git add c; git commit -qm two; git merge conflict 2>&1 | tail -1; cat c; git merge --abort; git status --short
git checkout -q side; git rebase -q main; git log --oneline -3; git checkout -q main; git tag -a v1 -m tag; git describe; git blame -s d1/f1 | tail -2
cd ..; git clone -q r c 2>&1; git -C c rev-parse HEAD; diff -r --exclude=.git r c && echo same; git clone -q --bare --no-hardlinks r b.git; git clone -q --depth 2 "file://$PWD/r" s; git -C s log --oneline | wc -l
cd c; echo x > pushed; git add pushed; git commit -qm pushed; git push -q ../b.git main; git -C ../b.git log --oneline -1; cd ../r; git pull -q ../b.git main 2>&1; ls pushed
git gc -q --prune=now; git fsck 2>&1 | grep -v '^dangling'; git count-objects -v | sed -n 's/^packs: //p;s/^count: //p'; git repack -adq; git archive HEAD | sha256sum; git grep -c change d1/f1; git ls-files | wc -l
git worktree add -q ../w side; ls ../w | wc -l; git bisect start -q HEAD HEAD~10 >/dev/null 2>&1; git bisect run sh -c '! grep -q "change 12" d1/f1' 2>/dev/null | grep -c 'first bad'; git bisect reset -q 2>/dev/null
git clean -fdxq; git reset -q --hard HEAD~3; git reflog | wc -l; git rev-list --all --objects | sort | sha256sum; git commit -qm nothing; echo $?; git nosuch 2>/dev/null; echo $?
