# SPDX-License-Identifier: Apache-2.0
# node: JIT, fs (sync, callbacks, promises, watch), worker_threads, child_process, streams, timers, crypto, zlib, unix sockets.
# time: 240
. "$(dirname "$0")/common.sh"
need node
node -e 'console.log("hello", 6 * 7)'; node -e 'process.exit(9)'; echo $?; node -e 'throw new Error("x")' 2>/dev/null; echo $?; echo 'console.log("stdin")' | node; node -e 'process.kill(process.pid, "SIGTERM"); setTimeout(() => {}, 5000)'; echo $?
cat > a.js <<'E'
const fs = require('fs'), os = require('os'), path = require('path'), cp = require('child_process'), crypto = require('crypto'), zlib = require('zlib'), net = require('net');
function fib(n) { return n < 2 ? n : fib(n - 1) + fib(n - 2) } console.log(fib(27));
let s = 0; for (let i = 0; i < 5e6; i++) s = (s * 31 + i) | 0; console.log(s);
const m = new Map(); for (let i = 0; i < 1e5; i++) m.set('k' + i, { v: i }); let t = 0; for (const v of m.values()) t += v.v; console.log(t);
fs.mkdirSync('d/e', { recursive: true }); for (let i = 0; i < 200; i++) fs.writeFileSync(`d/e/f${i}`, 'x'.repeat(i)); console.log(fs.readdirSync('d/e').length, fs.statSync('d/e/f150').size);
console.log(cp.execSync('echo from sh').toString().trim(), cp.spawnSync('sh', ['-c', 'exit 4']).status, os.EOL === '\n', os.cpus().length > 0);
console.log(crypto.createHash('sha256').update('x').digest('hex').slice(0, 16), zlib.gunzipSync(zlib.gzipSync('zip')).toString());
(async () => {
  const p = fs.promises; await Promise.all([...Array(100).keys()].map(i => p.writeFile(`d/p${i}`, String(i)))); let n = 0; for (const f of await p.readdir('d')) if (f[0] == 'p') n += Number(await p.readFile('d/' + f)); console.log(n);
  await new Promise(r => { const c = cp.spawn('sort', ['-r']); let o = ''; c.stdout.on('data', d => o += d); c.on('close', code => { console.log(o.split('\n').join(','), code); r() }); c.stdin.end('a\nc\nb\n') });
  await new Promise(r => { const srv = net.createServer(c => c.on('data', d => c.end(d.toString().toUpperCase()))).listen('./sock', () => { const c = net.connect('./sock'); c.write('unix'); c.on('data', d => console.log(String(d))); c.on('close', () => srv.close(r)) }) });
  await new Promise(r => { fs.createReadStream('/usr/include/stdio.h').pipe(zlib.createGzip()).pipe(zlib.createGunzip()).pipe(fs.createWriteStream('copy')).on('finish', () => { console.log(fs.readFileSync('copy').equals(fs.readFileSync('/usr/include/stdio.h'))); r() }) });
  await new Promise(r => { const w = fs.watch('d', (ev, f) => { console.log('watch', ev, f); w.close(); r() }); setTimeout(() => fs.writeFileSync('d/watched', ''), 50) });
  await new Promise(r => { process.once('SIGUSR2', () => { console.log('usr2'); r() }); process.kill(process.pid, 'SIGUSR2'); });
  const o = []; await Promise.all([30, 10, 20].map(x => new Promise(r => setTimeout(() => { o.push(x); r() }, x * 3)))); console.log(o); setImmediate(() => console.log('immediate')); process.nextTick(() => console.log('tick'));
  await new Promise(r => { const c = cp.fork('./c.js'); c.on('message', x => { console.log(x); c.disconnect() }); c.send({ n: 20 }); c.on('exit', x => { console.log('exit', x); r() }) });
})();
E
echo 'process.on("message", m => process.send({ twice: m.n * 2 }))' > c.js
node a.js; echo $?
cat > w.js <<'E'
const { Worker, isMainThread, parentPort, workerData } = require('worker_threads');
if (isMainThread) { const sab = new SharedArrayBuffer(8), v = new Int32Array(sab); let done = 0, sum = 0;
  for (let i = 0; i < 4; i++) { const w = new Worker(__filename, { workerData: { i, sab } }); w.on('message', x => sum += x); w.on('exit', () => { if (++done == 4) console.log(sum, Atomics.load(v, 0)) }) }
} else { const v = new Int32Array(workerData.sab); for (let i = 0; i < 1000; i++) Atomics.add(v, 0, 1); let s = 0; for (let i = 0; i < 1e6; i++) s += i % 7; parentPort.postMessage(s + workerData.i) }
E
node w.js; echo $?
