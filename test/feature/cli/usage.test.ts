/** Help, wrong usage, and commands that need no controller. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { runCli } from '../../support/admin/cli.ts';
import { managerDocument } from '../../support/admin/controller.ts';
import { runHere } from '../../support/admin/here.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'switchyard-cli-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('help', () => {
  test('lists the verbs by what they are for, fits 80 columns, and exits with 0', async () => {
    const { code, stdout, stderr } = await runCli(['--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(
      /Look:[\s\S]*Change services:[\s\S]*Move traffic:[\s\S]*End versions:[\s\S]*Run and keep:/,
    );
    expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);
  });

  test('loads neither gRPC nor protos nor adapters', async () => {
    const log = join(folder, 'loaded');
    const hooks = resolve('test/support/admin/log-loads.mjs');
    await runCli(['flip', '--help'], { env: { LOADED_MODULES: log, NODE_OPTIONS: `--import ${hooks}` } });
    const loaded = await readFile(log, 'utf8');
    expect(loaded).toContain('/src/cli/program.ts');
    expect(loaded.split('\n').filter((url) => /@grpc|@bufbuild|\/gen\/|\/adapters\/|pino/.test(url))).toEqual(
      [],
    );
  });
});

test.each(['--version', '-V'])(
  '%s prints the version of the command and asks no controller',
  async (flag) => {
    const { version } = JSON.parse(await readFile('package.json', 'utf8')) as { version: string };
    expect(await runCli([flag])).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
  },
);

describe('wrong usage exits with 2 and says what is wrong', () => {
  test.each([
    [['frobnicate'], /unknown command 'frobnicate'/],
    [['flipp', 'manager', 'v2'], /Did you mean flip\?/],
    [['flip', 'manager'], /missing required argument 'version'/],
    [['flip', 'manager', 'v2', '--wait', 'soon'], /length of time such as 500ms/],
    [['set-weight', 'manager', 'v2', '101'], /whole number from 0 to 100/],
    [['get', 'services', '-o', 'xml'], /Allowed choices are table, wide, json, yaml, name/],
    [['explain', '--host', 'x', '-H', 'nocolon'], /Write it as curl does/],
    [['get', 'events', '--limit', '0'], /whole number from 1 to 1000/],
    [['get', 'services', 'a', 'b', '-w'], /--watch takes one service or none/],
    [['apply'], /required option '-f, --filename <file>'/],
    [['apply', '-f', '/nowhere.yaml'], /cannot read \/nowhere.yaml: there is no such file/],
    [['apply', '-f', '-', '-f', '-'], /standard input \(-\) can be read once only/],
    [['hold', 'manager', 'acme', 'v2'], /required option '--for <duration>'/],
    [['bootstrap', '--listener', 'No'], /--listener: .*must be lower-case/],
    [['bootstrap', '--node-id', ''], /^error: --node-id: /],
    [['bootstrap', '--node-id', 'a\u001bb'], /^error: --node-id: /],
    [['explain', '--host', 'x', '--source-address', 'zzz'], /Write an IP address/],
    [[], /Usage: switchyard/],
  ])('%j', async (args, message) => {
    const { code, stderr, stdout } = await runHere(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(message);
  });
});

test('a controller that is not there is told in words, with what to do, and exits with 1', async () => {
  const { code, stdout, stderr } = await runHere(['get', 'services', '--server', join(folder, 'none.sock')]);
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toMatch(
    /^error: no controller answers at unix:.*none\.sock\n.*switchyard controller.*--server/,
  );
});

test('the controller is taken from SWITCHYARD_SERVER, and --server goes before it', async () => {
  const env = { SWITCHYARD_SERVER: 'unix:/from/env.sock' };
  expect((await runHere(['get', 'proxies'], { env })).stderr).toContain('/from/env.sock');
  expect((await runHere(['get', 'proxies', '--server', '/from/flag'], { env })).stderr).toContain(
    '/from/flag',
  );
});

describe('lint', () => {
  test('of a careful document has no findings that are errors, and exits with 0', async () => {
    const file = join(folder, 'manager.yaml');
    await writeFile(file, managerDocument('v1'));
    const { code, stdout } = await runHere(['lint', file]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^1 file: 0 errors, \d+ warnings?$/m);
  });

  test('prints each fault with file, line and column, and exits with 2', async () => {
    const text = managerDocument('v1').replace('port: 10000', 'port: 99999');
    const { code, stdout } = await runHere(['lint', '-'], { input: text });
    expect(code).toBe(2);
    expect(stdout).toMatch(/^<stdin>:10:13: error: spec\.listeners\[0\]\.port: .*99999/m);
  });

  test('as JSON gives the problems as data', async () => {
    const { stdout } = await runHere(['lint', '-', '-o', 'json'], { input: 'kind: Nonsense' });
    expect(JSON.parse(stdout)).toMatchObject({
      problems: [
        { field: 'apiVersion' },
        { severity: 'error', file: '<stdin>', line: 1, column: 7, field: 'kind' },
      ],
    });
  });

  test('says how long a rollout takes at least and a rollback at most, in text and as data', async () => {
    const file = 'examples/specs/manager-verified.yaml';
    const { stdout } = await runHere(['lint', file]);
    expect(stdout).toMatch(/^manager: shortest time to success: 19m20s after the instances are ready/m);
    expect(stdout).toMatch(
      /^manager: longest time to rollback: 1m16s after a fault that check errors can see$/m,
    );
    const { stdout: data } = await runHere(['lint', file, '-o', 'json']);
    expect(JSON.parse(data)).toMatchObject({
      estimates: [
        {
          service: 'manager',
          shortestSuccess: expect.stringMatching(/19m20s/),
          longestRollback: expect.stringMatching(/1m16s/),
        },
      ],
    });
  });

  test('of a file of endpoints checks that form', async () => {
    const { code } = await runHere(['lint', '--endpoints', '-'], {
      input: 'versions: [{name: V1, addresses: []}]',
    });
    expect(code).toBe(2);
  });
});

test('bootstrap prints a configuration that names the controller, the node and what it asks for', async () => {
  const args = ['--node-id', 'gw-1', '--xds-address', '127.0.0.1:1234', '--listener', 'gateway', '--delta'];
  const { code, stdout } = await runHere(['bootstrap', ...args]);
  expect(code).toBe(0);
  const configuration = JSON.parse(stdout);
  expect(configuration.node).toMatchObject({
    id: 'gw-1',
    metadata: { switchyard: { listeners: ['gateway'] } },
  });
  expect(configuration.dynamic_resources.ads_config.api_type).toBe('DELTA_GRPC');
  expect(JSON.stringify(configuration.static_resources)).toContain('"port_value":1234');
});
