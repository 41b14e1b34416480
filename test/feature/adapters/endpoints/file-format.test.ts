/** The endpoints adapter with the real parser of its file: what a user writes becomes instances or a problem. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { systemClock } from '../../../../src/adapters/clock.ts';
import { EndpointsRuntime } from '../../../../src/adapters/endpoints/runtime.ts';
import { serviceName, versionName } from '../../../../src/model/names.ts';
import { parseEndpointsFile } from '../../../../src/spec/parse.ts';

const MANAGER = serviceName('manager');
let folder: string;
let runtime: EndpointsRuntime;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'switchyard-format-'));
  const stateFolder = join(folder, 'state');
  runtime = new EndpointsRuntime({
    clock: systemClock,
    parseFile: parseEndpointsFile,
    stateFolder,
    interval: 20,
  });
});
afterEach(async () => {
  await runtime.close();
  await rm(folder, { recursive: true, force: true });
});

test('a YAML file of versions and addresses is followed, and a fault in it is named by line and field', async () => {
  const file = join(folder, 'endpoints.yaml');
  await writeFile(file, 'versions:\n  - name: v1\n    addresses: ["127.0.0.1:9001", "[::1]:9001"]\n');
  await runtime.want({
    service: MANAGER,
    spec: { kind: 'endpoints', versions: [], file },
    versions: [versionName('v1')],
  });
  await runtime.settled(MANAGER);
  expect(runtime.problems(MANAGER)).toEqual([]);
  const listed = ['manager-v1-127.0.0.1:9001', 'manager-v1-[::1]:9001'];
  expect(runtime.instances(MANAGER).map(({ id }) => id)).toEqual(listed);
  await writeFile(file, 'versions:\n  - name: v1\n    addresses: ["127.0.0.1:99999"]\n');
  await vi.waitFor(
    () => expect(runtime.problems(MANAGER).join('\n')).toMatch(/endpoints\.yaml: line 3: .*99999/),
    {
      timeout: 10_000,
    },
  );
  expect(runtime.instances(MANAGER).map(({ id }) => id)).toEqual(listed);
});

test('a file that lists one instance of a version, for now or for good, has nothing wrong', async () => {
  const file = join(folder, 'endpoints.yaml');
  await writeFile(file, 'versions:\n  - name: v1\n    addresses: ["127.0.0.1:9001"]\n');
  await runtime.want({
    service: MANAGER,
    spec: { kind: 'endpoints', versions: [], file },
    versions: [versionName('v1')],
  });
  await runtime.settled(MANAGER);
  expect(runtime.instances(MANAGER)).toHaveLength(1);
  expect(runtime.problems(MANAGER)).toEqual([]);
});
