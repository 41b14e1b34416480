/** The verbs that show something, against a real controller: tables, machine formats, exit codes of status, watches. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { type Finished, type Running, startCli } from '../../support/admin/cli.ts';
import {
  applyManager,
  change,
  PATIENCE,
  startTestController,
  type TestController,
} from '../../support/admin/controller.ts';
import { runHere } from '../../support/admin/here.ts';

let controller: TestController;
beforeEach(async () => {
  controller = await startTestController();
  await applyManager(controller);
});
afterEach(() => controller.close());

function cli(...args: string[]): Promise<Finished> {
  return runHere([...args, '--server', controller.server]);
}

/** Output with the parts that change from run to run replaced. */
async function stable(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await cli(...args);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout
    .replaceAll(/\b\d+m?s(?= )/g, 'AGE')
    .replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ/g, 'TIME')
    .replaceAll(/ +/g, ' ');
}

describe('get', () => {
  test('services shows who is wanted, primary and previous, and what is wrong', async () => {
    await cli('flip', 'manager', 'v2');
    expect(await stable('get', 'services')).toBe(
      'NAME WANTED PRIMARY CANDIDATE PREVIOUS READY ALERTS\nmanager v2 v2 - v1 4 none\n',
    );
  });

  test('services shows a shift with its weight', async () => {
    await cli('set-weight', 'manager', 'v2', '25');
    expect(await stable('get', 'service', 'manager', '-o', 'wide')).toMatch(
      /LISTENERS ALERTS\nmanager v2 v1 v2 \(25%\) - 4 \d+ gateway:10000 none\n$/,
    );
  });

  test('versions shows state, weight, ready instances and why', async () => {
    expect(await stable('get', 'versions', 'manager')).toBe(
      'SERVICE VERSION STATE WEIGHT READY AGE REASON\n' +
        'manager v1 Primary 100% 2/2 AGE FirstVersion\n' +
        'manager v2 Standby 0% 2/2 AGE InstancesReady\n',
    );
  });

  test('proxies shows who is in sync, behind, rejecting', async () => {
    controller.proxies.connect('gateway', 'prompt');
    controller.proxies.connect('late', 'slow');
    controller.proxies.connect('wrong', 'slow');
    controller.proxies.reject('wrong', 'no such\nfilter');
    await expect.poll(() => controller.operations.proxies(), PATIENCE).toHaveLength(3);
    const { stdout } = await cli('get', 'proxies');
    expect(stdout).toMatch(/^gateway +envoy +InSync +(\d+) +\1 .* -$/m);
    expect(stdout).toMatch(/^late +envoy +Behind +0 +0 .* -$/m);
    expect(stdout).toMatch(/^wrong +envoy +Rejected +0 +0 .* routes: no such filter$/m);
  });

  test('events shows who did what and why, newest last', async () => {
    await cli('flip', 'manager', 'v2', '--reason', 'v2 is fine', '--actor', 'grace');
    const text = await stable('get', 'events', 'manager');
    expect(text).toMatch(/^SEQ TIME ACTOR ACTION MESSAGE\n(\d+ TIME .*\n)+$/);
    expect(text).toMatch(/^\d+ TIME grace Flip .*v2.* \(v2 is fine\)$/m);
    const numbers = [...text.matchAll(/^(\d+) TIME/gm)].map(([, number]) => Number(number));
    expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
  });

  test('prints the messages of the API as JSON and as YAML, and names for scripts', async () => {
    const json = JSON.parse((await cli('get', 'versions', '-o', 'json')).stdout);
    expect(json).toMatchObject({
      versions: [{ name: 'v1', state: 'VERSION_STATE_PRIMARY', weight: 100 }, { name: 'v2' }],
    });
    expect(parse((await cli('get', 'versions', '-o', 'yaml')).stdout)).toMatchObject({
      versions: [{ name: 'v1' }, {}],
    });
    expect((await cli('get', 'versions', '-o', 'name')).stdout).toBe(
      'version/manager/v1\nversion/manager/v2\n',
    );
    expect((await cli('get', 'services', '-o', 'name')).stdout).toBe('service/manager\n');
  });

  test('of nothing says so where a person reads, and keeps the output empty', async () => {
    expect(await cli('get', 'proxies')).toMatchObject({
      code: 0,
      stdout: '',
      stderr: expect.stringMatching(/^no proxies/),
    });
  });

  test('table is the routing table as JSON', async () => {
    const table = JSON.parse((await cli('get', 'table')).stdout);
    expect(table.services).toMatchObject([{ service: 'manager' }]);
  });

  test('of what does not exist exits with 1 and names what does', async () => {
    const { code, stderr } = await cli('get', 'versions', 'nobody');
    expect(code).toBe(1);
    expect(stderr).toMatch(/no service nobody.*manager/);
  });
});

test('describe shows traffic, rollout, versions and instances as a tree', async () => {
  const { stdout } = await cli('describe', 'manager');
  expect(stdout).toMatch(/^Name: +manager$/m);
  expect(stdout).toMatch(/^Status: +Paused: rollout manager_v2_\d+ is Paused \(Approval\)/m);
  expect(stdout).toMatch(/^Rollout: +manager_v2_\d+ ॥ Paused$/m);
  expect(stdout).toMatch(/^├── v1 {2}Primary {2}100% {2}2\/2 ready/m);
  expect(stdout).toMatch(/^│ {3}├── \S+ {2}127\.0\.0\.1:9001 {2}Ready$/m);
  expect(stdout).toMatch(/^└── v2 {2}Standby/m);
});

