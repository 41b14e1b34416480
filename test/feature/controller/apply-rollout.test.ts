/** apply of documents with a verification: what cannot work is refused, and what a rollout would take is said before. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ControllerWorld, manager, managerDocument, operator, v2 } from '../../support/controller-world.ts';

let world: ControllerWorld;
beforeEach(async () => {
  world = await ControllerWorld.start();
});
afterEach(() => world.stop());

const verified = (check: string, more = '') => `${managerDocument({ wanted: 'v2' })}
  traffic: {steps: [10, 100], mirror: {percent: 10}}
  verification:
    prometheus: {url: "http://127.0.0.1:9090", scrapeInterval: 5s}
    checks:
      - {name: errors, ${check}}
${more}`;
const good = 'builtin: {metric: SuccessRate}, limit: {min: 99}';

const dryRun = (text: string) =>
  world.operations.apply({
    caller: operator,
    documents: [{ file: 'a.yaml', text }],
    expectedGenerations: new Map(),
    dryRun: true,
  });

describe('a document that lint calls an error', () => {
  test.each([
    ['can never fail', 'builtin: {metric: SuccessRate}, limit: {min: 0}', 'limit'],
    ['looks at windows under three scrapes', `${good}, interval: 10s`, 'interval'],
    [
      'names something that nobody replaces',
      'query: {promql: "up{v=\'{{versoin}}\'}"}, limit: {min: 1}',
      'query.promql',
    ],
    [
      'Prometheus would reject',
      'query: {promql: "sum(up{v=\'{{version}}\'}"}, limit: {min: 1}',
      'query.promql',
    ],
  ])('since a check %s, is refused with the place of the field', async (_, check, field) => {
    await expect(world.apply(verified(check))).rejects.toMatchObject({
      code: 'InvalidArgument',
      details: {
        problems: [
          { severity: 'error', field: `spec.verification.checks[0].${field}`, line: expect.any(Number) },
        ],
      },
    });
    expect(world.operations.services()).toEqual([]);
  });

  test('is refused where a check is a command, unless the controller runs commands', async () => {
    await expect(world.apply(verified('command: {command: [./smoke-test]}'))).rejects.toMatchObject({
      code: 'InvalidArgument',
      details: {
        problems: [
          {
            field: 'spec.verification.checks[0].command.command',
            message: 'this controller runs no commands; start it with --allow-commands',
          },
        ],
      },
    });
  });
});

test('what lint only warns of is applied, and told', async () => {
  const { warnings } = await dryRun(verified(`${good}, noData: Pass`));
  expect(warnings).toContainEqual(
    expect.objectContaining({ severity: 'warning', field: 'spec.verification.checks[0].noData' }),
  );
});

describe('a dry run', () => {
  test('says how long the rollout takes at least, and how long a rollback at most', async () => {
    await world.apply(managerDocument());
    const { changes } = await dryRun(verified(good));
    expect(changes[0]?.effects).toEqual([
      expect.stringMatching(/^begins \S+: v2 comes up beside v1/),
      'shortest time to success: 7m10s after the instances are ready',
      'longest time to rollback: 1m16s after a fault that check errors can see',
    ]);
  });

  test('says that reporting requests cuts streams, since it changes the listener', async () => {
    await world.apply(managerDocument());
    const on = managerDocument().replace('domains: ["*"]', 'domains: ["*"], accessLog: true');
    expect((await dryRun(on)).changes[0]?.effects).toEqual([
      'cuts streams: listener gateway begins to report its requests',
    ]);
    await world.apply(on);
    expect((await dryRun(managerDocument())).changes[0]?.effects).toEqual([
      'cuts streams: listener gateway reports no more of its requests',
    ]);
  });
});

test('services of one group are refused where their steps differ, since they would wait for each other for ever', async () => {
  const grouped = (name: string, steps: string) =>
    `${managerDocument({ name, domain: `${name}.example.com` })}  group: pipeline\n  traffic: {steps: ${steps}}\n`;
  await world.apply(grouped('manager', '[10, 100]'));
  await expect(world.apply(grouped('worker', '[50, 100]'))).rejects.toMatchObject({
    code: 'InvalidArgument',
    details: {
      problems: [
        {
          field: 'spec.traffic.steps',
          message:
            '50, 100 must be 10, 100 as for service manager of the same group pipeline: they move together',
        },
      ],
    },
  });
  await world.apply(grouped('worker', '[10, 100]'));
  expect(world.operations.services().map(({ record }) => record.name)).toEqual([manager, 'worker']);
});

describe('deploy', () => {
  const deploy = () =>
    world.operations.deploy({
      caller: operator,
      service: manager,
      version: v2,
      urgent: false,
      dryRun: false,
    });

  test('keeps the document as it was written, but for the version', async () => {
    const document = `# ours\n${managerDocument()}  traffic: {steps: [100]} # one flip\n`;
    await world.apply(document);
    await deploy();
    const { record } = world.operations.service(manager);
    expect(record.document).toBe(document.replace('version: v1\n', 'version: v2\n'));
    expect(record.spec.version).toBe('v2');
  });

  test('is refused where the version of the document is an anchor that other fields use', async () => {
    const text = managerDocument().replace('version: v1', 'version: &v v1').replace('name: v1', 'name: *v');
    await world.apply(text);
    await expect(deploy()).rejects.toMatchObject({
      code: 'FailedPrecondition',
      message: expect.stringMatching(/spec\.version .*anchor/),
    });
    expect(world.operations.service(manager).record.spec.version).toBe('v1');
  });
});
