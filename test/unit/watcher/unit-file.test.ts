/** The systemd unit does what docs/watcher.md promises: above all, delegates outlive the watcher. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { declare } from '../../../src/cli/program.ts';

const lines = readFileSync('manifests/systemd/switchyard-watcher.service', 'utf8')
  .split('\n')
  .filter((line) => /^[A-Z]/.test(line));
const settings = new Map(
  lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
);

test('a stop or a restart of the watcher reaches no delegate, and nothing that they need goes with it', () => {
  expect(settings.get('KillMode')).toBe('process');
  expect(settings.get('OOMPolicy')).toBe('continue');
  for (const taken of ['PrivateTmp', 'RuntimeDirectory', 'DynamicUser'])
    expect(settings.has(taken)).toBe(false);
});

test('the watcher is always started again', () => {
  expect(settings.get('Restart')).toBe('always');
  expect(settings.get('StartLimitIntervalSec')).toBe('0');
});

test('it may write to its data folder alone, which is the default of its file, and gains no privilege', () => {
  expect(settings.get('ProtectSystem')).toBe('strict');
  expect(settings.get('NoNewPrivileges')).toBe('yes');
  expect(`/var/lib/${settings.get('StateDirectory')}`).toBe('/var/lib/switchyard-watcher');
});

test('nothing forbids what the watcher needs: to compile as it runs, and to read the boot', () => {
  expect(settings.has('MemoryDenyWriteExecute')).toBe(false);
  expect(settings.has('ProcSubset')).toBe(false);
});

test('the program takes its command line', async () => {
  const [program = '', ...words] = (settings.get('ExecStart') ?? '').split(' ');
  expect(program).toMatch(/\/switchyard$/);
  const ran: string[] = [];
  const local = { watcher: (_: unknown, flags: { config: string }) => ran.push(flags.config) } as never;
  const line = { arguments: [], shell: process, local, version: '' };
  await declare(line, async (command) => void (await command({} as never))).parseAsync(words, {
    from: 'user',
  });
  expect(ran).toEqual(['/etc/switchyard/watcher.yaml']);
});
