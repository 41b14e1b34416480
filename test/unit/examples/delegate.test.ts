// The parts of the example delegate that need no network.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Journal, type Lease } from '../../../examples/delegate/journal.ts';
import { readOptions } from '../../../examples/delegate/options.ts';
import { KeptOutput } from '../../../examples/delegate/tasks/output.ts';
import { runShell } from '../../../examples/delegate/tasks/shell.ts';
import { identify } from '../../../src/adapters/processes/identity.ts';
import type { Json } from '../../../src/model/json.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'switchyard-delegate-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('the command line', () => {
  const good = ['--version=v1', '--tenant=acme', '--box=box-1', '--gateway=127.0.0.1:10000', '--data=d'];
  const without = (name: string) => good.filter((each) => !each.startsWith(`--${name}=`));

  test('as the watcher gives it is taken', () => {
    const args = [...good, '--port=9101', '--tag=gpu', '--tag=large', '--capacity=8'];
    expect(readOptions(args)).toMatchObject({
      box: 'box-1',
      port: 9101,
      tags: ['gpu', 'large'],
      capacity: 8,
    });
  });

  test.each([
    [without('version'), /--version is needed/],
    [[...without('version'), '--version=V 1'], /--version must be lower-case .* not "V 1"/],
    [[...without('gateway'), '--gateway=somewhere'], /--gateway must be host:port, not "somewhere"/],
    [[...without('box'), '--box=a/b'], /--box must be .* not "a\/b"/],
    [[...good, '--capacity=0'], /--capacity must be a whole number from 1 to 1000, not "0"/],
    [[...good, '--tag=two words'], /--tag must be .* not "two words"/],
  ])('%j is refused in words', (args, message) => {
    expect(() => readOptions(args)).toThrow(message);
  });
});

describe('the output of a command', () => {
  test('is kept at its end, whole characters only, without the last line breaks', () => {
    const output = new KeptOutput(() => {});
    for (let count = 0; count < 10_000; count += 1) output.add(Buffer.from('0123456789é\n'));
    expect(output.total).toBe(130_000);
    expect(Buffer.byteLength(output.text)).toBeLessThanOrEqual(48 * 1024);
    expect(output.text.endsWith('0123456789é')).toBe(true);
    expect(output.text).not.toContain('\uFFFD');
  });

  test('tells progress by lines of their own, also when they come in pieces', () => {
    const told: [number, string][] = [];
    const output = new KeptOutput((percent, note) => void told.push([percent, note]));
    for (const piece of ['no\n::prog', 'ress 40 un', 'packing\n::progress 250\n ::progress 5\n'])
      output.add(Buffer.from(piece));
    expect(told).toEqual([
      [40, 'unpacking'],
      [100, ''],
    ]);
  });
});

describe('a command', () => {
  const run = (payload: Json, more: { timeout?: number } = {}) =>
    runShell({
      payload,
      timeout: more.timeout ?? 10_000,
      signal: new AbortController().signal,
      folder,
      family: `test/${folder}`,
      onOutput: () => {},
      onProgress: () => {},
    });

  test('gets values by its environment, where they are no part of the command', async () => {
    const env = { NAME: '$(touch injected); `id` "quoted"' };
    const outcome = await run({ command: 'printf %s "$NAME"; ls -a | wc -l', env });
    expect(outcome).toMatchObject({
      kind: 'Succeeded',
      result: { stdout: expect.stringContaining(env.NAME) },
    });
    expect(outcome).toMatchObject({ result: { stdout: expect.stringMatching(/2$/) } });
  });

  test('sees little of the environment of the delegate', async () => {
    process.env['SECRET_OF_THE_DELEGATE'] = 'secret';
    const outcome = await run({ command: 'env' });
    delete process.env['SECRET_OF_THE_DELEGATE'];
    expect(JSON.stringify(outcome)).not.toContain('SECRET_OF_THE_DELEGATE');
  });

  test('that prints JSON has it as a value', async () => {
    expect(await run({ command: 'echo \'{"image": "app:1"}\'' })).toMatchObject({
      result: { exitCode: 0, json: { image: 'app:1' } },
    });
  });

  test('is over when it has ended, whatever it has left in the background', async () => {
    const began = performance.now();
    expect(await run({ command: 'sleep 300 & echo started' })).toMatchObject({
      result: { stdout: 'started' },
    });
    expect(performance.now() - began).toBeLessThan(8_000);
  });

  test('that does not want to end is ended when its time is over, with what it has started', async () => {
    const outcome = await run(
      { command: 'trap "" TERM; sleep 300 & echo $! > pid; sleep 300' },
      { timeout: 300 },
    );
    expect(outcome).toMatchObject({ kind: 'Failed', error: 'the command had not ended after 300 ms' });
    expect(identify(Number(await readFile(join(folder, 'pid'), 'utf8')))).toBeUndefined();
  });

  test.each([
    [{ command: 'true', workingDirectory: '../elsewhere' }, /must be below the folder of the task/],
    [{ command: 'exit 7' }, /^the command exited with 7$/],
    [{ command: 'echo one; echo "two words" >&2; exit 1' }, /^the command exited with 1: two words$/],
  ])('%j fails in words', async (payload, error) => {
    expect(await run(payload)).toMatchObject({
      kind: 'Failed',
      retryable: false,
      error: expect.stringMatching(error),
    });
  });

  test.each([[null], [{ command: 7 }], [{ command: 'true', env: { A: 1 } }]])(
    '%j is no payload',
    async (payload) => {
      await expect(run(payload as Json)).rejects.toThrow(TypeError);
    },
  );
});

describe('the journal', () => {
  const lease: Lease = { task: 't-1', token: 12_345_678_901_234n };

  test('gives back what was written, and nothing of what was forgotten', async () => {
    const journal = await Journal.open(folder);
    const outcome = { kind: 'Succeeded', result: { stdout: 'x' } } as const;
    await journal.write({ state: 'Running', lease, family: 'f' });
    await journal.write({ state: 'Done', lease, outcome });
    await journal.write({ state: 'Running', lease: { ...lease, task: 't-2' }, family: 'g' });
    const again = await Journal.open(folder);
    expect(again.owner).toBe(journal.owner);
    expect(await again.records(() => {})).toEqual([
      { state: 'Done', lease, outcome },
      { state: 'Running', lease: { ...lease, task: 't-2' }, family: 'g' },
    ]);
    await again.forget(lease);
    expect((await again.records(() => {})).map((record) => record.lease.task)).toEqual(['t-2']);
  });

  test('puts aside what it cannot read, and says so', async () => {
    const journal = await Journal.open(folder);
    await writeFile(join(folder, 'tasks', 't-9.1.json'), '{"half');
    const unreadable: string[] = [];
    expect(await journal.records((file) => void unreadable.push(file))).toEqual([]);
    expect(unreadable).toEqual([join(folder, 'tasks', 't-9.1.json.unreadable')]);
  });
});
