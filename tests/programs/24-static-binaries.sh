# SPDX-License-Identifier: Apache-2.0
# Static programs: glibc, musl, busybox, Go.
# time: 300
. "$(dirname "$0")/common.sh"
need gcc
cat > p.c <<'E'
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <pthread.h>
#include <signal.h>
#include <errno.h>
#include <spawn.h>
#include <time.h>
#include <sys/wait.h>
#include <sys/mman.h>
static __thread int tls = 3;
static int n;
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t c = PTHREAD_COND_INITIALIZER;
static void *t(void *a) { tls += (long)a; for (int i = 0; i < 1000; i++) { pthread_mutex_lock(&m); n++; pthread_cond_signal(&c); pthread_mutex_unlock(&m); } return (void *)(long)tls; }
static void h(int s) { (void)s; write(1, "handler\n", 8); }
extern char **environ;
int main(int argc, char **argv) {
	if (argc > 1) { printf("again %s\n", argv[1]); return 12; }
	pthread_t th[8]; void *r; long s = 0; setvbuf(stdout, 0, _IOLBF, 0);
	for (long i = 0; i < 8; i++) pthread_create(th + i, 0, t, (void *)i);
	for (int i = 0; i < 8; i++) { pthread_join(th[i], &r); s += (long)r; }
	printf("%ld %d %d\n", s, n, tls);
	signal(SIGUSR1, h); raise(SIGUSR1); pthread_kill(pthread_self(), SIGUSR1);
	pid_t p = fork(); if (!p) { execl("/proc/self/exe", "x", "exec", (char *)0); _exit(1); }
	int st; waitpid(p, &st, 0); printf("%d\n", WEXITSTATUS(st));
	posix_spawn(&p, "/bin/sh", 0, 0, (char *[]){ "sh", "-c", "exit 5", 0 }, environ); waitpid(p, &st, 0); printf("%d\n", WEXITSTATUS(st));
	printf("%d\n", system("exit 6") >> 8); FILE *f = popen("echo popen", "r"); char b[100]; fgets(b, 100, f); printf("%s", b); pclose(f);
	char *x = malloc(10 << 20); memset(x, 1, 10 << 20); x = realloc(x, 40 << 20); printf("%d\n", x[5 << 20]); free(x);
	f = fopen("file", "w"); for (int i = 0; i < 10000; i++) fprintf(f, "%d\n", i); fclose(f); f = fopen("file", "r"); long sum = 0; while (fgets(b, 100, f)) sum += atoi(b); printf("%ld\n", sum);
	struct timespec ts = { 0, 1000000 }; nanosleep(&ts, 0); clock_gettime(CLOCK_MONOTONIC, &ts); printf("%d %s %g\n", ts.tv_sec >= 0, strerror(ENOENT), 3.25); return 33; }
E
gcc -O1 -static -pthread -o glibc p.c && ./glibc; echo $?
gcc -O1 -static-pie -pthread -o pie p.c && ./pie | tail -1; echo $?
if command -v musl-gcc >/dev/null; then musl-gcc -O1 -static -o musl p.c && ./musl; echo $?; else echo 'no musl-gcc'; fi
if command -v busybox >/dev/null; then busybox sh -c 'echo busybox $((1+2)); ls /usr/include/linux | wc -l | grep -c .; seq 5 | busybox sort -r | busybox head -1; exit 8'; echo $?; else echo 'no busybox'; fi
if command -v go >/dev/null; then
	cat > g.go <<'E'
package main
import ("bufio"; "fmt"; "os"; "os/exec"; "os/signal"; "sync"; "syscall"; "time"; "net"; "runtime"; "strings"; "path/filepath")
func main() {
	var wg sync.WaitGroup; var mu sync.Mutex; n := 0
	for i := 0; i < 1000; i++ { wg.Add(1); go func() { defer wg.Done(); mu.Lock(); n++; mu.Unlock(); runtime.Gosched() }() }
	wg.Wait(); fmt.Println(n)
	ch := make(chan int); go func() { for i := 0; i < 10000; i++ { ch <- i }; close(ch) }(); s := 0; for x := range ch { s += x }; fmt.Println(s)
	o, err := exec.Command("sh", "-c", "echo child; exit 3").Output(); fmt.Println(strings.TrimSpace(string(o)), err)
	c := make(chan os.Signal, 1); signal.Notify(c, syscall.SIGUSR1); syscall.Kill(os.Getpid(), syscall.SIGUSR1); fmt.Println(<-c)
	os.WriteFile("gf", []byte("a\nb\n"), 0644); f, _ := os.Open("gf"); sc := bufio.NewScanner(f); for sc.Scan() { fmt.Println(sc.Text()) }
	l, err := net.Listen("unix", "gs"); if err != nil { fmt.Println(err) }; go func() { k, _ := l.Accept(); fmt.Fprintln(k, "unix"); k.Close() }(); k, _ := net.Dial("unix", "gs"); r, _ := bufio.NewReader(k).ReadString('\n'); fmt.Print(r)
	select { case <-time.After(20 * time.Millisecond): fmt.Println("after") }
	m := map[int][]byte{}; for i := 0; i < 2000; i++ { m[i%50] = make([]byte, 100000) }; runtime.GC(); fmt.Println(len(m))
	defer func() { fmt.Println(recover() != nil); cnt := 0; filepath.Walk("/usr/include/linux", func(p string, i os.FileInfo, e error) error { cnt++; return nil }); fmt.Println(cnt > 10); os.Exit(14) }()
	var p *int; fmt.Println(*p)
}
E
	export GOCACHE=$TESTDIR/cache GOFLAGS=-mod=mod GO111MODULE=off CGO_ENABLED=0 GOPATH=$TESTDIR/gp
	go build -o g g.go && ./g; echo $?; rm -f gs; GOMAXPROCS=1 ./g | tail -1
else echo 'no go'; fi
