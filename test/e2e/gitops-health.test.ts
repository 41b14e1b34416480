/**
 * What Argo CD and Flux make of a service: our Lua and CEL, run by the interpreters that these two use, in scripts/gitops-health.
 */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { beforeEach, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { goProgram } from '../support/go-program.ts';

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
}
interface ArgoSettings {
  readonly data: Readonly<Record<string, string>>;
}
interface ArgoActions {
  readonly 'discovery.lua': string;
  readonly definitions: readonly { readonly name: string; readonly 'action.lua': string }[];
}
interface FluxKustomization {
  readonly spec: { readonly healthCheckExprs: readonly (Expressions & { readonly kind: string })[] };
}
interface Expressions {
  readonly inProgress: string;
  readonly failed: string;
  readonly current: string;
}
type Answer = { readonly value: unknown } | { readonly error: string };

const KINDS = ['VersionedService', 'Rollout'] as const;
const argo = (parse(readFileSync('manifests/argocd/argocd-cm.yaml', 'utf8')) as ArgoSettings).data;
const flux = (parse(readFileSync('manifests/flux/kustomization.example.yaml', 'utf8')) as FluxKustomization)
  .spec;
const actions = parse(
  argo['resource.customizations.actions.switchyard.dev_VersionedService'] ?? '',
) as ArgoActions;

let program: string;
beforeEach(async () => {
  program = await goProgram('what Argo CD and Flux make of our objects', {
    name: 'gitops-health',
    module: 'scripts/gitops-health',
    package: '.',
  });
}, 300_000);
async function ask(question: object): Promise<Answer> {
  const output = await new Promise<string>((resolve, reject) => {
    const child = execFile(program, (error, stdout) => (error ? reject(error) : resolve(stdout)));
    child.stdin?.end(JSON.stringify([question]));
  });
  const [answer] = JSON.parse(output) as Answer[];
  if (answer === undefined) throw new Error(`no answer: ${output}`);
  return answer;
}

const condition = (type: string, status: string, reason = 'Because', message = 'a sentence'): Condition => ({
  type,
  status,
  reason,
  message,
});

function objectWith(status: object | undefined, metadata: object = {}): object {
  return {
    apiVersion: 'switchyard.dev/v1alpha1',
    kind: 'VersionedService',
    metadata: { name: 'manager', generation: 3, ...metadata },
    spec: { version: 'v2' },
    ...(status === undefined ? {} : { status }),
  };
}
const withConditions = (...conditions: Condition[]): object =>
  objectWith({ observedGeneration: 3, conditions });

const ready = condition('Ready', 'True');
const notReady = condition('Ready', 'False', 'Progressing');
const reconciling = condition('Reconciling', 'True', 'Measuring', 'Shift-25: the checks run');
const settled = condition('Reconciling', 'False');
const stalled = condition('Stalled', 'True', 'Aborted', 'errors: 4% and not at most 1%');
const paused = condition('Ready', 'False', 'Paused', 'waits for promote');
const inconclusive = condition('Ready', 'False', 'Inconclusive', 'no data');

/** What each says; Flux gives an error where it looks again until its time is over. */
const CASES: readonly (readonly [what: string, object: object, argo: string, flux: string])[] = [
  ['nobody has looked at', objectWith(undefined), 'Progressing', 'error'],
  ['has an empty status', objectWith({}), 'Progressing', 'InProgress'],
  ['is ready', withConditions(ready, settled), 'Healthy', 'Current'],
  ['is ready without the other conditions', withConditions(ready), 'Healthy', 'Current'],
  [
    'was ready before its spec changed',
    objectWith({ observedGeneration: 2, conditions: [ready] }),
    'Progressing',
    'InProgress',
  ],
  ['rolls out', withConditions(notReady, reconciling), 'Progressing', 'InProgress'],
  ['rolls out while its primary is ready', withConditions(ready, reconciling), 'Progressing', 'InProgress'],
  ['waits for a person', withConditions(paused, reconciling), 'Suspended', 'InProgress'],
  ['could not decide', withConditions(inconclusive, reconciling), 'Suspended', 'InProgress'],
  ['was aborted', withConditions(notReady, stalled, settled), 'Degraded', 'Failed'],
  ['is not ready, and nothing is done', withConditions(notReady, settled), 'Degraded', 'InProgress'],
  ['says nothing about being ready', withConditions(settled), 'Progressing', 'InProgress'],
  ['is unknown', withConditions(condition('Ready', 'Unknown')), 'Progressing', 'InProgress'],
  [
    'is being deleted',
    objectWith({ observedGeneration: 3, conditions: [ready] }, { deletionTimestamp: '2026-11-30T00:00:00Z' }),
    'Progressing',
    'Current',
  ],
];

