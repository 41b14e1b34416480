/**
 * docs/adopt.md is followed step by step on one machine, with the documents and commands that stand there, in front of two
 * managers that somebody else runs; and each step is taken back as the page says. Only addresses and lengths of time are the test's own.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import type { Delegate } from '../../examples/delegate/delegate.ts';
import { documentedSteps } from '../support/documented-steps.ts';
import { type Envoy, startEnvoy } from '../support/envoy.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { SWITCHYARD } from '../support/system/command-line.ts';
import { ControllerProcess } from '../support/system/controller.ts';
import { ExampleSite } from '../support/workflow/example-site.ts';

const STEPS = documentedSteps('docs/adopt.md');
const WITHIN = 30_000;

let folder = '';
let examples: ExampleSite;
let controller: ControllerProcess;
let envoy: Envoy | undefined;
let delegate: Delegate;
let port = 0;
let managers: Readonly<Record<'v1' | 'v2', number>>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'switchyard-adopt-'));
  examples = await ExampleSite.open();
  port = await freePort();
  managers = {
    v1: (await examples.manager({ version: 'v1' })).port,
    v2: (await examples.manager({ version: 'v2' })).port,
  };
  controller = await ControllerProcess.in(folder);
});
afterAll(async () => {
  await envoy?.stop();
  await controller?.stop();
  await examples?.close();
  await rm(folder, { recursive: true, force: true });
});

const step = (number: number) => {
  const found = STEPS.get(number);
  if (found === undefined) throw new Error(`docs/adopt.md has no step ${number}`);
  return found;
};

/** With the addresses of this test in the place of the page's, and quicker. */
function here(text: string): string {
  return text
    .replaceAll('127.0.0.1:9001', `127.0.0.1:${managers.v1}`)
    .replaceAll('127.0.0.1:9002', `127.0.0.1:${managers.v2}`)
    .replaceAll('10000', String(port))
    .replace('soak: 10m', 'soak: 1s')
    .replace('interval: 10s', 'interval: 100ms');
}

interface Ran {
  readonly code: number;
  readonly output: string;
}

/** Runs a line as a shell would, in the folder of the document. */
function run(line: string): Promise<Ran> {
  const env = {
    ...process.env,
    PATH: `${dirname(SWITCHYARD)}:${process.env['PATH'] ?? ''}`,
    SWITCHYARD_SERVER: controller.server,
    NO_COLOR: '1',
  };
  return new Promise((resolve) => {
    execFile('sh', ['-c', line], { cwd: folder, env }, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, output: stdout + stderr });
    });
  });
}

async function ok(line: string): Promise<string> {
  const { code, output } = await run(line);
  if (code !== 0) throw new Error(`${line}: ended with ${code}: ${output}`);
  return output;
}

/** The commands of a step that are for the controller; it and Envoy are started by the test. */
function commandsOf(number: number): readonly string[] {
  return step(number).commands.filter((line) => /^switchyard (?!controller|bootstrap)/.test(line));
}

async function follow(number: number): Promise<string> {
  let output = '';
  for (const line of commandsOf(number)) output += await ok(line);
  return output;
}

/** Changes fields of the document, as a block of the page or its way back writes them; undefined takes one out. */
async function change(text: string | Readonly<Record<string, unknown>>): Promise<void> {
  const document = parse(await readFile(join(folder, 'orders.yaml'), 'utf8')) as { spec: object };
  const fields = typeof text === 'string' ? (parse(here(text)) as { spec: object }).spec : text;
  await writeFile(
    join(folder, 'orders.yaml'),
    stringify({ ...document, spec: { ...document.spec, ...fields } }),
  );
}

/** The version that answers without a pin, or with one. */
async function served(headers: Readonly<Record<string, string>> = {}, path = '/'): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers });
  await response.body?.cancel();
  return response.headers.get('x-switchyard-version') ?? `status ${response.status}`;
}

async function serves(version: string): Promise<void> {
  await eventually(async () => (await served()) === version, {
    what: `${version} through the gateway`,
    within: WITHIN,
  });
}

const back = (number: number, what: RegExp): string => {
  const found = step(number).back.find((one) => what.test(one));
  if (found === undefined) throw new Error(`step ${number} of docs/adopt.md has no way back with ${what}`);
  return found;
};

test('1 and 2: what runs is written down, applied, and taken back', async () => {
  await writeFile(join(folder, 'orders.yaml'), here(step(1).yaml[0] ?? ''));
  expect(await ok('switchyard lint orders.yaml')).toMatch(/1 file: 0 errors/);
  await controller.start([]);
  expect(await follow(2)).toMatch(/orders +v1 +Primary +100% +1\/1/);
  await ok(`${back(2, /^switchyard delete/)} --yes`);
  expect(await ok('switchyard get services -o name')).toBe('');
  expect((await fetch(`http://127.0.0.1:${managers.v1}/healthz`)).ok).toBe(true);
  await follow(2);
});

