# SPDX-License-Identifier: Apache-2.0
# Ruby, Lua, PHP, Java: files, child processes, threads, signals, local sockets; each only if installed.
. "$(dirname "$0")/common.sh"
have() { command -v "$1" >/dev/null || { echo "no $1"; return 1; }; }
have ruby && ruby -e '
p $$ > 0; File.write("r", "x" * 1000); p File.size("r"), (1..10).map { |i| Thread.new { i * i } }.map(&:value).sum
pid = fork { exit 3 }; Process.wait pid; p $?.exitstatus, `echo hi`; r, w = IO.pipe; w.puts "x"; p r.gets, Dir.glob("/etc/pass*d").sort
require "socket"; s = UNIXServer.new("s"); c = UNIXSocket.new("s"); a = s.accept; c.write "q"; p a.read(1)
trap("USR1") { puts "usr1" }; Process.kill("USR1", $$); sleep 0.01; p Process.clock_gettime(Process::CLOCK_MONOTONIC) > 0'
for lua in lua lua5.4; do command -v $lua >/dev/null && break; done
have $lua && $lua -e '
local f = io.open("l", "w") f:write("x") f:close() print(os.rename("l", "m"), os.remove("m"), os.remove("m"))
print(io.popen("exit 3"):close()) print(os.execute("kill -9 $$")) print(#os.tmpname() > 5)'
have php && php -n -r '
file_put_contents("p", "abc", LOCK_EX); echo file_get_contents("p"), "\n", shell_exec("echo hi");
$p = proc_open(["cat"], [["pipe", "r"], ["pipe", "w"]], $q); fwrite($q[0], "zz"); fclose($q[0]); echo stream_get_contents($q[1]), proc_close($p), "\n";
$s = stream_socket_server("unix://ps"); $c = stream_socket_client("unix://ps"); $a = stream_socket_accept($s); fwrite($c, "q\n"); echo fgets($a);
echo count(scandir(".")) > 2 ? "dir\n" : "", touch("p", 86400), filemtime("p"), "\n"; pcntl_async_signals(true);' 2>/dev/null
have javac && cat > H.java <<'J' && javac H.java && java -Xmx64m H
import java.nio.file.*; import java.util.*; import java.util.concurrent.*;
public class H { public static void main(String[] a) throws Exception {
	ExecutorService e = Executors.newFixedThreadPool(8); List<Future<Long>> l = new ArrayList<>();
	for (int i = 0; i < 32; i++) { final int k = i; l.add(e.submit(() -> { long s = 0; for (long j = 0; j < 200000; j++) s += j * k; return s; })); }
	long t = 0; for (var f : l) t += f.get(); System.out.println(t); e.shutdown();
	Path p = Files.createTempFile(Path.of("."), "x", "y"); Files.writeString(p, "hello"); System.out.println(Files.readString(p)); Files.delete(p);
	Process c = new ProcessBuilder("sh", "-c", "echo from a child; exit 5").redirectErrorStream(true).start();
	System.out.println(new String(c.getInputStream().readAllBytes()) + c.waitFor()); System.gc(); System.out.println("end"); } }
J
exit 0
