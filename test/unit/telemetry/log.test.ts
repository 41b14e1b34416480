/** Log lines are JSON with a level and a time, and hold no text that may be secret. */
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { createLog, type LogLevel } from '../../../src/telemetry/log.ts';

function logInto(level: LogLevel): { log: ReturnType<typeof createLog>; lines: Record<string, unknown>[] } {
  const lines: Record<string, unknown>[] = [];
  const log = createLog({ level, stream: { write: (line) => lines.push(JSON.parse(line)) } });
  return { log, lines };
}

test('a line is JSON with the level in words, the time in ISO 8601, and the fields', () => {
  const { log, lines } = logInto('info');
  log.warn({ service: 'manager', generation: 3 }, 'a round failed');
  expect(lines).toEqual([
    { level: 'warn', time: expect.any(String), service: 'manager', generation: 3, msg: 'a round failed' },
  ]);
  expect(new Date(String(lines[0]?.['time'])).toISOString()).toBe(lines[0]?.['time']);
});

test('lines below the level are not written', () => {
  const { log, lines } = logInto('warn');
  log.info('left out');
  log.error('written');
  expect(lines.map(({ msg }) => msg)).toEqual(['written']);
});

test('environments, documents and passwords are not logged, however deep they are', () => {
  const { log, lines } = logInto('info');
  const spec = { runtime: { environment: { KEY: 's3cret' }, command: ['run'] } };
  log.info(
    { document: 's3cret', spec, record: { spec, document: 's3cret' }, headers: { authorization: 's3cret' } },
    'x',
  );
  expect(JSON.stringify(lines)).not.toContain('s3cret');
  expect(lines[0]).toMatchObject({ document: '[not logged]', spec: { runtime: { command: ['run'] } } });
});

test('an error is logged with its stack', () => {
  const { log, lines } = logInto('info');
  log.error({ err: new RangeError('too far') }, 'failed');
  expect(lines[0]?.['err']).toMatchObject({
    type: 'RangeError',
    message: 'too far',
    stack: expect.any(String),
  });
});

test('the last line before a process is killed is there', async () => {
  const module = new URL('../../../src/telemetry/log.ts', import.meta.url).href;
  const program = `import { createLog } from '${module}'; createLog({ level: 'info' }).info('last words'); process.kill(process.pid, 'SIGKILL');`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  expect(JSON.parse(await text(child.stderr))).toMatchObject({ level: 'info', msg: 'last words' });
});
