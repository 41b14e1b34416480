import { expect, test } from 'vitest';
import { type AcceptInput, acceptGoal } from '../../../src/goalstate/accept.ts';
import { type GoalState, MAX_GENERATION } from '../../../src/model/goal-state.ts';
import { serviceName, versionName } from '../../../src/model/names.ts';
import { anArtifact, v1, v2 } from '../../support/goals.ts';

const service = serviceName('manager');
const policy = { maxVersions: 3, allowDecommission: false, maxArtifactSize: 1_000_000 };

function goal(replaced: Partial<GoalState> = {}): GoalState {
  const versions = [{ version: v1, artifact: anArtifact(v1) }];
  return { service, generation: 7, replaces: 5, versions, decommission: false, ...replaced };
}

function accept(offered: Partial<GoalState>, input: Partial<AcceptInput> = {}) {
  return acceptGoal({
    service,
    current: goal({ generation: 5, replaces: 4 }),
    offered: goal(offered),
    policy,
    ...input,
  });
}

test('a newer goal state that replaces what the box has is taken, the first one too', () => {
  expect(accept({})).toEqual({ kind: 'Accept' });
  expect(accept({ replaces: 0 }, { current: undefined })).toEqual({ kind: 'Accept' });
});

test('the goal state that the box has already is kept, whatever it replaced when it was made', () => {
  expect(accept({ generation: 5, replaces: 5 })).toEqual({ kind: 'Keep' });
  expect(accept({ generation: 5, replaces: 3 })).toEqual({ kind: 'Keep' });
});

test('the same generation with other content is taken only where it says that it replaces it', () => {
  const versions = [{ version: v2, artifact: anArtifact(v2) }];
  expect(accept({ generation: 5, replaces: 5, versions })).toEqual({ kind: 'Accept' });
  expect(accept({ generation: 5, replaces: 4, versions })).toMatchObject({ code: 'WrongReplaces' });
});

const bad = (replaced: object) => ({ versions: [{ version: v1, artifact: anArtifact(v1, replaced) }] });

test.each<[string, Partial<GoalState>, string, string]>([
  ['a downgrade', { generation: 4 }, 'StaleGeneration', 'generation 4 is older than 5'],
  ['another replaces', { replaces: 4 }, 'WrongReplaces', 'replaces 4, and this box works towards 5'],
  ['another service', { service: serviceName('other') }, 'WrongService', '"other"'],
  ['a generation that is no number', { generation: Number.NaN }, 'MalformedGeneration', 'whole numbers'],
  ['an absurd generation', { generation: MAX_GENERATION + 1 }, 'MalformedGeneration', String(MAX_GENERATION)],
  ['a negative replaces', { replaces: -1 }, 'MalformedGeneration', '-1'],
  ['nothing to run', { versions: [] }, 'NothingToRun', 'does not order decommission'],
  ['decommission', { versions: [], decommission: true }, 'DecommissionNotAllowed', 'policy of this box'],
  ['decommission with versions', { decommission: true }, 'VersionsInDecommission', 'lists 1 versions'],
  ['a version twice', { versions: [...goal().versions, ...goal().versions] }, 'DuplicateVersion', 'v1 twice'],
  [
    'more versions than the box runs',
    {
      versions: ['a', 'b', 'c', 'd'].map((name) => ({
        version: versionName(name),
        artifact: anArtifact(v1),
      })),
    },
    'TooManyVersions',
    'at most 3',
  ],
  [
    'a name that is a path',
    { versions: [{ version: '../../etc' as typeof v1, artifact: anArtifact(v1) }] },
    'MalformedVersion',
    '"../../etc" must be lower-case',
  ],
  [
    "another version's artifact",
    { versions: [{ version: v1, artifact: anArtifact(v2) }] },
    'MalformedVersion',
    'v1',
  ],
  ['a scheme that is not fetched', bad({ url: 'ftp://files/v1' }), 'MalformedVersion', 'https://'],
  ['a short hash', bad({ sha256: 'abc' }), 'MalformedVersion', '64 hexadecimal'],
  ['an absurd size', bad({ size: 2 ** 60 }), 'MalformedVersion', 'from 1 to 1000000'],
  ['a size of nothing', bad({ size: 0 }), 'MalformedVersion', 'artifact.size 0'],
  ['no signature', bad({ signature: '' }), 'MalformedVersion', 'artifact.signature'],
  ['no program', bad({ command: [] }), 'MalformedVersion', 'name a program'],
  [
    'too many arguments',
    bad({ command: Array.from({ length: 200 }, () => 'x') }),
    'MalformedVersion',
    '200 parts',
  ],
  ['an argument with NUL', bad({ command: ['run', 'a\0b'] }), 'MalformedVersion', 'command[1]'],
])('%s is refused, with the reason', (_what, offered, code, words) => {
  expect(accept(offered)).toEqual({ kind: 'Refuse', code, reason: expect.stringContaining(words) });
});

test('decommission is taken where the policy of the customer allows it', () => {
  const offered = { versions: [], decommission: true };
  expect(accept(offered, { policy: { ...policy, allowDecommission: true } })).toEqual({ kind: 'Accept' });
});
