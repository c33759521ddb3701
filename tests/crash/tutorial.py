#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Runs the commands of docs/tutorial-crash.md and compares what they print with what the page says. usage: tutorial.py WORK PLATFORM
import os, re, subprocess, sys

top = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
work, platform = sys.argv[1] + "/tutorial", sys.argv[2]
os.mkdir(work)


def blocks():
    page = open(top + "/docs/tutorial-crash.md").read()
    found = re.findall(r"^```(sh|text)\n(.*?)^```$", page, re.M | re.S)
    out = []
    for kind, body in found:
        if kind == "sh":
            out.append([body, None])
        else:
            out[-1][1] = body
    return out


def plain(line):
    """Numbers and runs of spaces are all alike."""
    line = re.sub(r"\b0x[0-9a-f]+\b|\b[0-9a-f]*[0-9][0-9a-f]*\b", "0", line)
    line = re.sub(r"-0(-0)*|0\.0", "0", line)
    return re.sub(r"\s+", " ", line).strip()


def matches(want, got):
    parts = [re.escape(p.strip()) for p in plain(want).split("...")]
    return re.fullmatch(r"\s*.*\s*".join(parts), plain(got)) is not None


def compare(want, got):
    """None, or the line of the page that was not printed in its place."""
    lines, at, free = got.splitlines(), 0, False
    for w in want.splitlines():
        if w.strip() == "...":
            free = True
            continue
        while at < len(lines) and not matches(w, lines[at]) and free:
            at += 1
        if at >= len(lines) or not matches(w, lines[at]):
            return "%r; there is %r" % (w, lines[at] if at < len(lines) else "no more")
        at, free = at + 1, False
    return None if free or at == len(lines) else "nothing; there is %r" % lines[at]


def main():
    passed = failed = 0
    # one shell for all, as a reader has; "husk run" gets the platform under test, and is what $! names
    os.mkdir(work + "/bin")
    with open(work + "/bin/husk", "w") as f:
        f.write('#!/bin/sh\n[ "$1" = run ] || exec %s/build/husk "$@"\nshift\nexec %s/build/husk run --platform=%s "$@"\n' % (top, top, platform))
    os.chmod(work + "/bin/husk", 0o755)
    script = "PATH=%s/bin:$PATH; cd %s; ln -s %s/build %s/scripts .\n" % (work, work, top, top)
    for i, (body, want) in enumerate(blocks()):
        script += "{ %s\n} >%s/out%d 2>&1 </dev/null\necho $? >%s/rc%d\n" % (body, work, i, work, i)
    subprocess.run(["bash", "-c", script], timeout=240, stdin=subprocess.DEVNULL)
    for i, (body, want) in enumerate(blocks()):
        got = open("%s/out%d" % (work, i), errors="replace").read() if os.path.exists("%s/out%d" % (work, i)) else ""
        wrong = compare(want, got) if want is not None else None
        if want is None and open("%s/rc%d" % (work, i)).read().strip() != "0":
            wrong = "status 0"
        label = "tutorial, block %d" % (i + 1)
        if wrong:
            failed += 1
            print("FAIL %s: the page has %s\n--- printed:\n%s---" % (label, wrong, got[:3000]))
        else:
            passed += 1
            print("ok %s" % label)
    print("%d passed, %d failed" % (passed, failed))
    return failed != 0


sys.exit(main())
