/** What is kept on disk of an instance: written, read back, refused when it is wrong; and its log. */
import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Journal } from '../../../../src/adapters/processes/journal.ts';
import { Logs } from '../../../../src/adapters/processes/logs.ts';
import { environmentOf, fillCommand } from '../../../../src/adapters/processes/main-process.ts';
import { describeFailure } from '../../../../src/adapters/processes/reasons.ts';
import type { InstanceRecord } from '../../../../src/adapters/processes/record.ts';
import { instant } from '../../../../src/model/instant.ts';
import { serviceName, versionName } from '../../../../src/model/names.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'switchyard-record-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const RECORD: InstanceRecord = {
  id: 'manager-v1-1-0123abcd',
  service: serviceName('manager'),
  version: versionName('v1'),
  slot: 1,
  port: 9001,
  spec: {
    kind: 'processes',
    command: ['serve'],
    environment: { MODE: 'test', PATH: '/opt/bin' },
    instances: 1,
    ports: { from: 9000, to: 9009 },
    readiness: { kind: 'grpc', service: 'a.B', interval: 1000, timeout: 1000, failureThreshold: 3 },
    stopGrace: 1000,
    restartBackoff: { initial: 100, max: 1000 },
  },
  restarts: 2,
  failures: 1,
  process: { kind: 'Running', identity: { pid: 7, startTime: 8, bootId: 'boot' }, startedAt: instant(9) },
  wasReady: true,
  stopSince: instant(10),
};

test('a record is read as it was written, and is gone when it is removed', async () => {
  const journal = await Journal.open(folder);
  await journal.write(RECORD);
  expect(await (await Journal.open(folder)).load()).toEqual([RECORD]);
  await journal.remove(RECORD.id);
  expect(await journal.load()).toEqual([]);
});

test('of writes at the same time the last one counts', async () => {
  const journal = await Journal.open(folder);
  await Promise.all([1, 2, 3, 4, 5].map((restarts) => journal.write({ ...RECORD, restarts })));
  expect((await journal.load())[0]?.restarts).toBe(5);
});

test('what a writer that died has left half-written is cleared and counts for nothing', async () => {
  const journal = await Journal.open(folder);
  await journal.write(RECORD);
  await writeFile(join(folder, `.${RECORD.id}.json.unfinished`), '{"format":');
  expect(await (await Journal.open(folder)).load()).toEqual([RECORD]);
  expect(await readdir(folder)).toEqual([`${RECORD.id}.json`]);
});

test.each([
  ['is no JSON', '{"format": 1', /JSON/],
  ['has another format', JSON.stringify({ ...RECORD, format: 2 }), /format must be 1, not 2/],
  [
    'lacks the port',
    JSON.stringify({ ...RECORD, format: 1, port: undefined }),
    /port must be a whole number, not undefined/,
  ],
  ['has a bad name', JSON.stringify({ ...RECORD, format: 1, service: 'A B' }), /service name "A B" must be/],
  ['lacks the process', JSON.stringify({ ...RECORD, format: 1, process: {} }), /process.kind must be/],
])(
  'a record that %s is refused by file name, since it may stand for a running process',
  async (_, text, message) => {
    const journal = await Journal.open(folder);
    await writeFile(join(folder, 'manager-v1-1-0123abcd.json'), text);
    await expect(journal.load()).rejects.toThrow(message);
    await expect(journal.load()).rejects.toThrow(
      /manager-v1-1-0123abcd\.json cannot be understood.*SWITCHYARD_INSTANCE/,
    );
  },
);

test('version, port and instance are filled into each part of a command, and nothing else is', () => {
  const values = { version: 'v1', port: 9001, instance: 'i' };
  expect(
    fillCommand(['a-${version}', '--port=${port}', '${instance}${instance}', '$version ${other}'], values),
  ).toEqual(['a-v1', '--port=9001', 'ii', '$version ${other}']);
});

test('a process gets the spec and little of our environment, and the id of its instance always', () => {
  const ours = { PATH: '/bin', HOME: '/root', SECRET: 'x', SWITCHYARD_INSTANCE: 'outer' };
  expect(environmentOf(RECORD, ours)).toEqual({
    PATH: '/opt/bin',
    HOME: '/root',
    MODE: 'test',
    SWITCHYARD_INSTANCE: RECORD.id,
  });
});

test('the last line of a log is that of this start, without colours, and cut when it is long', async () => {
  const logs = new Logs(folder, { size: 1000, ofGoneInstances: 1 });
  expect(await logs.lastLine('a', 0)).toBe('');
  await writeFile(logs.path('a'), 'old start\n');
  const start = await logs.size('a');
  expect(await logs.lastLine('a', start)).toBe('');
  await writeFile(logs.path('a'), 'old start\nfirst\n\u001b[31mfatal:\u001b[0m\tno\u0007 database\r\n\n');
  expect(await logs.lastLine('a', start)).toBe('fatal: no  database');
  await writeFile(logs.path('a'), 'é'.repeat(10_000));
  expect(await logs.lastLine('a', 0)).toMatch(/^.{200}…$/u);
});

test('a log that is too large is emptied and kept once', async () => {
  const logs = new Logs(folder, { size: 10, ofGoneInstances: 1 });
  await writeFile(logs.path('a'), '0123456789');
  await logs.trim('a');
  expect(await logs.size('a')).toBe(10);
  await writeFile(logs.path('a'), '0123456789+');
  await logs.trim('a');
  expect(await logs.size('a')).toBe(0);
  expect(await readFile(`${logs.path('a')}.1`, 'utf8')).toBe('0123456789+');
});

test('logs of instances that are gone are removed but for the newest', async () => {
  const logs = new Logs(folder, { size: 10, ofGoneInstances: 2 });
  for (const [index, id] of ['a', 'b', 'c', 'living', 'd'].entries()) {
    await writeFile(logs.path(id), id);
    await writeFile(`${logs.path(id)}.1`, id);
    await utimes(logs.path(id), 1000 + index, 1000 + index);
  }
  await logs.prune(new Set(['living']));
  expect((await readdir(folder)).toSorted()).toEqual([
    'c.log',
    'c.log.1',
    'd.log',
    'd.log.1',
    'living.log',
    'living.log.1',
  ]);
});

test('a failure is one sentence with its cause, its count, the next start and the last line', () => {
  const failed = { because: 'exited with code 3', failures: 2, delay: 1600, lastLine: 'fatal: no database' };
  expect(describeFailure(failed)).toBe(
    'exited with code 3, 2 times in a row; starts again in 1.6 s; last line of its log: fatal: no database',
  );
  expect(describeFailure({ ...failed, failures: 1, delay: 60, lastLine: '' })).toBe(
    'exited with code 3; starts again in 60 ms',
  );
});
