/** The endpoints adapter follows a real file through all the ways in which people and tools change one. */
import { mkdir, mkdtemp, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { systemClock } from '../../../../src/adapters/clock.ts';
import { EndpointsRuntime } from '../../../../src/adapters/endpoints/runtime.ts';
import { type FileContent, watchFile } from '../../../../src/adapters/endpoints/watched-file.ts';
import { instant } from '../../../../src/model/instant.ts';
import { serviceName, versionName } from '../../../../src/model/names.ts';
import type { Clock } from '../../../../src/ports/clock.ts';
import { parseLines } from '../../../support/endpoints-lines.ts';

const MANAGER = serviceName('manager');
const INTERVAL = 20;
let folder: string;
let file: string;
let runtime: EndpointsRuntime;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'switchyard-watched-'));
  file = join(folder, 'endpoints.txt');
  runtime = open();
});
afterEach(async () => {
  await runtime.close();
  await rm(folder, { recursive: true, force: true });
});

function open(): EndpointsRuntime {
  return new EndpointsRuntime({
    clock: systemClock,
    parseFile: parseLines,
    stateFolder: join(folder, 'state'),
    interval: INTERVAL,
  });
}

async function wish(path: string | undefined = file): Promise<void> {
  const versions = [versionName('v1'), versionName('v2')];
  const spec = { kind: 'endpoints' as const, versions: [], ...(path === '' ? {} : { file: path }) };
  await runtime.want({ service: MANAGER, spec, versions });
  await runtime.settled(MANAGER);
}

const ports = (): number[] => runtime.instances(MANAGER).map(({ address }) => address.port);
const expectPorts = (...wanted: number[]): Promise<void> =>
  vi.waitFor(() => expect(ports()).toEqual(wanted), { timeout: 10_000, interval: 5 });
const expectProblem = (pattern: RegExp): Promise<void> =>
  vi.waitFor(() => expect(runtime.problems(MANAGER).join('\n')).toMatch(pattern), {
    timeout: 10_000,
    interval: 5,
  });

test('a file that is written in place is followed', async () => {
  await writeFile(file, 'v1 127.0.0.1:1001\n');
  await wish();
  expect(ports()).toEqual([1001]);
  await writeFile(file, 'v1 127.0.0.1:1001 127.0.0.1:1002\n');
  await expectPorts(1001, 1002);
});

test('a file that is renamed over the old one is followed', async () => {
  await writeFile(file, 'v1 127.0.0.1:1001\n');
  await wish();
  for (const port of [1002, 1003, 1004]) {
    await writeFile(join(folder, 'new'), `v1 127.0.0.1:${port}\n`);
    await rename(join(folder, 'new'), file);
    await expectPorts(port);
  }
});

test('a change that keeps the size and sets the time back is followed', async () => {
  await writeFile(file, 'v1 127.0.0.1:1001\n');
  await utimes(file, 1000, 1000);
  await wish();
  await writeFile(file, 'v1 127.0.0.1:1002\n');
  await utimes(file, 1000, 1000);
  await expectPorts(1002);
});

test('a folder behind a symbolic link that is switched, as Kubernetes does with a ConfigMap, is followed', async () => {
  for (const [name, port] of [
    ['first', 1001],
    ['second', 1002],
  ] as const) {
    await mkdir(join(folder, name));
    await writeFile(join(folder, name, 'endpoints.txt'), `v1 127.0.0.1:${port}\n`);
  }
  await symlink('first', join(folder, '..data'));
  await symlink('..data/endpoints.txt', file);
  await wish();
  expect(ports()).toEqual([1001]);
  await symlink('second', join(folder, '..next'));
  await rename(join(folder, '..next'), join(folder, '..data'));
  await expectPorts(1002);
});

test('a file that is missing at first is named as a problem and read when it comes, with its folder', async () => {
  const late = join(folder, 'later', 'endpoints.txt');
  await wish(late);
  expect(ports()).toEqual([]);
  expect(runtime.problems(MANAGER)[0]).toMatch(
    /later\/endpoints\.txt: there is no such file \(no addresses are known\)/,
  );
  await mkdir(join(folder, 'later'));
  await writeFile(late, 'v1 127.0.0.1:1001\n');
  await expectPorts(1001);
  await vi.waitFor(() => expect(runtime.problems(MANAGER).join()).not.toContain('no such file'));
});