describe('explain', () => {
  test('tells version, rule and reason', async () => {
    const { code, stdout } = await cli(
      'explain',
      '--host',
      'api.example.com',
      '--path',
      '/tasks',
      '-H',
      'x-delegate-version: v2',
    );
    expect(code).toBe(0);
    expect(stdout).toMatch(/^manager v2 \(2 ready endpoints\)\nrule Pin: ./);
  });

  test('tells a refusal with its status', async () => {
    const { stdout } = await cli(
      'explain',
      '--host',
      'api.example.com',
      '--path',
      '/tasks',
      '-H',
      'x-delegate-version: v9',
    );
    expect(stdout).toMatch(/^manager refused: 409 VERSION_NOT_ACTIVE\nrule UnknownPin: ./);
  });

  test('tells both versions where neither tenant nor address decides', async () => {
    await cli('set-weight', 'manager', 'v2', '25');
    expect((await cli('explain', '--host', 'api.example.com')).stdout).toMatch(
      /^manager (v1 75%, v2 25%|v2 25%, v1 75%)\n/,
    );
  });
});

/** Moves all traffic to v2, and waits until the rollout of v2 has ended with that. */
async function settle(): Promise<void> {
  await cli('flip', 'manager', 'v2');
  expect((await cli('status', 'manager')).code).toBe(0);
}

describe('status', () => {
  test('of a healthy service exits with 0', async () => {
    await cli('flip', 'manager', 'v2');
    expect(await cli('status', 'manager')).toMatchObject({
      code: 0,
      stdout: '✔ Healthy manager: v2 gets all default traffic\n',
    });
  });

  test('of all services is a line for each', async () => {
    await cli('flip', 'manager', 'v2');
    expect(await cli('status')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^✔ Healthy manager: /),
    });
  });

  test('of a rollout that waits for an approval exits with 2 and says what it waits for', async () => {
    expect(await cli('status', 'manager')).toMatchObject({
      code: 2,
      stdout: expect.stringMatching(/^॥ Paused manager: rollout \S+ is Paused \(Approval\).*promote/),
    });
  });

  test('of a shift that somebody has to move on exits with 2', async () => {
    await cli('set-weight', 'manager', 'v2', '10');
    expect(await cli('status', 'manager')).toMatchObject({
      code: 2,
      stdout: expect.stringMatching(/Paused/),
    });
  });

  test('of a proxy that rejected exits with 1', async () => {
    controller.proxies.connect('wrong', 'slow');
    controller.proxies.reject('wrong', 'no such filter');
    await expect.poll(() => controller.operations.proxies(), PATIENCE).toHaveLength(1);
    expect(await cli('status', 'manager')).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/✖ Degraded.*no such filter/),
    });
  });

  test('exits with 3 when its time is over, and at once with --no-watch', async () => {
    await settle();
    controller.proxies.connect('late', 'slow');
    await expect.poll(() => controller.operations.proxies(), PATIENCE).toHaveLength(1);
    expect((await cli('status', 'manager', '--timeout', '50ms')).code).toBe(3);
    expect(await cli('status', 'manager', '--no-watch')).toMatchObject({
      code: 3,
      stdout: expect.stringMatching(/late is behind/),
    });
  });

  test('waits until the last proxy has followed', async () => {
    await settle();
    controller.proxies.connect('late', 'slow');
    await expect.poll(() => controller.operations.proxies(), PATIENCE).toHaveLength(1);
    const waiting = cli('status', 'manager');
    controller.proxies.acknowledge('late');
    expect((await waiting).code).toBe(0);
  });

  test('of a service that does not exist exits with 1', async () => {
    expect((await cli('status', 'nobody')).code).toBe(1);
  });
});

describe('a watch with its output piped', () => {
  let running: Running;
  afterEach(async () => {
    running.stop('SIGKILL');
    await running.finished.catch(() => undefined);
  });

  function watch(...args: string[]): void {
    running = startCli([...args, '-w', '--server', controller.server]);
  }

  test('prints headings once, then each row that has changed, without control characters', async () => {
    watch('get', 'services');
    await expect.poll(running.output, PATIENCE).toMatch(/^NAME .*\nmanager +v2 +v1 .*\n$/);
    await controller.client.call('flip', { change, version: 'v2' });
    await expect
      .poll(running.output, PATIENCE)
      .toMatch(/^NAME .*\nmanager +v2 +v1 .*\nmanager +v2 +v2 .*\n$/);
    expect(running.output()).not.toContain('\u001b');
    running.stop('SIGINT');
    expect((await running.finished).code).toBe(0);
  });

  test('as JSON prints one text per line', async () => {
    watch('get', 'versions', '-o', 'json');
    await expect.poll(running.output, PATIENCE).toMatch(/\n$/);
    await controller.client.call('flip', { change, version: 'v2' });
    await expect.poll(() => running.output().split('\n').length, PATIENCE).toBeGreaterThan(2);
    const views = running
      .output()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(views.at(-1).services[0].traffic.steady.primary).toBe('v2');
  });

  test('of events prints those that were and then each new one', async () => {
    watch('get', 'events', '--limit', '1', '-o', 'name');
    await expect.poll(running.output, PATIENCE).toMatch(/^event\/\d+\n$/);
    const first = Number(/\d+/.exec(running.output())?.[0]);
    await controller.client.call('flip', { change, version: 'v2' });
    await expect
      .poll(running.output, PATIENCE)
      .toMatch(new RegExp(`^event/${first}\nevent/${first + 1}\n(event/\\d+\n)*$`));
  });
});
