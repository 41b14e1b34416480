/** The verbs about executions, against a real manager with a delegate. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import type { Finished } from '../../support/admin/cli.ts';
import { type HereOptions, runHere } from '../../support/admin/here.ts';
import { freePort } from '../../support/free-port.ts';
import { ExampleSite, type ManagerHere } from '../../support/workflow/example-site.ts';
import { Customer } from '../../support/workflow/manager-api.ts';

let site: ExampleSite;
let manager: ManagerHere;
let url: string;
beforeAll(async () => {
  site = await ExampleSite.open();
  manager = await site.manager({ instance: 'v1-a' });
  await site.connected({ port: manager.port, box: 'box-1' });
  url = `http://127.0.0.1:${manager.port}`;
});
afterAll(() => site.close());

function cli(args: readonly string[], options: HereOptions = {}): Promise<Finished> {
  return runHere(args, { ...options, env: { SWITCHYARD_MANAGER: url, ...options.env } });
}

async function ok(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await cli(args);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout;
}

const GREET =
  'pipeline: greet\ninput: { name: {} }\nsteps: [{ name: say, shell: \'printf "hello %s" "$N"\', env: { N: "${input.name}" } }]';
const ASK = 'pipeline: ask\nsteps: [{ name: go, approval: { message: "Go?" } }]';

async function started(pipeline: string, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await cli(
    ['execution', 'start', '-f', '-', '--tenant', 'acme', '-o', 'name', ...args],
    {
      input: pipeline,
    },
  );
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout.trim().replace('execution/', '');
}

const ended = (id: string) => new Customer(manager.port).ended(id);

describe('execution', () => {
  test('start runs a pipeline from a file, and get execution shows every step with version, manager and delegate', async () => {
    const id = await started(GREET, '--input', '{"name": "Ada"}');
    await ended(id);
    const shown = await ok('get', 'execution', id);
    expect(shown).toMatch(/^EXECUTION +NAME +TENANT +VERSION +STATE /);
    expect(shown).toContain('result: {"exitCode":0,"stdout":"hello Ada"}');
    expect(shown).toMatch(/TaskFinished +\S*say\S* +v1 +v1-a-\S+ \(v1\) +box-1 \(v1\)/);
    expect(JSON.parse(await ok('get', 'execution', id, '-o', 'json'))).toMatchObject({
      id,
      state: 'Succeeded',
    });
  });

  test('start says where it runs, and with the same key begins nothing twice', async () => {
    const start = () =>
      cli(['execution', 'start', '-f', '-', '--tenant', 'acme', '--key', 'once'], { input: ASK });
    const [first, second] = [await start(), await start()];
    expect(first.stdout).toMatch(/^execution \S+ of ask runs on v1\n$/);
    expect(second).toEqual(first);
  });

  test('approve, cancel and retry pass an order on, in the name of who asks', async () => {
    const approved = await started(ASK);
    expect(await ok('execution', 'approve', approved, 'go', '--reason', 'looks good')).toBe(
      `execution ${approved}: Approve was passed on to its version\n`,
    );
    expect(await ended(approved)).toMatchObject({ state: 'Succeeded' });
    expect(await ok('get', 'execution', approved)).toMatch(/approved by ada@\S+: looks good/);

    const rejected = await started(ASK);
    await ok('execution', 'approve', rejected, 'go', '--reject');
    expect(await ended(rejected)).toMatchObject({
      state: 'Failed',
      error: expect.stringMatching(/rejected by ada@/),
    });
    await ok('execution', 'retry', rejected, '--reason', 'again');
    await new Customer(manager.port).until(rejected, ({ state }) => state === 'Running');
    await ok('execution', 'cancel', rejected, '--reason', 'enough');
    expect(await ended(rejected)).toMatchObject({
      state: 'Cancelled',
      error: expect.stringContaining('enough'),
    });
  });
});

describe('get executions', () => {
  test('lists the newest first, by state and tenant, in every form', async () => {
    const id = await started(ASK);
    const listed = await ok('get', 'executions', '--tenant', 'acme', '--state', 'Running', '--limit', '1');
    expect(listed.split('\n')[1]).toMatch(new RegExp(`^${id} +ask +acme +v1 +Running +\\S+ +- +-$`));
    expect(await ok('get', 'executions', '--limit', '1', '-o', 'name')).toBe(`execution/${id}\n`);
    const yaml = parse(await ok('get', 'executions', '--limit', '1', '-o', 'yaml')) as {
      executions: object[];
    };
    expect(yaml.executions).toMatchObject([{ id, state: 'Running' }]);
    const none = await cli(['get', 'executions', '--tenant', 'nobody']);
    expect(none).toEqual({ code: 0, stdout: '', stderr: 'no executions\n' });
  });
});

describe('what is wrong is said in words, with an exit code', () => {
  test.each([
    ['no manager', ['get', 'executions'], { SWITCHYARD_MANAGER: '' }, 2, /no manager is named/],
    [
      'no URL',
      ['get', 'executions', '--manager', 'here'],
      {},
      2,
      /--manager must be an http or https URL, not "here"/,
    ],
    ['no such execution', ['get', 'execution', 'none'], {}, 1, /NOT_FOUND: there is no execution "none"/],
    ['no tenant', ['execution', 'start', 'greet'], {}, 2, /--tenant is needed/],
    ['no pipeline', ['execution', 'start', '--tenant', 'acme'], {}, 2, /name a pipeline/],
    ['an unknown pipeline', ['execution', 'start', 'nothing', '--tenant', 'acme'], {}, 1, /NO_PIPELINE/],
    [
      'bad input',
      ['execution', 'start', 'x', '--tenant', 'acme', '--input', '{'],
      {},
      2,
      /--input must be JSON/,
    ],
    ['a bad state', ['get', 'executions', '--state', 'Asleep'], {}, 2, /state: must be one of/],
  ])('%s', async (_, args, env: Record<string, string>, code, message) => {
    const said = await cli(args, { env });
    expect([said.code, said.stderr]).toEqual([code, expect.stringMatching(message)]);
  });

  test('nobody answers', async () => {
    const nowhere = `http://127.0.0.1:${await freePort()}`;
    const said = await cli(['get', 'executions', '--manager', nowhere]);
    expect([said.code, said.stderr]).toEqual([
      1,
      expect.stringContaining(`no manager answers at ${nowhere}`),
    ]);
  });

  test('a pipeline with faults, each with its line', async () => {
    const said = await cli(['execution', 'start', '-f', '-', '--tenant', 'acme'], {
      input: 'pipeline: p\nsteps:\n  - name: x\n',
    });
    expect([said.code, said.stderr]).toEqual([2, expect.stringMatching(/INVALID_PIPELINE[^]*line 3: /)]);
  });
});