test('a broken file keeps the last good addresses, and says so in the problems and on each instance', async () => {
  await writeFile(file, 'v1 127.0.0.1:1001\n');
  await wish();
  await writeFile(file, 'v1 127.0.0.1:1002\n! this address is wrong\n');
  await expectProblem(
    /endpoints\.txt: line 2: versions: this address is wrong \(the addresses last read stay in use\)/,
  );
  expect(ports()).toEqual([1001]);
  const [instance] = runtime.instances(MANAGER);
  expect(instance?.state).toBe('Ready');
  expect(instance?.reason).toMatch(/when it was last good; now: .*this address is wrong/);
  await writeFile(file, 'v1 127.0.0.1:1003\n');
  await expectPorts(1003);
  expect(runtime.instances(MANAGER)[0]?.reason).toMatch(/^listed in .*endpoints\.txt$/);
});

test.each([
  ['is removed', () => rm(file)],
  ['becomes a folder', () => rm(file).then(() => mkdir(file))],
  ['grows beyond a mebibyte', () => writeFile(file, 'x'.repeat(1024 * 1024 + 1))],
])('a file that %s keeps the last good addresses', async (_, spoil) => {
  await writeFile(file, 'v1 127.0.0.1:1001\n');
  await wish();
  await spoil();
  await expectProblem(/no such file|not a regular file|larger than/);
  expect(ports()).toEqual([1001]);
});

test('a good file that lists no address for a version is honoured', async () => {
  await writeFile(file, 'v1 127.0.0.1:1001\nv2 127.0.0.1:2001\n');
  await wish();
  await writeFile(file, 'v1\nv2 127.0.0.1:2001\n');
  await expectPorts(2001);
  expect(runtime.offered(MANAGER)).toEqual(['v1', 'v2']);
  await writeFile(file, 'v1\nv2\n');
  await expectPorts();
  expect(runtime.problems(MANAGER)).toEqual([]);
});

test('warnings of a good file are shown, and its addresses are used', async () => {
  await writeFile(file, 'v1 127.0.0.1:1001\n? looks odd\n');
  await wish();
  expect(ports()).toEqual([1001]);
  expect(runtime.problems(MANAGER)[0]).toMatch(/line 2: versions: looks odd$/);
  expect(runtime.instances(MANAGER)[0]?.reason).not.toMatch(/odd/);
});

test('after a restart a file that is broken or away still has the addresses that were last good', async () => {
  await writeFile(file, 'v1 127.0.0.1:1001\n');
  await wish();
  await runtime.close();
  await writeFile(file, '! broken\n');
  runtime = open();
  await wish();
  expect(ports()).toEqual([1001]);
  await runtime.close();
  await rm(file);
  runtime = open();
  await wish();
  expect(ports()).toEqual([1001]);
});

test('a spec that names another file keeps the old addresses until the new file is good', async () => {
  await writeFile(file, 'v1 127.0.0.1:1001\n');
  await wish();
  const other = join(folder, 'other.txt');
  await wish(other);
  expect(ports()).toEqual([1001]);
  await writeFile(other, 'v1 127.0.0.1:1002\n');
  await expectPorts(1002);
});

test('a spec that names no file any more drops the addresses of the file', async () => {
  await writeFile(file, 'v1 127.0.0.1:1001\n');
  await wish();
  await wish('');
  expect(ports()).toEqual([]);
  await runtime.close();
  runtime = open();
  await writeFile(file, '! broken\n');
  await wish();
  expect(ports()).toEqual([]);
});

test('a file that is being written is not read before it stands still', async () => {
  const read: FileContent[] = [];
  const stop = new AbortController();
  const clock = steppedClock();
  const watching = watchFile({
    path: file,
    clock,
    interval: INTERVAL,
    signal: stop.signal,
    onContent: async (content) => {
      read.push(content);
    },
  });
  for (const text of [
    '',
    'v1 127.0.0.1:1001',
    'v1 127.0.0.1:1001 127.0.0.1:1002',
    'v1 127.0.0.1:1001 127.0.0.1:1002\n',
  ]) {
    await clock.untilAsleep();
    await writeFile(file, text);
    clock.wake();
  }
  await clock.untilAsleep();
  expect(read).toEqual([{ kind: 'Missing' }]);
  clock.wake();
  await clock.untilAsleep();
  expect(read.slice(1)).toEqual([{ kind: 'Text', text: 'v1 127.0.0.1:1001 127.0.0.1:1002\n' }]);
  stop.abort();
  clock.wake();
  await watching;
});

/** A clock whose sleepers wait until the test wakes them. */
function steppedClock(): Clock & { wake(): void; untilAsleep(): Promise<void> } {
  let sleeper: PromiseWithResolvers<void> | undefined;
  return {
    now: () => instant(Date.now()),
    sleep: () => {
      sleeper = Promise.withResolvers<void>();
      return sleeper.promise;
    },
    wake: () => {
      const { resolve } = sleeper ?? {};
      sleeper = undefined;
      resolve?.();
    },
    untilAsleep: () => vi.waitFor(() => expect(sleeper).toBeDefined(), { timeout: 10_000, interval: 1 }),
  };
}
