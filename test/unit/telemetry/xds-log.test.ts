/** What the log says of proxies and of operations. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { instant } from '../../../src/model/instant.ts';
import { serviceName } from '../../../src/model/names.ts';
import { eventLog } from '../../../src/telemetry/event-log.ts';
import { createLog } from '../../../src/telemetry/log.ts';
import { xdsLog } from '../../../src/telemetry/xds-log.ts';

function written() {
  const lines: Record<string, unknown>[] = [];
  const log = createLog({ level: 'info', stream: { write: (line) => lines.push(JSON.parse(line)) } });
  return { log, lines };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('streams that are refused for one reason are told at once, then once a second with their number', () => {
  const { log, lines } = written();
  const observer = xdsLog(log);
  const refusal = (address: string) => ({ address, code: 3, message: 'node.id is empty' });
  for (const address of ['a', 'b', 'c']) observer.refused(refusal(address));
  expect(lines).toMatchObject([
    { level: 'warn', address: 'a', code: 3, reason: 'node.id is empty', times: 1 },
  ]);
  vi.advanceTimersByTime(1_000);
  expect(lines.slice(1)).toMatchObject([{ address: 'c', times: 2 }]);
  observer.refused(refusal('d'));
  vi.advanceTimersByTime(1_000);
  expect(lines.slice(2)).toMatchObject([{ address: 'd', times: 1 }]);
  vi.advanceTimersByTime(60_000);
  expect(lines).toHaveLength(3);
  observer.refused(refusal('e'));
  expect(lines.slice(3)).toMatchObject([{ address: 'e', times: 1 }]);
});

test('a fault of the server is an error with its stack, however many clients are refused at the same time', () => {
  const { log, lines } = written();
  const observer = xdsLog(log);
  observer.refused({ address: 'a', code: 3, message: 'no' });
  observer.refused({ address: 'b', code: 13, message: 'a fault', error: new Error('a fault') });
  expect(lines[1]).toMatchObject({ level: 'error', address: 'b', err: { message: 'a fault' } });
  expect((lines[1] as { err: { stack: string } }).err.stack).toContain('xds-log.test.ts');
});

test('an event of the audit trail is a line with what was done by whom, without what was changed', () => {
  const { log, lines } = written();
  eventLog(log)([
    {
      sequence: 7,
      at: instant(1),
      actor: 'anna',
      action: 'Apply',
      service: serviceName('manager'),
      reason: 'a test',
      message: 'applied manager',
      before: '',
      after: '{"environment":{"KEY":"s3cret"}}',
    },
  ]);
  expect(lines).toEqual([
    {
      level: 'info',
      time: expect.any(String),
      sequence: 7,
      service: 'manager',
      actor: 'anna',
      action: 'Apply',
      msg: 'applied manager',
    },
  ]);
});
