/**
 * A delegate as watchers know it, for tests. Its flags say how it behaves:
 *   --port N         answers GET /healthz and POST /drain there, on 127.0.0.1
 *   --diary FILE     a line `VERSION PID` is appended when it starts
 *   --control DIR    a folder of files that change it while it runs, each named VERSION.WHAT:
 *                      tasks     holds the number of its open tasks; absent: 0
 *                      unready   it is not ready
 *                      crash     it ends with code 3 as soon as it starts
 *                      hang      it accepts connections and answers nothing
 *                      refused   its version is not active
 *   --version NAME
 *   --deaf           it knows no /drain
 * Once it drains (by POST /drain or SIGTERM) it ends with code 0 when it has no open tasks.
 */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    port: { type: 'string' },
    diary: { type: 'string' },
    control: { type: 'string' },
    version: { type: 'string' },
    deaf: { type: 'boolean' },
  },
});
const version = values.version ?? '';
const file = (what: string): string => join(values.control ?? '/nonexistent', `${version}.${what}`);
const is = (what: string): boolean => existsSync(file(what));
const openTasks = (): number => (is('tasks') ? Number(readFileSync(file('tasks'), 'utf8')) : 0);
let isDraining = false;

if (values.diary !== undefined) appendFileSync(values.diary, `${version} ${process.pid}\n`);
if (is('crash')) {
  console.error('fatal: this release cannot start');
  process.exit(3);
}
process.on('SIGTERM', drain);

createServer((request, response) => {
  if (is('hang')) return;
  const answer = (status: number, body: object): void => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };
  if (request.method === 'POST' && request.url === '/drain' && values.deaf !== true) {
    drain();
    answer(202, {});
  } else if (request.url === '/healthz') {
    const ready = !is('unready') && !is('refused');
    answer(ready ? 200 : 503, {
      ready,
      connected: ready,
      openTasks: openTasks(),
      versionNotActive: is('refused'),
    });
  } else answer(404, {});
}).listen(Number(values.port), '127.0.0.1');

function drain(): void {
  if (isDraining) return;
  isDraining = true;
  setInterval(() => openTasks() === 0 && process.exit(0), 20);
}
