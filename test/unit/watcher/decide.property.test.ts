/** What a watcher must never do, for every box that there can be (rule 12 and its kin). */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { instant } from '../../../src/model/instant.ts';
import { isWindowOpen } from '../../../src/model/windows.ts';
import { type Box, type BoxAction, type BoxProcess, keyOf } from '../../../src/watcher/box.ts';
import { decide, isWanted, wantedArtifacts } from '../../../src/watcher/decide.ts';
import * as boxes from '../../support/boxes.ts';
import { anyBox, artifact, process } from '../../support/boxes.ts';
import { full, seed } from '../../support/seed.ts';

const RUNS = full() ? 50_000 : 3_000;

function always(rule: (box: Box, actions: readonly BoxAction[]) => void): void {
  fc.assert(
    fc.property(anyBox, (box) => rule(box, decide(box))),
    { seed: seed(), numRuns: RUNS },
  );
}

const drained = (actions: readonly BoxAction[]): string[] =>
  actions.flatMap((action) => (action.kind === 'Drain' ? [action.version] : []));
const started = (actions: readonly BoxAction[]): string[] =>
  actions.flatMap((action) => (action.kind === 'Start' ? [action.artifact.version] : []));
const isHealthy = ({ state }: BoxProcess): boolean => state === 'Ready';

/** The box after the actions were begun. */
function afterwards(box: Box, actions: readonly BoxAction[]): Box {
  const gone = actions.flatMap((action) => (action.kind === 'GiveUp' ? [action.setback.version] : []));
  return {
    ...box,
    processes: [
      ...box.processes
        .filter(({ version }) => !gone.includes(version))
        .map((one) =>
          drained(actions).includes(one.version) ? { ...one, state: 'Draining' as const } : one,
        ),
      ...actions.flatMap((action) =>
        action.kind === 'Start'
          ? [
              process(action.artifact.version, {
                state: 'Starting',
                artifact: keyOf(action.artifact),
                wasHealthy: false,
              }),
            ]
          : [],
      ),
    ],
    setbacks: [
      ...box.setbacks.filter(({ version }) => !gone.includes(version)),
      ...actions.flatMap((action) => (action.kind === 'GiveUp' ? [action.setback] : [])),
    ],
  };
}

test('the last healthy version is never stopped, but by an allowed decommission or the switch of a box of one', () => {
  always((box, actions) => {
    if (box.goal?.decommission === true && box.policy.decommission) return;
    if (!box.processes.some(isHealthy) || afterwards(box, actions).processes.some(isHealthy)) return;
    expect(box.limit).toBe(1);
    // Its successor is here and verified, and is only waiting for the room.
    const successors = wantedArtifacts(box).filter((one) => box.artifacts.get(keyOf(one))?.kind === 'Here');
    expect(successors.length).toBeGreaterThan(0);
  });
});

test('what was healthy once, and may be again, stays where nothing else is healthy', () => {
  always((box, actions) => {
    if (box.goal?.decommission === true || box.limit === 1) return;
    for (const { version, wasHealthy } of box.processes.filter((one) =>
      drained(actions).includes(one.version),
    )) {
      const others = box.processes.filter((one) => one.version !== version && isHealthy(one));
      expect(!wasHealthy || others.length > 0).toBe(true);
    }
  });
});

test('nothing stops because the goal state is absent, names nothing, or is a decommission that the policy refuses', () => {
  always((box, actions) => {
    const { goal, policy } = box;
    const isEmpty = goal === undefined || (goal.decommission && !policy.decommission);
    if (isEmpty) expect(drained(actions)).toEqual([]);
    if (goal !== undefined && goal.versions.length === 0 && !goal.decommission) {
      expect(box.processes.filter((one) => one.wasHealthy && drained(actions).includes(one.version))).toEqual(
        [],
      );
    }
  });
});

test('a version is not started twice, nor one that still drains, nor one whose artifact is not here and verified', () => {
  always((box, actions) => {
    const starts = started(actions);
    expect(new Set(starts).size).toBe(starts.length);
    for (const action of actions) {
      if (action.kind !== 'Start') continue;
      expect(box.processes.map(({ version }) => version)).not.toContain(action.artifact.version);
      expect(box.artifacts.get(keyOf(action.artifact))).toEqual({ kind: 'Here' });
    }
  });
});

test('no more versions run than the stricter side allows, those that drain included', () => {
  always((box, actions) => {
    const running = box.processes.filter(({ state }) => state !== 'GivenUp').length;
    expect(running + started(actions).length).toBeLessThanOrEqual(Math.max(running, box.limit));
  });
});

test('a version that the policy does not allow is never fetched or started', () => {
  always((box, actions) => {
    for (const action of actions) {
      if (action.kind !== 'Start' && action.kind !== 'Fetch') continue;
      const { version } = action.artifact;
      const { allowedVersions } = box.policy;
      expect(
        allowedVersions.includes('*') || allowedVersions.some((one) => one.replace('*', '') === version),
      ).toBe(true);
    }
  });
});

test('a wanted version is never drained, and an unwanted one only where it is replaced, or was never healthy', () => {
  always((box, actions) => {
    if (box.goal?.decommission === true) return;
    const going = box.processes.filter(({ version }) => drained(actions).includes(version));
    for (const one of going) {
      expect(isWanted(one, box)).toBe(false);
      const isReplaced = box.processes.some((other) => isHealthy(other) && isWanted(other, box));
      const others = box.processes.filter((other) => isHealthy(other) && !going.includes(other));
      expect(isReplaced || !one.wasHealthy || others.length > 0 || box.limit === 1).toBe(true);
    }
  });
});