test('3 and 4: an Envoy in front serves what the page says, is stopped, and is started again', async () => {
  expect(step(3).commands[0]).toBe('switchyard bootstrap > envoy.json');
  await ok(`switchyard bootstrap -o json --xds-address 127.0.0.1:${controller.xdsPort} > envoy.json`);
  const bootstrap = JSON.parse(await readFile(join(folder, 'envoy.json'), 'utf8')) as object;
  envoy = await startEnvoy(bootstrap);
  await eventually(async () => /InSync/.test(await ok('switchyard get proxies')), { within: WITHIN });
  await serves('v1');
  expect(await served({ 'x-delegate-version': 'v2' }, '/agent/')).toBe('v2');
  expect(await served({ 'x-delegate-version': 'v9' }, '/agent/')).toBe('status 409');
  const [explain = ''] = step(3).commands.filter((line) => line.startsWith('switchyard explain'));
  expect(await ok(explain)).toMatch(/409/);
  await envoy.stop();
  expect((await fetch(`http://127.0.0.1:${managers.v1}/healthz`)).ok).toBe(true);
  envoy = await startEnvoy(bootstrap);
  await serves('v1');
});

test('5: the first flip, and its rollback', async () => {
  const [weight = '', flip = '', rollback = ''] = commandsOf(5);
  await ok(weight);
  await ok(flip);
  await serves('v2');
  expect(rollback).toMatch(/^switchyard rollback/);
  await ok(rollback);
  await serves('v1');
});

test('6: a rollout moves the traffic, is rolled back, and versions are moved by hand again', async () => {
  await change(step(6).yaml[0] ?? '');
  expect(await follow(6)).toMatch(/v2/);
  await serves('v2');
  await ok(back(6, /^switchyard rollback/));
  await serves('v1');
  await change({ version: 'v1', traffic: undefined, verification: undefined });
  await ok('switchyard apply -f orders.yaml --reason "by hand"');
  const [weight = ''] = commandsOf(5);
  await ok(`${weight} --waive-gates`);
  await ok('switchyard set-weight orders v2 0');
  await serves('v1');
});

test('7: what is open is counted, and nobody counts any more', async () => {
  await ok('switchyard flip orders v2 --waive-gates --reason "v1 is to be drained"');
  await change(step(7).yaml[0] ?? '');
  expect(await follow(7)).toMatch(/0 open on orders v1/);
  await change((parse(`spec: { ${back(7, /^drain:/)} }`) as { spec: Record<string, unknown> }).spec);
  await ok('switchyard apply -f orders.yaml --reason "an operator decides"');
  expect((await run('switchyard get work orders v1')).output).toMatch(/unknown/);
  await ok('switchyard rollback orders');
  await serves('v1');
});

test('8: a rollout waits for the delegates, and goes on when an operator no longer does', async () => {
  await change({
    drain: { workflow: {} },
    pin: { allow: { everywhere: true } },
    upstream: { protocol: 'SameAsClient' },
  });
  await ok('switchyard apply -f orders.yaml --reason "delegates speak gRPC"');
  delegate = await examples.delegate({ port, box: 'box-1', version: 'v1' });
  await eventually(() => delegate.health().ready, { what: 'the delegate of v1', within: WITHIN });
  await change(step(8).yaml[0] ?? '');
  await ok(step(8).commands[0] ?? '');
  const [, look = ''] = step(8).commands;
  await eventually(async () => /box-1/.test(await ok(look)), {
    what: 'box-1 among the delegates',
    // Managers are asked every half minute.
    within: 2 * WITHIN,
  });

  // As in step 6, which wishes for v2.
  await change(step(6).yaml[0] ?? '');
  await ok('switchyard apply -f orders.yaml --reason "v2 with its delegates"');
  const rollout = () => ok('switchyard get rollout orders');
  await eventually(async () => /Delegates: +0\/1 on v2/.test(await rollout()), {
    what: 'a rollout that waits',
    within: WITHIN,
  });
  expect(await rollout()).toMatch(/◌ Register/);
  await change((parse(`spec: { ${back(8, /^delegates:/)} }`) as { spec: Record<string, unknown> }).spec);
  await ok('switchyard apply -f orders.yaml --reason "nobody is asked"');
  await ok(back(8, /^switchyard promote/));
  await serves('v2');
});
