/**
 * A small service for tests of the processes runtime. Its flags say how it behaves:
 *   --port N            listens there on 127.0.0.1
 *   --instance ID       named in answers and in the diary
 *   --diary FILE        a line `ID PID` is appended when it starts
 *   --unready-file F    while F exists GET /healthz answers 503
 *   --crash-file F      while F exists it ends with code 3 right after it has started
 *   --ignore-term       SIGTERM does nothing
 *   --child             starts a child process that sleeps, in the same session
 *   --health SERVICE    speaks gRPC health for SERVICE instead of HTTP
 */
import { spawn } from 'node:child_process';
import { appendFileSync, existsSync } from 'node:fs';
import { createServer } from 'node:http';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    port: { type: 'string' },
    instance: { type: 'string' },
    diary: { type: 'string' },
    'unready-file': { type: 'string' },
    'crash-file': { type: 'string' },
    'ignore-term': { type: 'boolean' },
    child: { type: 'boolean' },
    health: { type: 'string' },
  },
});

if (values.diary !== undefined) appendFileSync(values.diary, `${values.instance} ${process.pid}\n`);
if (values['crash-file'] !== undefined && existsSync(values['crash-file'])) {
  console.log('opening the database');
  console.error('fatal: the database is locked');
  process.exit(3);
}
if (values['ignore-term'] === true) process.on('SIGTERM', () => undefined);
if (values.child === true) spawn('sleep', ['600'], { stdio: 'ignore' });

const port = Number(values.port);
if (values.health === undefined) serveHttp();
else await serveGrpc(values.health);

function serveHttp(): void {
  const server = createServer((request, response) => {
    const unready = values['unready-file'];
    const status = request.url === '/healthz' && unready !== undefined && existsSync(unready) ? 503 : 200;
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ instance: values.instance, pid: process.pid }));
  });
  server.listen(port, '127.0.0.1');
}

async function serveGrpc(service: string): Promise<void> {
  const { Server, ServerCredentials } = await import('@grpc/grpc-js');
  const { HealthImplementation } = await import('grpc-health-check');
  const server = new Server();
  new HealthImplementation({ [service]: 'SERVING', asleep: 'NOT_SERVING' }).addToServer(server);
  server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error) => {
    if (error !== null) throw error;
  });
}