test('Flux is told of both kinds', () => {
  expect(flux.healthCheckExprs.map(({ kind }) => kind)).toEqual([...KINDS]);
});

describe.each(KINDS)('%s', (kind) => {
  const script = argo[`resource.customizations.health.switchyard.dev_${kind}`] ?? '';
  const expressions = flux.healthCheckExprs.find((each) => each.kind === kind);

  test.each(CASES)('one that %s', async (_, object, argoSays, fluxSays) => {
    expect(await ask({ lua: script, object })).toMatchObject({
      value: { status: argoSays, message: expect.any(String) },
    });
    const { inProgress, failed, current } = expressions as Expressions;
    const answer = await ask({ cel: { inProgress, failed, current }, object });
    expect('value' in answer ? answer.value : 'error').toBe(fluxSays);
  });

  test('tells why', async () => {
    expect(await ask({ lua: script, object: withConditions(notReady, stalled) })).toEqual({
      value: { status: 'Degraded', message: 'errors: 4% and not at most 1%' },
    });
  });
});

describe("Argo CD's actions", () => {
  const offered = async (object: object): Promise<readonly string[]> => {
    const answer = await ask({ lua: actions['discovery.lua'], object });
    if ('error' in answer) throw new Error(answer.error);
    const found = answer.value as Readonly<Record<string, { disabled: boolean }>>;
    expect(Object.keys(found).toSorted()).toEqual(actions.definitions.map(({ name }) => name).toSorted());
    return Object.keys(found)
      .filter((name) => found[name]?.disabled === false)
      .toSorted();
  };

  test.each([
    ['nobody has looked at', objectWith(undefined), []],
    ['is ready', withConditions(ready), []],
    ['rolls out', withConditions(notReady, reconciling), ['abort', 'pause', 'promote-full']],
    [
      'waits for a person',
      withConditions(paused, reconciling),
      ['abort', 'promote', 'promote-full', 'resume'],
    ],
    ['was aborted', withConditions(notReady, stalled), ['retry']],
    ['can go back', objectWith({ observedGeneration: 3, previous: 'v1', conditions: [ready] }), ['rollback']],
  ])('of one that %s', async (_, object, expected) => {
    expect(await offered(object)).toEqual(expected);
  });

  test.each(actions.definitions.map((each) => [each.name, each['action.lua']] as const))(
    '%s asks by an annotation, and changes nothing else',
    async (name, lua) => {
      const object = objectWith({ observedGeneration: 3 }, { annotations: { 'a.example/b': 'c' } });
      const answer = await ask({ lua, object });
      expect(answer).toMatchObject({
        value: {
          ...object,
          metadata: {
            annotations: {
              'a.example/b': 'c',
              'switchyard.dev/order': expect.stringMatching(
                new RegExp(`^${name} \\d{4}-\\d\\d-\\d\\dT[\\d:]+Z$`),
              ),
            },
          },
        },
      });
      expect(await ask({ lua, object: objectWith(undefined) })).toMatchObject({
        value: { spec: { version: 'v2' } },
      });
    },
  );

  test('a script that formats text would be found out: Argo CD has no library for it', async () => {
    expect(await ask({ lua: 'return { message = string.format("%d", 1) }', object: {} })).toMatchObject({
      error: expect.stringContaining('attempt to index a non-table object(nil)'),
    });
  });
});