test('while the window is closed nothing changes, but that what ran is brought back', () => {
  always((box, actions) => {
    if (isWindowOpen(box.policy.windows, box.now) || box.goal?.decommission === true) return;
    expect(actions.filter(({ kind }) => kind === 'Fetch' || kind === 'Drain')).toEqual([]);
    const isEmpty = box.processes.every(({ state }) => state === 'GivenUp');
    for (const version of started(actions)) {
      if (!isEmpty) expect(version).toBe(box.lastGood?.version);
      expect(box.lastGood).toBeDefined();
    }
    expect(started(actions).length).toBeLessThanOrEqual(1);
  });
});

test('a switch whose window closes while the old version drains is ended all the same, and a new box waits', () => {
  const next = artifact('v2');
  const closed: Box = {
    ...boxes.box({ limit: 1, goal: boxes.goal([next]) }),
    policy: boxes.policy({ windows: [boxes.CLOSED] }),
    artifacts: new Map([[keyOf(next), { kind: 'Here' }]]),
  };
  expect(started(decide({ ...closed, lastGood: artifact('v1') }))).toEqual(['v2']);
  expect(
    decide({ ...closed, lastGood: artifact('v1'), processes: [process('v1', { state: 'Draining' })] }),
  ).toEqual([]);
  expect(decide(closed)).toEqual([]);
});

test('a version that was given up is started again by a later attempt, and by no earlier one', () => {
  const next = artifact('v2');
  const ordered = (attempt: number) =>
    boxes.goal([], { versions: [{ version: next.version, artifact: next, attempt }] });
  const given = boxes.box({
    artifacts: new Map([[keyOf(next), { kind: 'Here' }]]),
    setbacks: [
      { version: next.version, artifact: keyOf(next), since: boxes.NOW, reason: '', restarts: 3, attempt: 2 },
    ],
  });
  expect(decide({ ...given, goal: boxes.goal([next]) })).toEqual([]);
  expect(decide({ ...given, goal: ordered(2) })).toEqual([]);
  expect(started(decide({ ...given, goal: ordered(3) }))).toEqual(['v2']);
  const ended = { ...given, goal: ordered(3), processes: [process('v2', { state: 'GivenUp' })] };
  expect(decide(ended)).toMatchObject([{ kind: 'GiveUp', setback: { attempt: 3 } }]);
});

test('what does not get healthy is given up only where the last good version can take its place, and nothing else is healthy', () => {
  const next = artifact('v2');
  const hung = process('v2', { state: 'Starting', since: instant(boxes.NOW - 300_000) });
  const good = { lastGood: artifact('v1') };
  const switched = boxes.box({
    limit: 1,
    goal: boxes.goal([next]),
    processes: [hung],
    artifacts: new Map([next, good.lastGood].map((one) => [keyOf(one), { kind: 'Here' }])),
  });
  const actions = decide({ ...switched, ...good });
  expect(actions).toMatchObject([
    { kind: 'GiveUp', setback: { version: 'v2', reason: expect.stringContaining('never healthy since') } },
  ]);
  const ended = afterwards({ ...switched, ...good }, actions);
  expect(started(decide(ended))).toEqual(['v1']);
  expect(decide(switched)).toEqual([]);
  expect(decide({ ...switched, ...good, now: instant(boxes.NOW - 1) })).toEqual([]);
  expect(decide({ ...switched, ...good, processes: [{ ...hung, wasHealthy: true }] })).toEqual([]);
  expect(
    decide({ ...switched, ...good, limit: 2, processes: [hung, process('v3')] }).map(({ kind }) => kind),
  ).not.toContain('GiveUp');
  always((box, all) => {
    const given = box.processes.filter(
      ({ version, state }) =>
        state !== 'GivenUp' &&
        all.some((action) => action.kind === 'GiveUp' && action.setback.version === version),
    );
    for (const one of given) {
      expect([one.state, one.wasHealthy]).toEqual(['Starting', false]);
      expect(box.processes.filter(isHealthy)).toEqual([]);
      expect(box.lastGood).toBeDefined();
    }
  });
});

test('a decision that was carried out is not made again', () => {
  always((box, actions) => {
    const next = decide(afterwards(box, actions));
    const again = [...drained(next), ...started(next)];
    for (const version of [...drained(actions), ...started(actions)]) expect(again).not.toContain(version);
  });
});

test('where all goes well, a box comes to run exactly what is wanted', () => {
  fc.assert(
    fc.property(anyBox, (start) => {
      let box: Box = {
        ...start,
        policy: { ...start.policy, windows: [] },
        setbacks: [],
        processes: start.processes
          .filter(({ state }) => state !== 'GivenUp')
          .map((one) => ({ ...one, since: start.now })),
        artifacts: new Map([...start.artifacts].filter(([, { kind }]) => kind === 'Here')),
      };
      if (box.goal === undefined || box.goal.decommission || wantedArtifacts(box).length === 0) return;
      for (let round = 0; round < 40; round += 1) {
        const actions = decide(box);
        if (actions.length === 0 && box.processes.every(isHealthy)) break;
        const fetched = actions.flatMap((action) =>
          action.kind === 'Fetch' ? [keyOf(action.artifact)] : [],
        );
        const next = afterwards(box, actions);
        box = {
          ...next,
          artifacts: new Map([...next.artifacts, ...fetched.map((key) => [key, { kind: 'Here' }] as const)]),
          processes: next.processes
            .filter(({ state }) => state !== 'Draining')
            .map((one) => ({ ...one, state: 'Ready', wasHealthy: true })),
        };
      }
      expect(box.processes.map(({ version }) => version).toSorted()).toEqual(
        wantedArtifacts(box)
          .map(({ version }) => version)
          .toSorted(),
      );
    }),
    { seed: seed(), numRuns: RUNS },
  );
});
