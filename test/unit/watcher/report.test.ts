/** What is said of each version of a box, and since when. */
import { expect, test } from 'vitest';
import type { BoxVersion } from '../../../src/model/goal-state.ts';
import { instant } from '../../../src/model/instant.ts';
import { keyOf, LAST_GOOD_REST } from '../../../src/watcher/box.ts';
import { decide } from '../../../src/watcher/decide.ts';
import { boxVersions, refusalOfGoal } from '../../../src/watcher/report.ts';
import { artifact, box, goal, NOW, policy, process } from '../../support/boxes.ts';

const shown = (versions: readonly BoxVersion[]): string[] =>
  versions.map(({ version, state, reason }) => `${version} ${state}: ${reason}`);

test('versions come in the order of the goal state, then those that it does not name', () => {
  const versions = boxVersions(
    box({ goal: goal(['v3', 'v2']), processes: [process('v2'), process('v1', { state: 'Draining' })] }),
    [],
  );
  expect(versions.map(({ version }) => version)).toEqual(['v3', 'v2', 'v1']);
});

test('a state keeps its time while only its reason changes', () => {
  const fetching = (progress: string, now: number) =>
    box({
      now: instant(now),
      goal: goal(['v1']),
      artifacts: new Map([[keyOf(artifact('v1')), { kind: 'Fetching', progress } as const]]),
    });
  const before = boxVersions(fetching('1 byte', NOW), []);
  const [later] = boxVersions(fetching('2 bytes', NOW + 5_000), before);
  expect(later).toMatchObject({ state: 'Fetching', reason: '2 bytes', since: NOW });
});

test('a version that is one too many is refused, and the report says so', () => {
  const versions = boxVersions(box({ goal: goal(['v1', 'v2', 'v3']), limit: 2 }), []);
  expect(shown(versions)[0]).toBe('v1 Refused: the box runs at most 2 versions, and newer ones are wanted');
});

test('a version that was healthy keeps the artifact that it runs, and the report says so', () => {
  const other = artifact('v1', '1');
  const running = box({ goal: goal([other]), processes: [process('v1')] });
  expect(shown(boxVersions(running, []))[0]).toContain(
    'it runs another artifact than the goal state names now',
  );
  expect(decide(running)).toEqual([]);
});

test('one that was never healthy is started anew from another artifact', () => {
  const other = artifact('v1', '1');
  const stuck = process('v1', { state: 'Unready', wasHealthy: false });
  const actions = decide(box({ goal: goal([other]), processes: [stuck] }));
  expect(actions.map(({ kind }) => kind)).toEqual(['Fetch', 'Drain']);
});

test('what was given up is told with its reason and its restarts, and another artifact is tried', () => {
  const setback = {
    version: artifact('v1').version,
    artifact: keyOf(artifact('v1')),
    since: NOW,
    reason: 'exited with code 3',
    restarts: 2,
  };
  const given = box({ goal: goal(['v1']), setbacks: [setback] });
  expect(boxVersions(given, [])).toMatchObject([
    { state: 'CrashLooping', reason: 'exited with code 3', restarts: 2, since: NOW },
  ]);
  expect(decide(given)).toEqual([]);
  expect(decide({ ...given, goal: goal([artifact('v1', '1')]) })).toMatchObject([{ kind: 'Fetch' }]);
});

test('the last good version is tried again after a rest, where nothing else is healthy', () => {
  const good = artifact('v1');
  const setback = { version: good.version, artifact: keyOf(good), since: NOW, reason: 'ended', restarts: 2 };
  const down = box({
    goal: goal(['v1']),
    setbacks: [setback],
    lastGood: good,
    artifacts: new Map([[keyOf(good), { kind: 'Here' } as const]]),
  });
  expect(decide({ ...down, now: instant(NOW + LAST_GOOD_REST - 1) })).toEqual([]);
  expect(decide({ ...down, now: instant(NOW + LAST_GOOD_REST) })).toMatchObject([
    { kind: 'Start', artifact: { version: 'v1' } },
  ]);
});

test('each refusal of the policy is told to the controller', () => {
  const refused = box({ goal: goal(['v1', 'v2']), policy: policy({ allowedVersions: ['v3'] }) });
  expect(refusalOfGoal(refused)).toBe(
    "the customer's policy allows versions v3, not v1; the customer's policy allows versions v3, not v2",
  );
  expect(refusalOfGoal(box({ goal: goal([], { decommission: true }) }))).toContain('does not allow the box');
});
