/** What goes wrong on our side says nothing of an instance: it is reported, and the instance does not suffer for it. */
import { execFile } from 'node:child_process';
import { appendFile, mkdir, readFile, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test, vi } from 'vitest';
import { systemClock } from '../../../../src/adapters/clock.ts';
import { ProcessesRuntime } from '../../../../src/adapters/processes/runtime.ts';
import { serviceName, versionName } from '../../../../src/model/names.ts';
import { createProcessesWorld } from '../../../support/processes-world.ts';

const MANAGER = serviceName('manager');
const PATIENT = { timeout: 15_000, interval: 10 };

test('an instance whose log cannot be trimmed stays ready, and the trouble is named until it is over', async () => {
  const world = await createProcessesWorld();
  const { stateFolder } = world;
  const logLimits = { size: 10, ofGoneInstances: 1 };
  const runtime = await ProcessesRuntime.open({ clock: systemClock, stateFolder, logLimits });
  await runtime.want({ service: MANAGER, spec: world.spec(), versions: [versionName('v1')] });
  await vi.waitFor(() => expect(runtime.instances(MANAGER)[0]?.state).toBe('Ready'), PATIENT);
  const before = runtime.instances(MANAGER);
  const log = join(stateFolder, 'logs', `${before[0]?.id}.log`);
  await mkdir(`${log}.1`);
  await appendFile(log, 'a line that is too long\n');
  await vi.waitFor(
    () =>
      expect(runtime.problems(MANAGER)).toEqual([expect.stringMatching(/cannot be watched now: .*\.log\.1/)]),
    PATIENT,
  );
  expect(runtime.instances(MANAGER)).toEqual(before);
  await rmdir(`${log}.1`);
  await vi.waitFor(() => expect(runtime.problems(MANAGER)).toEqual([]), PATIENT);
  expect(await readFile(`${log}.1`, 'utf8')).toBe('a line that is too long\n');
  expect(runtime.instances(MANAGER)).toEqual(before);
  await runtime.close();
  await world.dispose();
});

test('without a file descriptor left no process is taken for dead, no port for free, and no instance for unready', async () => {
  const source = (path: string): string =>
    JSON.stringify(fileURLToPath(new URL(`../../../../src/adapters/processes/${path}`, import.meta.url)));
  const script = `
    import { openSync } from 'node:fs';
    import { hasEnded, identify } from ${source('identity.ts')};
    import { whoListens } from ${source('listeners.ts')};
    import { isPortFree } from ${source('ports.ts')};
    import { probe } from ${source('probe.ts')};
    const self = identify(process.pid);
    const readiness = { kind: 'tcp', interval: 1000, timeout: 1000, failureThreshold: 1 };
    const never = new AbortController().signal;
    const codeOf = (asked) => asked.then(() => 'answered', (error) => error.code);
    await probe({ readiness, port: 1, signal: never });
    try { for (;;) openSync('/dev/null'); } catch {}
    const seen = [
      hasEnded(self),
      await codeOf(isPortFree(1)),
      await codeOf(whoListens({ port: 1, main: process.pid, family: async () => [] })),
      await codeOf(probe({ readiness, port: 1, signal: never })),
    ];
    console.log(JSON.stringify(seen));
  `;
  const limited = [
    '-c',
    'ulimit -n 256; exec "$@"',
    'sh',
    process.execPath,
    '--input-type=module',
    '-e',
    script,
  ];
  const { stdout } = await promisify(execFile)('sh', limited);
  expect(JSON.parse(stdout)).toEqual([false, 'EMFILE', 'EMFILE', 'EMFILE']);
});
