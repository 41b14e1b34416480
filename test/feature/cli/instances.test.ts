/** Instances that Switchyard runs: SIGTERM of the controller leaves them, the next controller has them, `down` stops them. */
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Finished, type Running, runCli, startCli } from '../../support/admin/cli.ts';
import { PATIENCE } from '../../support/admin/controller.ts';

let dataDir: string;
let server: string;
let running: Running | undefined;
let isDown: boolean;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'switchyard-instances-'));
  server = join(dataDir, 'admin.sock');
  isDown = false;
});
afterEach(async () => {
  // Instances outlive a controller, so after a failure a controller has to stop them.
  if (!isDown) {
    if ((await cli(['get', 'services'])).code !== 0) await startController();
    await cli(['down', '--yes']);
  }
  running?.stop('SIGKILL');
  await running?.finished.catch(() => undefined);
  await rm(dataDir, { recursive: true, force: true });
});

function cli(args: string[], input?: string): Promise<Finished> {
  return runCli([...args, '--server', server], input === undefined ? {} : { input });
}

async function startController(): Promise<Running> {
  const free = ['--xds-address', '127.0.0.1:0', '--http-address', '127.0.0.1:0'];
  running = startCli(['controller', '--data-dir', dataDir, '--allow-commands', ...free]);
  await expect.poll(running.output, PATIENCE).toMatch(/^Try: /m);
  return running;
}

/** A service of two instances, each a small server that does nothing but listen, or that also hears no SIGTERM. */
async function document(kind: 'Obedient' | 'Deaf' = 'Obedient'): Promise<string> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address() as { port: number };
  await new Promise((resolve) => probe.close(resolve));
  const from = Math.min(port, 65_000);
  const deaf = kind === 'Deaf' ? "process.on('SIGTERM', () => {}); " : '';
  const script = `${deaf}require('node:net').createServer().listen(Number(process.argv[1]), '127.0.0.1')`;
  return `apiVersion: switchyard.dev/v1alpha1
kind: VersionedService
metadata: {name: worker}
spec:
  version: v1
  listeners: [{name: gateway, address: 127.0.0.1, port: 10000, domains: ["*"]}]
  pin: {allow: {nowhere: true}}
  runtime:
    processes:
      command: [${JSON.stringify(process.execPath)}, "-e", ${JSON.stringify(script)}, "\${port}"]
      instances: 2
      ports: {from: ${from}, to: ${from + 100}}
      readiness: {tcp: {}, interval: 100ms}
      stopGrace: ${kind === 'Deaf' ? '15s' : '30s'}
`;
}

interface Seen {
  readonly id: string;
  readonly state: string;
  readonly restarts: number;
}

async function instances(): Promise<readonly Seen[]> {
  const { stdout } = await cli(['get', 'versions', 'worker', '-o', 'json']);
  const { versions } = JSON.parse(stdout) as { versions: { instances: Seen[] }[] };
  return versions
    .flatMap((version) => version.instances)
    .map(({ id, state, restarts }) => ({ id, state, restarts }));
}

test('instances go on while the controller is away, are the same for the next one, and are gone after down', async () => {
  const first = await startController();
  expect(await cli(['apply', '-f', '-'], await document())).toMatchObject({ code: 0 });
  const status = await cli(['status', 'worker', '--timeout', '60s']);
  expect(status).toMatchObject({ code: 0, stdout: expect.stringMatching(/Healthy/) });
  const before = await instances();
  expect(before).toHaveLength(2);

  first.stop('SIGTERM');
  expect((await first.finished).code).toBe(0);
  const second = await startController();
  expect(await instances()).toEqual(before);

  const down = await cli(['down', '--yes', '--reason', 'moving house']);
  expect(down).toMatchObject({ code: 0, stdout: 'stopped 2 instances and the controller\n' });
  isDown = true;
  const { code, stderr } = await second.finished;
  expect(code).toBe(0);
  expect(stderr).toMatch(/stopping; all instances are stopped/);
}, 120_000);

test('down that runs out of time names who still runs, the controller shows Stopping, and down again goes on', async () => {
  const controller = await startController();
  expect(await cli(['apply', '-f', '-'], await document('Deaf'))).toMatchObject({ code: 0 });
  expect(await cli(['status', 'worker', '--timeout', '60s'])).toMatchObject({ code: 0 });
  const ids = (await instances()).map(({ id }) => id);

  const late = await cli(['down', '--yes', '--timeout', '100ms']);
  expect(late).toMatchObject({ code: 3, stdout: '' });
  expect(late.stderr).toMatch(/^error: still stopping: .*; nothing is started any more, run down again/);
  for (const id of ids) expect(late.stderr).toContain(id);
  expect((await cli(['version'])).stdout).toMatch(/, Stopping \(`down` has begun/);
  const http = /^ {2}http +(\S+)$/m.exec(controller.output())?.[1];
  expect((await fetch(`http://${http}/readyz`)).status).toBe(503);

  expect(await cli(['down', '--yes'])).toMatchObject({ code: 0 });
  isDown = true;
  expect((await controller.finished).code).toBe(0);
}, 120_000);
