/** What a watcher fetches, checks, unpacks and keeps; and what it refuses, each with a clear reason. */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create } from 'tar';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../../src/adapters/clock.ts';
import { makeKeyPair, readPrivateKey } from '../../../src/artifact/signing.ts';
import type { Artifact } from '../../../src/model/goal-state.ts';
import type { WatcherPolicy } from '../../../src/model/watcher.ts';
import { ArtifactStore } from '../../../src/watcher/artifacts/store.ts';
import { policy } from '../../support/boxes.ts';
import { eventually } from '../../support/eventually.ts';
import { makeReleases, type ReleaseServer, type Releases, serveReleases } from '../../support/releases.ts';

const COMMAND = ['${artifact}/run'];
let folder: string;
let releases: Releases;
let server: ReleaseServer;
let store: ArtifactStore;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'switchyard-artifacts-'));
  releases = makeReleases(join(folder, 'releases'));
  server = await serveReleases(releases.folder);
  store = await open();
});
afterEach(async () => {
  await store.close();
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

async function open(changes: Partial<WatcherPolicy> = {}): Promise<ArtifactStore> {
  const box = join(folder, 'box');
  await mkdir(box, { recursive: true });
  return ArtifactStore.open({
    folder: box,
    publicKeys: [releases.publicKey],
    policy: policy({ ...changes }),
    clock: systemClock,
    random: () => 0,
    onChange: () => undefined,
  });
}

async function reopen(changes?: Partial<WatcherPolicy>): Promise<void> {
  await store.close();
  store = await open(changes);
}

/** A file that is no archive, as v1. */
function plainFile(content: string | Buffer = randomBytes(200_000)): Artifact {
  writeFileSync(join(releases.folder, 'plain'), content);
  return releases.sign(join(releases.folder, 'plain'), {
    version: 'v1',
    command: ['${artifact}'],
    url: `${server.url}/plain`,
  });
}

async function isHere(artifact: Artifact): Promise<void> {
  store.fetch(artifact);
  await eventually(() => store.standing(artifact)?.kind === 'Here');
}

async function reasonFor(artifact: Artifact): Promise<string> {
  store.fetch(artifact);
  const failed = await eventually(() => {
    const standing = store.standing(artifact);
    return standing?.kind === 'Failed' ? standing : undefined;
  });
  return failed.reason;
}

/** That nothing unverified lies about as if it were good. */
async function keepsNothing(): Promise<void> {
  const names = await readdir(join(folder, 'box', 'artifacts'));
  expect(names.filter((name) => !name.includes('.part'))).toEqual([]);
}

test('an archive is fetched over http, checked, unpacked with its modes, and known again after a restart', async () => {
  const artifact = await releases.archive('v1', { run: '#!/bin/sh\n' }, { version: 'v1', command: COMMAND });
  const overHttp = { ...artifact, url: `${server.url}/v1.tar.gz` };
  await isHere(overHttp);
  const run = join(store.pathOf(overHttp), 'run');
  expect(readFileSync(run, 'utf8')).toBe('#!/bin/sh\n');
  expect(statSync(run).mode & 0o100).toBe(0o100);
  await reopen();
  expect(store.standing(overHttp)).toEqual({ kind: 'Here' });
});

test('a single file is put in its place and may be run', async () => {
  const artifact = { ...plainFile('#!/bin/sh\n'), url: `file://${join(releases.folder, 'plain')}` };
  await isHere(artifact);
  expect(statSync(store.pathOf(artifact)).mode & 0o777).toBe(0o700);
});

test('a download that broke off is gone on with where it stopped, also by the next watcher', async () => {
  const artifact = plainFile();
  server.cutAfter = 70_000;
  expect(await reasonFor(artifact)).toContain('ended after 70000 of the 200000 bytes');
  await reopen();
  await reasonFor(artifact);
  server.cutAfter = undefined;
  await isHere(artifact);
  expect(server.requests.map(({ range }) => range)).toEqual([undefined, 'bytes=70000-', 'bytes=140000-']);
});

test('a download begins anew where the content under the address has changed since', async () => {
  const artifact = plainFile();
  server.cutAfter = 70_000;
  await reasonFor(artifact);
  server.cutAfter = undefined;
  server.tag = '"two"';
  await isHere(artifact);
  expect(server.requests).toHaveLength(2);
});

test('one whose bytes are not those that were signed is refused, and nothing of it is kept', async () => {
  const artifact = plainFile();
  writeFileSync(join(releases.folder, 'plain'), randomBytes(200_000));
  expect(await reasonFor(artifact)).toMatch(/^its sha256 is [0-9a-f]{64}, and [0-9a-f]{64} was signed$/);
  await keepsNothing();
});

test('a truncated one is refused, and one that is longer than signed is not read to its end', async () => {
  const artifact = plainFile();
  writeFileSync(join(releases.folder, 'plain'), randomBytes(1000));
  expect(await reasonFor(artifact)).toContain('ended after 1000 of the 200000 bytes that were signed');
  writeFileSync(join(releases.folder, 'plain'), randomBytes(5_000_000));
  server.tag = '"long"';
  store.retry(() => true);
  expect(await reasonFor(artifact)).toContain('more than the 200000 bytes that were signed');
  await keepsNothing();
});

test('one that another key has signed, or whose command was changed, is not even asked for', async () => {
  const artifact = plainFile();
  const stranger = readPrivateKey(makeKeyPair().privateKey, 'stranger');
  const forged = releases.sign(join(releases.folder, 'plain'), {
    version: 'v1',
    command: COMMAND,
    key: stranger,
  });
  const changed = { ...artifact, command: ['/bin/sh', '-c', 'true'] };
  const renamed = { ...artifact, version: forged.version, service: 'other' as never };
  for (const bad of [
    forged,
    changed,
    renamed,
    { ...artifact, signature: 'bm8=' },
    { ...artifact, size: 7 },
  ]) {
    expect(await reasonFor(bad)).toContain('its signature is by none of the 1 public keys');
  }
  expect(server.requests).toEqual([]);
  await keepsNothing();
});

test('the content of a good artifact does not lend itself to another command', async () => {
  const artifact = plainFile();
  await isHere(artifact);
  expect(store.standing({ ...artifact, command: ['/bin/sh'] })).toMatchObject({ kind: 'Failed' });
});

test('one that does not fit on the disk is not begun', async () => {
  plainFile();
  const huge = releases.sign(join(releases.folder, 'plain'), {
    version: 'v1',
    command: COMMAND,
    size: 2 ** 50,
    url: `${server.url}/plain`,
  });
  expect(await reasonFor(huge)).toMatch(
    /^it needs \d+ bytes of disk, 268435456 of which stay free, and \d+ are free$/,
  );
  expect(server.requests).toEqual([]);
});

test("one that would use more disk than the customer's policy allows is not begun", async () => {
  await reopen({ limits: { niceness: 0, keepFree: 0, artifact: 2 ** 30, disk: 300_000 } });
  expect(await reasonFor(plainFile())).toContain("of the 300000 that the customer's policy allows");
  expect(server.requests).toEqual([]);
});

test('a redirection to a host that the policy does not allow is not followed', async () => {
  await reopen({ allowedHosts: ['127.0.0.1'] });
  const artifact = plainFile();
  server.redirect = 'http://localhost:1/plain';
  expect(await reasonFor(artifact)).toContain(
    "leads to http://localhost:1/plain, which the customer's policy does not allow",
  );
  server.redirect = 'file:///etc/passwd';
  store.retry(() => true);
  expect(await reasonFor(artifact)).toContain('which the customer');
});

test('an address that nobody answers, or that is not there, is told as it is', async () => {
  const artifact = plainFile();
  await server.close();
  expect(await reasonFor(artifact)).toContain('cannot be reached');
  const missing = { ...artifact, url: `file://${folder}/nothing` };
  store.retry(() => true);
  expect(await reasonFor(missing)).toContain('no such file');
});

/** An archive of what lies in the folder of this name, made without any care. */
async function careless(names: readonly string[], prepare: (content: string) => void): Promise<Artifact> {
  const content = join(folder, 'careless');
  await mkdir(join(content, 'sub'), { recursive: true });
  prepare(content);
  const file = join(releases.folder, 'careless.tar.gz');
  await create({ file, gzip: true, cwd: join(content, 'sub'), preservePaths: true }, [...names]);
  return releases.sign(file, { version: 'v1', command: COMMAND });
}

test.each([
  [
    'that climbs out of its folder',
    ['../evil'],
    (at: string) => writeFileSync(join(at, 'evil'), 'x'),
    'outside its folder: "../evil"',
  ],
  [
    'with a link that leads out',
    ['link'],
    (at: string) => symlinkSync('../../..', join(at, 'sub', 'link')),
    'a link that leads outside',
  ],
  [
    'with an absolute link',
    ['link'],
    (at: string) => symlinkSync('/etc', join(at, 'sub', 'link')),
    'a link that leads outside',
  ],
] as const)('an archive %s is refused whole', async (_, names, prepare, reason) => {
  expect(await reasonFor(await careless(names, prepare))).toContain(reason);
  await keepsNothing();
  expect(existsSync(join(folder, 'box', 'artifacts', 'evil'))).toBe(false);
});

test('an archive that holds a device or a pipe, or that is none, is refused whole', async () => {
  execFileSync('mkfifo', [join(folder, 'pipe')]);
  const file = join(releases.folder, 'pipe.tar.gz');
  execFileSync('tar', ['-czf', file, '-C', folder, 'pipe']);
  const artifact = releases.sign(file, { version: 'v1', command: COMMAND });
  expect(await reasonFor(artifact)).toContain(
    'holds "pipe", a FIFO, which is neither a file, a folder nor a link',
  );
  expect(await reasonFor(plainFile(Buffer.from([0x1f, 0x8b, 1, 2, 3])))).toContain(
    'no tar.gz that can be unpacked',
  );
  await keepsNothing();
});

test('an archive that unpacks to far more than it is does not fill the disk', async () => {
  const artifact = await releases.archive(
    'bomb',
    { zeros: '\0'.repeat(70 * 1024 * 1024) },
    { version: 'v1', command: COMMAND },
  );
  expect(await reasonFor(artifact)).toMatch(/more than \d+ bytes|no tar.gz that can be unpacked/);
  await keepsNothing();
});

test('what is not used any more is removed, and what is kept stays', async () => {
  const one = await releases.archive('v1', { run: 'one' }, { version: 'v1', command: COMMAND });
  const two = await releases.archive('v2', { run: 'two' }, { version: 'v2', command: COMMAND });
  await isHere(one);
  await isHere(two);
  await store.prune(new Set([two.sha256]));
  expect(store.standing(one)).toBeUndefined();
  expect(store.standing(two)).toEqual({ kind: 'Here' });
  await reopen();
  expect(store.standing(one)).toBeUndefined();
  expect(existsSync(join(store.pathOf(two), 'run'))).toBe(true);
});
