/** `switchyard controller` as a process: what it prints, what it refuses, how it stops, and what outlives it. */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Finished, type Running, runCli, startCli } from '../../support/admin/cli.ts';
import { managerDocument, PATIENCE } from '../../support/admin/controller.ts';

let dataDir: string;
const started: Running[] = [];
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'switchyard-data-'));
});
afterEach(async () => {
  for (const running of started.splice(0)) {
    running.stop('SIGKILL');
    await running.finished.catch(() => undefined);
  }
  await rm(dataDir, { recursive: true, force: true });
});

function controller(...args: string[]): Running {
  const free = ['--xds-address', '127.0.0.1:0', '--http-address', '127.0.0.1:0'];
  const running = startCli(['controller', '--data-dir', dataDir, ...free, ...args]);
  started.push(running);
  return running;
}

/** Starts a controller and waits until it is ready. */
async function ready(...args: string[]): Promise<Running> {
  const running = controller(...args);
  await expect.poll(running.output, PATIENCE).toMatch(/^Try: /m);
  return running;
}

function cli(args: string[], input?: string): Promise<Finished> {
  const server = join(dataDir, 'admin.sock');
  return runCli([...args, '--server', server], input === undefined ? {} : { input });
}

/** The address of one of its places, as it printed it. */
function place(running: Running, name: string): string {
  return new RegExp(`^  ${name} +(\\S+)$`, 'm').exec(running.output())?.[1] ?? '';
}

describe('the controller', () => {
  test('says what listens where and what to try next; it answers on each of these', async () => {
    const running = await ready();
    expect(running.output()).toMatch(/^Switchyard \d+\.\d+\.\d+ is ready, publication 0\n/);
    expect(running.output()).toMatch(/^Try: switchyard --server unix:\S+ apply -f FILE$/m);
    expect(place(running, 'xds')).toMatch(/^127\.0\.0\.1:\d+$/);
    const readiness = await fetch(`http://${place(running, 'http')}/readyz`);
    expect(readiness.status).toBe(503);
    expect((await cli(['version'])).stdout).toMatch(/AwaitingApply/);
    await cli(['apply', '-f', '-'], managerDocument('v1'));
    expect((await fetch(`http://${place(running, 'http')}/readyz`)).status).toBe(200);
    const metrics = await (await fetch(`http://${place(running, 'http')}/metrics`)).text();
    expect(metrics).toMatch(/^switchyard_operations_total\{operation="apply",result="ok"\} 1$/m);
  });

  test('logs each change with who made it', async () => {
    const running = await ready();
    await cli(['apply', '-f', '-', '--actor', 'anna'], managerDocument('v1'));
    running.stop('SIGTERM');
    const lines = (await running.finished).stderr.split('\n').filter((line) => line.startsWith('{'));
    expect(lines.map((line) => JSON.parse(line))).toContainEqual(
      expect.objectContaining({ level: 'info', service: 'manager', actor: 'anna', action: 'Apply' }),
    );
  });

  test('stops on SIGTERM with exit code 0, tells watchers, and leaves no socket', async () => {
    const running = await ready();
    const watch = startCli(['get', 'services', '-w', '-o', 'json', '--server', join(dataDir, 'admin.sock')]);
    started.push(watch);
    await expect.poll(watch.output, PATIENCE).not.toBe('');
    running.stop('SIGTERM');
    expect((await running.finished).code).toBe(0);
    expect(await readdir(dataDir)).not.toContain('admin.sock');
    watch.stop('SIGINT');
    expect((await watch.finished).stderr).toMatch(/^lost the connection to .*; trying again$/m);
  });

  test('that was killed is followed by one that knows everything, over the socket that was left', async () => {
    const killed = await ready();
    await cli(['apply', '-f', '-'], managerDocument('v1'));
    await cli(['flip', 'manager', 'v2', '--wait', '0']);
    killed.stop('SIGKILL');
    await expect(killed.finished).rejects.toThrow(/SIGKILL/);
    await ready();
    expect((await cli(['get', 'services'])).stdout).toMatch(/^manager +v1 +v2 +- +v1 /m);
  });

  test('warns of every address that others than this machine can reach', async () => {
    const everywhere = ['--xds-address', '--http-address', '--admin-address'].flatMap((flag) => [
      flag,
      '0.0.0.0:0',
    ]);
    const running = startCli(['controller', '--data-dir', dataDir, ...everywhere]);
    started.push(running);
    await expect.poll(running.output, PATIENCE).toMatch(/^Try: /m);
    running.stop('SIGTERM');
    const { stderr } = await running.finished;
    expect(stderr).toMatch(/"msg":"xDS has no login and no TLS/);
    expect(stderr).toMatch(/"msg":"metrics and health have no login/);
    expect(stderr).toMatch(/"msg":"the admin API has no login/);
    expect(stderr.match(/no login/g)).toHaveLength(3);
    const quiet = await ready();
    quiet.stop('SIGTERM');
    expect((await quiet.finished).stderr).not.toMatch(/no login/);
  });

  test('ends by itself after down', async () => {
    const running = await ready();
    expect((await cli(['down', '--yes'])).stdout).toBe('stopped 0 instances and the controller\n');
    expect((await running.finished).code).toBe(0);
  });
});

describe('a controller that cannot begin exits with 1 and names the way out', () => {
  test.each([
    ['xds', '--xds-address'],
    ['http', '--http-address'],
  ])('where its %s port is taken', async (_, flag) => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const { port } = taken.address() as { port: number };
    const { code, stderr } = await controller(flag, `127.0.0.1:${port}`).finished;
    taken.close();
    expect(code).toBe(1);
    expect(stderr).toBe(`error: 127.0.0.1:${port} is taken; give another with ${flag}\n`);
  });

  test('where the data folder cannot be made', async () => {
    const { code, stderr } = await runCli(['controller', '--data-dir', '/proc/nobody/may/make/this']);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^error: the data folder \/proc\S+ cannot be made \(ENOENT.*--data-dir$/m);
  });

  test('where another controller has the data folder', async () => {
    await ready();
    const { code, stderr } = await controller().finished;
    expect(code).toBe(1);
    expect(stderr).toMatch(/^error: .*state\.db is in use by process \d+/);
  });
});

test('a backup taken while serving is restored when the controller is stopped, and what was there is kept', async () => {
  const running = await ready();
  await cli(['apply', '-f', '-'], managerDocument('v1'));
  const copy = join(dataDir, 'copy.db');
  expect((await cli(['backup', copy])).stdout).toBe(`backed up to ${copy}\n`);
  expect((await cli(['backup', copy])).code).toBe(1);
  await cli(['delete', 'service', 'manager', '--yes']);
  const inUse = await cli(['restore', copy, '--data-dir', dataDir, '--yes']);
  expect(inUse).toMatchObject({ code: 1, stderr: expect.stringMatching(/in use/) });
  running.stop('SIGTERM');
  await running.finished;
  const restored = await cli(['restore', copy, '--data-dir', dataDir, '--yes']);
  expect(restored).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^restored .*; what was there is .* now\n$/),
  });
  await ready();
  expect((await cli(['get', 'services', '-o', 'name'])).stdout).toBe('service/manager\n');
}, 60_000);
