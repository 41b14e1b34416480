/**
 * A version that a watched file listed and no longer lists keeps its last addresses as long as it is wanted: leaving a
 * version out may be an accident, `addresses: []` is an order (rule 7).
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { systemClock } from '../../../../src/adapters/clock.ts';
import { EndpointsRuntime } from '../../../../src/adapters/endpoints/runtime.ts';
import { serviceName, versionName } from '../../../../src/model/names.ts';
import type { EndpointsVersion } from '../../../../src/model/spec.ts';
import { parseLines } from '../../../support/endpoints-lines.ts';

const MANAGER = serviceName('manager');
const BOTH = 'v1 127.0.0.1:1001\nv2 127.0.0.1:2001\n';
const ONLY_V2 = 'v2 127.0.0.1:2002\n';
let folder: string;
let file: string;
let runtime: EndpointsRuntime;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'switchyard-unlisted-'));
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
    interval: 20,
  });
}

interface Wish {
  readonly wanted?: readonly string[];
  readonly path?: string;
  readonly inSpec?: readonly EndpointsVersion[];
}

async function wish({ wanted = ['v1', 'v2'], path = file, inSpec = [] }: Wish = {}): Promise<void> {
  const spec = { kind: 'endpoints' as const, versions: inSpec, file: path };
  await runtime.want({ service: MANAGER, spec, versions: wanted.map(versionName) });
  await runtime.settled(MANAGER);
}

async function restart(meanwhile = async (): Promise<void> => {}): Promise<void> {
  await runtime.close();
  await meanwhile();
  runtime = open();
  await wish();
}

const ports = (): number[] => runtime.instances(MANAGER).map(({ address }) => address.port);
const problems = (): string => runtime.problems(MANAGER).join('\n');
const until = (check: () => void | Promise<void>): Promise<void> =>
  vi.waitFor(check, { timeout: 10_000, interval: 5 });
const expectPorts = (...wanted: number[]): Promise<void> => until(() => expect(ports()).toEqual(wanted));

/** v1 and v2 are listed and wanted; then the file lists v2 alone. */
async function leaveOutV1(): Promise<void> {
  await writeFile(file, BOTH);
  await wish();
  await writeFile(file, ONLY_V2);
  await expectPorts(1001, 2002);
}

test('it keeps its addresses, and the problem says how to drop them', async () => {
  await leaveOutV1();
  expect(runtime.problems(MANAGER)).toEqual([
    `${file} no longer lists v1; its last addresses stay in use; write "addresses: []" to drop them, or retire it`,
  ]);
  expect(runtime.offered(MANAGER)).toEqual(['v2']);
  const [instance] = runtime.instances(MANAGER);
  expect(instance).toMatchObject({ version: 'v1', state: 'Ready', reason: `no longer listed in ${file}` });
});

test('it keeps them through any number of changes, and over a file that lists nothing at all', async () => {
  await leaveOutV1();
  await writeFile(file, 'v2 127.0.0.1:2003\n');
  await expectPorts(1001, 2003);
  await writeFile(file, '');
  await until(() => expect(problems()).toMatch(/no longer lists v1[^]*no longer lists v2/));
  expect(ports()).toEqual([1001, 2003]);
});

test('it keeps them while the file is broken', async () => {
  await leaveOutV1();
  await writeFile(file, '! broken\n');
  await until(() => expect(problems()).toContain('broken'));
  expect(ports()).toEqual([1001, 2002]);
});

test('it drops them when it is listed without addresses, and takes new ones when it is listed with them', async () => {
  await leaveOutV1();
  await writeFile(file, `v1\n${ONLY_V2}`);
  await expectPorts(2002);
  await writeFile(file, ONLY_V2);
  await until(() => expect(problems()).toMatch(/v1 has no addresses/));
  expect(ports()).toEqual([2002]);
  await writeFile(file, `v1 127.0.0.1:1005\n${ONLY_V2}`);
  await expectPorts(1005, 2002);
  expect(problems()).toBe('');
});

test('it is forgotten when it is no longer wanted: wanted again it has no address until it is listed', async () => {
  await leaveOutV1();
  await wish({ wanted: ['v2'] });
  expect(ports()).toEqual([2002]);
  expect(problems()).toBe('');
  await wish();
  expect(ports()).toEqual([2002]);
  await restart();
  expect(ports()).toEqual([2002]);
  expect(problems()).toMatch(/v1 has no addresses/);
});

test('a version that was never wanted is not kept', async () => {
  await writeFile(file, BOTH);
  await wish({ wanted: ['v2'] });
  await writeFile(file, ONLY_V2);
  await expectPorts(2002);
  expect(problems()).toBe('');
});

test('it keeps them over a restart', async () => {
  await leaveOutV1();
  await restart();
  expect(ports()).toEqual([1001, 2002]);
  expect(problems()).toContain('no longer lists v1');
  await restart(() => rm(file));
  expect(ports()).toEqual([1001, 2002]);
});

test('it keeps them where the file left it out while no controller ran', async () => {
  await writeFile(file, BOTH);
  await wish();
  await restart(() => writeFile(file, ONLY_V2));
  await expectPorts(1001, 2002);
  expect(problems()).toContain('no longer lists v1');
});

test('it keeps them where the spec names another file that does not list it', async () => {
  await writeFile(file, BOTH);
  await wish();
  const other = join(folder, 'other.txt');
  await writeFile(other, ONLY_V2);
  await wish({ path: other });
  await expectPorts(1001, 2002);
});

test('a version that moves from the spec into a file keeps the addresses of the spec until the file lists it', async () => {
  const inSpec = [{ name: versionName('v1'), addresses: [{ host: '127.0.0.1', port: 1001 }] }];
  await writeFile(file, ONLY_V2);
  await wish({ inSpec });
  await expectPorts(1001, 2002);
  await wish();
  expect(ports()).toEqual([1001, 2002]);
  expect(problems()).toContain('no longer lists v1');
  await restart();
  expect(ports()).toEqual([1001, 2002]);
  await writeFile(file, `v1 127.0.0.1:1005\n${ONLY_V2}`);
  await expectPorts(1005, 2002);
});

test('a kept copy that is damaged is named while it is needed, and replaced by the next good file', async () => {
  await leaveOutV1();
  const copy = join(folder, 'state', 'manager.json');
  await restart(async () => {
    await writeFile(copy, '{"file": 1}');
    await writeFile(file, '! broken\n');
  });
  await until(() => expect(problems()).toMatch(/kept copy cannot be read: file is 1 where text belongs/));
  await writeFile(file, BOTH);
  await expectPorts(1001, 2001);
  expect(problems()).toBe('');
  await until(async () => expect(await readFile(copy, 'utf8')).toContain('1001'));
});
