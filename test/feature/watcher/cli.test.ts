/** `switchyard artifact` and `switchyard watcher`, from a key pair to a delegate that runs, as their users run them. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { parseManifest } from '../../../src/artifact/manifest.ts';
import type { WatcherStatus } from '../../../src/model/watcher.ts';
import { runHere } from '../../support/admin/here.ts';
import { eventually } from '../../support/eventually.ts';
import { endProcess, MAIN, startWatcherProcess, writeBoxFile } from '../../support/run-watcher.ts';
import { createWatcherWorld, type WatcherWorld } from '../../support/watcher-world.ts';

// Processes are started, and a busy machine takes its time.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });

let world: WatcherWorld;
let config: string;
let watchers: ChildProcess[];

beforeEach(async () => {
  world = await createWatcherWorld();
  watchers = [];
  config = writeBoxFile(world);
});
afterEach(async () => {
  for (const watcher of watchers) await endProcess(watcher, 'SIGTERM');
  await world.dispose();
});

function startWatcher(...flags: string[]): ChildProcess {
  const watcher = startWatcherProcess(config, flags);
  watchers.push(watcher);
  return watcher;
}

async function status(): Promise<WatcherStatus> {
  const { stdout } = await runHere(['-o', 'json', 'watcher', 'status', '--config', config]);
  return JSON.parse(stdout) as WatcherStatus;
}

/** An archive that stands for a release of the watcher, signed for it. */
function watcherRelease(name: string, script: string): string {
  const file = join(world.folder, `${name}.tar.gz`);
  const content = join(world.folder, name);
  execFileSync('mkdir', ['-p', content]);
  writeFileSync(join(content, 'switchyard'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  execFileSync('tar', ['-czf', file, '-C', content, 'switchyard']);
  return file;
}

async function signed(file: string, version: string): Promise<string> {
  const key = world.releases.privateKeyFile;
  const command = ['--', '${artifact}/switchyard'];
  const { code, stderr } = await runHere([
    'artifact',
    'sign',
    file,
    'switchyard-watcher',
    version,
    '--key',
    key,
    ...command,
  ]);
  expect(stderr).toBe('');
  expect(code).toBe(0);
  return `${file}.manifest.json`;
}

const GOOD = `exec ${process.execPath} ${MAIN} "$@"`;

test('keygen writes a private key for its user alone, and never over another', async () => {
  const file = join(world.folder, 'key');
  expect((await runHere(['artifact', 'keygen', file])).code).toBe(0);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const before = readFileSync(file, 'utf8');
  const again = await runHere(['artifact', 'keygen', file]);
  expect(again).toMatchObject({ code: 1 });
  expect(again.stderr).toContain('it exists, and keys are never written over');
  expect(readFileSync(file, 'utf8')).toBe(before);
});

test('sign and publish make what a watcher runs, and a changed artifact is not published', async () => {
  const file = join(world.folder, 'delegate.tar.gz');
  execFileSync('tar', ['-czf', file, '-C', resolve('test/support/programs'), 'delegate.ts']);
  const key = world.releases.privateKeyFile;
  const command = [
    process.execPath,
    '${artifact}/delegate.ts',
    '--port',
    '${port}',
    '--version',
    '${version}',
  ];
  const sign = await runHere(['artifact', 'sign', file, 'manager', 'v7', '--key', key, '--', ...command]);
  expect(sign).toMatchObject({ code: 0, stderr: '' });
  const served = join(world.folder, 'served');
  const published = await runHere(['artifact', 'publish', file, '--to', served]);
  expect(published.code).toBe(0);
  expect(published.stderr).toMatch(/boxes fetch it after: switchyard delegates publish .*\.manifest\.json$/m);
  world.start();
  world.want([parseManifest(published.stdout)]);
  await world.reported({ v7: 'Ready' });
  writeFileSync(file, 'something else');
  const refused = await runHere(['artifact', 'publish', file, '--to', served]);
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain('is not what its manifest was signed for: sign it again');
});

test('sign says what is wrong with its input', async () => {
  const key = world.releases.privateKeyFile;
  const sign = (...rest: string[]): ReturnType<typeof runHere> => runHere(['artifact', 'sign', ...rest]);
  expect(await sign(join(world.folder, 'none'), 'manager', 'v1', '--key', key, '--', 'x')).toMatchObject({
    code: 2,
  });
  expect((await sign(config, 'Manager', 'v1', '--key', key, '--', 'x')).stderr).toContain(
    'service name "Manager" must be',
  );
  expect((await sign(config, 'manager', 'v1', '--key', key)).stderr).toContain(
    'say after -- what starts the delegate',
  );
  expect((await sign(config, 'manager', 'v1', '--key', config, '--', 'x')).stderr).toMatch(
    /may be read by others|must hold/,
  );
});

test('a policy with a fault is told with its place', async () => {
  const file = join(world.folder, 'policy.yaml');
  writeFileSync(file, 'apiVersion: switchyard.dev/v1alpha1\nkind: WatcherPolicy\nspec:\n  maxVersion: 2\n');
  const checked = await runHere(['watcher', 'check-policy', file]);
  expect(checked.code).toBe(2);
  expect(checked.stdout).toContain('policy.yaml:4:3');
  expect(checked.stdout).toContain('did you mean "maxVersions"?');
  expect((await runHere(['watcher', 'check-policy', config])).code).toBe(0);
});

test('the watcher as a process: status while it runs and when it does not, and its death hurts no delegate', {
  timeout: 120_000,
}, async () => {
  const watcher = startWatcher();
  world.want([await world.release('v1')]);
  await world.reported({ v1: 'Ready' });
  const table = await runHere(['watcher', 'status', '--config', config]);
  expect(table.code).toBe(0);
  expect(table.stdout).toMatch(/Controller: +connected by stream/);
  expect(table.stdout).toMatch(/v1 +Ready/);
  const before = world.alive();
  await endProcess(watcher, 'SIGKILL');
  await eventually(async () => (await runHere(['watcher', 'status', '--config', config])).code === 1);
  expect((await runHere(['watcher', 'status', '--config', config])).stderr).toContain(
    'the watcher does not run',
  );
  startWatcher();
  await eventually(
    async () =>
      (await status()).link.kind === 'Connected' &&
      (await runHere(['watcher', 'status', '--config', config])).code === 0,
    { within: 60_000 },
  );
  expect(world.alive()).toEqual(before);
});

test('an agent whose launcher dies while it is being loaded, or before it has proved itself, ends by itself', {
  timeout: 60_000,
}, async () => {
  for (const isLoaded of [false, true]) {
    const flags = ['watcher', 'run', '--agent', '--config', config];
    const agent = spawn(process.execPath, [MAIN, ...flags], { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
    watchers.push(agent);
    let said = '';
    agent.stderr?.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    const ended = once(agent, 'exit');
    if (isLoaded)
      await eventually(() => said.includes('watching') || agent.exitCode !== null, { within: 20_000 });
    agent.disconnect();
    expect({ end: await ended, said }).toMatchObject({ end: [0, null] });
  }
});

/** Resolves when the release is about to be tried. It is refused while the one before is still on trial. */
function upgradeTo(manifest: string): Promise<unknown> {
  const command = ['watcher', 'upgrade', manifest, '--config', config];
  return eventually(async () => (await runHere(command)).code === 0, { within: 60_000, every: 500 });
}

test('a release of the watcher that proves itself takes over, and the delegates do not notice', {
  timeout: 240_000,
}, async () => {
  startWatcher();
  world.want([await world.release('v1')]);
  await world.reported({ v1: 'Ready' });
  const before = world.alive();
  expect((await status()).slot).toBe('installed');
  for (const [version, slot] of [
    ['1.1.0', 'a'],
    ['1.2.0', 'b'],
    ['1.3.0', 'a'],
  ] as const) {
    const manifest = await signed(watcherRelease(`good-${version}`, `# ${version}\n${GOOD}`), version);
    await upgradeTo(manifest);
    await eventually(async () => (await status()).slot === slot, { within: 60_000 });
  }
  expect(world.alive()).toEqual(before);
  expect(await world.diary()).toEqual(['v1']);
});

test('a release that cannot start, or that never proves itself, gives way to the one before and is not tried again', {
  timeout: 240_000,
}, async () => {
  startWatcher('--prove-within', '12s');
  world.want([await world.release('v1')]);
  await world.reported({ v1: 'Ready' });
  const before = world.alive();
  const good = await signed(watcherRelease('good', GOOD), '1.1.0');
  await upgradeTo(good);
  await eventually(async () => (await status()).slot === 'a', { within: 60_000 });
  const crashing = await signed(watcherRelease('crashing', 'exit 9'), '1.2.0');
  const hanging = await signed(watcherRelease('hanging', 'exec sleep 600'), '1.3.0');
  for (const [manifest, reason] of [
    [crashing, '1.2.0: it ended with code 9'],
    [hanging, '1.3.0: it did not prove itself within 12 s'],
  ] as const) {
    await upgradeTo(manifest);
    await eventually(async () => (await status()).badReleases.includes(reason), { within: 60_000 });
    expect((await status()).slot).toBe('a');
    const again = await runHere(['watcher', 'upgrade', manifest, '--config', config]);
    expect(again.code).toBe(1);
    expect(again.stderr).toContain('was tried before and is not tried again');
  }
  expect(world.alive()).toEqual(before);
  expect(await world.diary()).toEqual(['v1']);
});

test('a release that cannot reach the controller has not proved itself, unless the one before cannot either; it may be tried again', {
  timeout: 240_000,
}, async () => {
  startWatcher('--prove-within', '15s');
  world.want([await world.release('v1')]);
  await world.reported({ v1: 'Ready' });
  // A proxy where nobody listens: it knows its stored goal state, and hears of no other.
  const deaf = watcherRelease(
    'deaf',
    `export grpc_proxy=http://127.0.0.1:1\nunset no_proxy NO_PROXY\n${GOOD}`,
  );
  const manifest = await signed(deaf, '1.2.0');
  const upgrade = (...flags: string[]) =>
    runHere(['watcher', 'upgrade', manifest, '--config', config, ...flags]);
  await upgrade();
  const reason = '1.2.0: it did not prove itself within 15 s';
  await eventually(async () => (await status()).badReleases.includes(reason), { within: 60_000 });
  expect((await status()).slot).toBe('installed');
  expect((await upgrade()).stderr).toContain('is not tried again without --again');
  await world.stopServer();
  await eventually(async () => (await status()).link.kind === 'Connecting', { within: 60_000 });
  expect(await upgrade('--again')).toMatchObject({ code: 0, stderr: '' });
  await eventually(async () => (await status()).slot === 'a', { within: 60_000 });
  expect(await world.diary()).toEqual(['v1']);
});

test('a release that is not signed for the watcher is refused', { timeout: 120_000 }, async () => {
  startWatcher();
  await eventually(async () => (await status()).link.kind === 'Connected', { within: 60_000 });
  const file = watcherRelease('stranger', GOOD);
  const manifest = await signed(file, '2.0.0');
  const artifact = parseManifest(readFileSync(manifest, 'utf8'));
  writeFileSync(
    manifest,
    JSON.stringify({ format: 'switchyard-artifact-v1', ...artifact, version: '2.0.1' }),
  );
  const forged = await runHere(['watcher', 'upgrade', manifest, '--config', config]);
  expect(forged.stderr).toContain('its signature is by none of the 1 public keys');
  const delegate = await world.release('v1');
  writeFileSync(manifest, JSON.stringify({ format: 'switchyard-artifact-v1', ...delegate }));
  const other = await runHere(['watcher', 'upgrade', manifest, '--config', config]);
  expect(other.stderr).toContain('a release of the watcher is signed for switchyard-watcher');
  expect((await status()).slot).toBe('installed');
});
