/** The verbs of rollouts: what they send, what they show, and how they exit. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import type { Finished } from '../../support/admin/cli.ts';
import { applyManager, startTestController, type TestController } from '../../support/admin/controller.ts';
import { runHere } from '../../support/admin/here.ts';
import { ScriptedRollouts } from '../../support/admin/scripted-rollouts.ts';
import { aMeasurement } from '../../support/rollout-records.ts';
import { aPausedView } from '../../support/rollout-views.ts';

let controller: TestController;
let rollouts: ScriptedRollouts;
beforeEach(async () => {
  rollouts = new ScriptedRollouts();
  controller = await startTestController({ replace: rollouts.replace });
  await applyManager(controller);
});
afterEach(() => controller.close());

function cli(...args: string[]): Promise<Finished> {
  return runHere([...args, '--server', controller.server]);
}

describe('a verb that steers a rollout', () => {
  test.each<[string, string[], object]>([
    [
      'deploy',
      ['deploy', 'manager', 'v43', '--urgent', '--reason', 'hotfix'],
      { version: 'v43', urgent: true },
    ],
    ['deploy', ['deploy', 'manager', 'v43'], { version: 'v43', urgent: false }],
    ['pause', ['pause', 'manager'], {}],
    ['resume', ['resume', 'manager'], {}],
    ['promote', ['promote', 'manager'], { full: false }],
    ['promote', ['promote', 'manager', '--full', '--reason', 'seen enough'], { full: true }],
    ['abort', ['abort', 'manager', '--yes'], {}],
    ['retry', ['retry', 'manager', '--expected-generation', '7'], { expectedGeneration: 7 }],
    ['freeze', ['freeze', 'manager', '--for', '2h', '--reason', 'sale'], { duration: 7_200_000 }],
    ['unfreeze', ['unfreeze', 'manager'], {}],
  ])('%s sends what was said', async (verb, args, fields) => {
    const { code, stdout } = await cli(...args);
    expect(code).toBe(0);
    expect(stdout).toBe(`did ${verb}\n`);
    expect(rollouts.asked).toEqual([
      { verb, request: expect.objectContaining({ service: 'manager', ...fields }) },
    ]);
  });

  test('freeze without an end sends none, and until a time sends how long that is', async () => {
    await cli('freeze', 'manager', '--reason', 'sale');
    expect(rollouts.asked[0]?.request).not.toHaveProperty('duration');
    const end = new Date(Date.now() + 3_600_000).toISOString();
    await cli('freeze', 'manager', '--until', end, '--reason', 'sale');
    const [, asked] = rollouts.asked as { request: { duration?: number } }[];
    expect(asked?.request.duration).toBeGreaterThan(3_500_000);
    expect(asked?.request.duration).toBeLessThanOrEqual(3_600_000);
  });

  test.each([
    [
      ['freeze', 'manager', '--until', '2020-01-01T00:00:00Z'],
      /2020-01-01T00:00:00.000Z is not in the future/,
    ],
    [['freeze', 'manager', '--until', 'tomorrow'], /with its zone, for example 2026-12-31T18:00:00Z/],
    [['freeze', 'manager', '--for', '1h', '--until', '2099-01-01T00:00:00Z'], /--for or --until, not both/],
  ])('%j is wrong usage and sends nothing', async (args, message) => {
    expect(await cli(...args)).toMatchObject({ code: 2, stdout: '', stderr: expect.stringMatching(message) });
    expect(rollouts.asked).toEqual([]);
  });

  test('in a dry run shows whom it would touch beside what it would do', async () => {
    expect(await cli('abort', 'manager', '--dry-run')).toMatchObject({
      code: 0,
      stdout: '(dry run) did abort\n  - acme moves back\n',
    });
  });

  test('is never held up by a question where nobody can be asked, and tells afterwards whom it touched', async () => {
    expect(await cli('abort', 'manager')).toMatchObject({
      code: 0,
      stdout: 'did abort\n',
      stderr: '  - acme moves back\n',
    });
  });

  test('shows no control character of an impact', async () => {
    rollouts.impact = ['tenant \u001b[31m moves'];
    expect((await cli('abort', 'manager', '--dry-run')).stdout).toContain('tenant \uFFFD[31m moves');
  });
});

describe('get rollout', () => {
  test('piped is plain text, as wide as it must be', async () => {
    const { code, stdout } = await cli('get', 'rollout', 'manager');
    expect(code).toBe(0);
    expect(stdout).not.toContain('\u001b');
    expect(stdout).toMatch(/^State: {5}◌ Progressing \(Measuring\) since /m);
    expect(stdout).toMatch(/^Weight: {4}25% set, 24\.82% actual of 1,204 requests$/m);
    expect(stdout).toMatch(
      /latency-p99 .* 183\.4 ms vs 180\.2 ms {2}at most 10 % above v42 {2}n 1,204 vs 3,650 {2}3\/5/,
    );
  });

  test('as JSON and YAML is the message of the API, and as a name the rollout', async () => {
    const json = JSON.parse((await cli('get', 'rollout', 'manager', '-o', 'json')).stdout);
    expect(json.view.rollout).toMatchObject({ id: 'manager_v43_17', state: 'ROLLOUT_STATE_PROGRESSING' });
    const yaml = parse((await cli('get', 'rollout', 'manager', '-o', 'yaml')).stdout);
    expect(yaml.view.checks[0].check.name).toBe('success-rate');
    expect((await cli('get', 'rollout', 'manager', '-o', 'name')).stdout).toBe('rollout/manager_v43_17\n');
  });

  test('wide shows queries and statistics', async () => {
    const { stdout } = await cli('get', 'rollout', 'manager', '-o', 'wide');
    expect(stdout).toMatch(/interval -4\.2 to 9\.1 ms/);
    expect(stdout).toMatch(/smallest effect that could be seen: 0\.08/);
    expect(stdout).toContain('query rate(latency-p99{version="v43"}[15s])');
  });

  test('of a service that has had none exits with 1', async () => {
    rollouts.view = undefined;
    expect(await cli('get', 'rollout', 'manager')).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/manager has had no rollout yet/),
    });
  });
});

describe('lists', () => {
  test('of rollouts show state, step and why', async () => {
    const { stdout } = await cli('get', 'rollouts', 'manager', '--limit', '5');
    expect(rollouts.asked).toEqual([{ verb: 'rollouts', request: { service: 'manager', limit: 5 } }]);
    expect(stdout).toMatch(/^ROLLOUT +STATE +STEP +STARTED +TOOK +BECAUSE\n/);
    expect(stdout).toMatch(/^manager_v43_17 +◌ Progressing +Shift-25 /m);
    expect(stdout).toMatch(/^manager_v42_3 +✔ Succeeded +Shift-25 /m);
  });

  test('of measurements show value against limit, and how many samples', async () => {
    rollouts.measured = [
      aMeasurement('success-rate', {}),
      aMeasurement(
        'approval',
        { limit: 'an approval' },
        {
          outcome: { kind: 'Data', data: { kind: 'answer', answer: 'undecided', detail: 'ask later' } },
        },
      ),
    ];
    const { stdout } = await cli('get', 'measurements', 'manager_v43_17');
    expect(stdout).toMatch(/^TIME +STEP +CHECK +VERDICT +VALUE +SAMPLES +LIMIT\n/);
    expect(stdout).toMatch(/ Shift-25 +success-rate +✔ Passed +99\.83 +n 1,204 +at least 99 %$/m);
  });

  test('of the measurements of what is no rollout exits with 2', async () => {
    expect((await cli('get', 'measurements', 'Manager_1')).code).toBe(2);
  });
});

describe('verify', () => {
  test('is a table of checks and a verdict, and exits with 2 where nothing was decided', async () => {
    const { code, stdout } = await cli('verify', 'manager', 'v43', '--dry-run');
    expect(code).toBe(2);
    expect(stdout).toMatch(
      /^CHECK +VERDICT +VALUE +LIMIT +SAMPLES +BECAUSE\nsuccess-rate +✔ Passed +99\.83 % +at least 99 % +n 1,204 /,
    );
    expect(stdout).toMatch(/^∅ NoData: too little traffic \(v43 beside v42; nothing was decided\)$/m);
  });

  test.each([
    ['Passed', 0],
    ['Failed', 1],
    ['Error', 1],
    ['Inconclusive', 2],
    ['Running', 2],
  ] as const)('with the verdict %s exits with %d', async (state, code) => {
    rollouts.verdict = state;
    expect((await cli('verify', 'manager', 'v43', '-o', 'json')).code).toBe(code);
  });
});

describe('replay', () => {
  test('sends the other document, and shows what was and what would have been decided', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'switchyard-replay-'));
    const file = join(folder, 'policy.yaml');
    await writeFile(file, 'kind: VersionedService\n');
    const { code, stdout } = await cli('replay', 'manager_v43_17', '-f', file);
    await rm(folder, { recursive: true });
    expect(code).toBe(0);
    expect(rollouts.asked[0]?.request).toEqual({
      rollout: 'manager_v43_17',
      document: { file, text: 'kind: VersionedService\n' },
    });
    expect(stdout).toMatch(/^Shift-25 +✔ Passed +✖ Failed /m);
    expect(stdout).toMatch(/^it would have ended at Shift-25\nnever measured, so not judged: latency$/m);
  });

  test('without a document judges by the present checks', async () => {
    await cli('replay', 'manager_v43_17');
    expect(rollouts.asked[0]?.request).toEqual({ rollout: 'manager_v43_17' });
  });

  test('of a service means its last rollout', async () => {
    await cli('replay', 'manager');
    await cli('get', 'measurements', 'manager');
    expect(rollouts.asked).toMatchObject([
      { verb: 'replay', request: { rollout: 'manager_v43_17' } },
      { verb: 'measurements', request: 'manager_v43_17' },
    ]);
  });
});

describe('explain SERVICE', () => {
  test('tells why it is paused, what it waits for, and what would move it on', async () => {
    rollouts.view = aPausedView();
    const { code, stdout } = await cli('explain', 'manager');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^manager_v43_17: ॥ Paused \(Approval\) since /);
    expect(stdout).toMatch(/^waits:\n {2}somebody to promote it/m);
    expect(stdout).toMatch(/^frozen:\n {2}by grace@box /m);
    expect(stdout).toMatch(
      /^what you can do:\n {2}switchyard promote manager\n {2}switchyard abort manager$/m,
    );
  });

  test('without a rollout says so; of no service at all asks for one or for a request', async () => {
    rollouts.view = undefined;
    expect((await cli('explain', 'manager')).stdout).toMatch(/^manager has had no rollout/);
    expect((await cli('explain', 'nobody')).code).toBe(1);
    expect(await cli('explain')).toMatchObject({ code: 2, stderr: expect.stringMatching(/--host/) });
  });

  test('with a host still explains a request', async () => {
    const { stdout } = await cli('explain', 'manager', '--host', 'api.example.com');
    expect(stdout).toMatch(/^manager v1 \(2 ready endpoints\)/);
  });
});
