/** Boxes for tests of a watcher's decisions: arbitrary ones, and small ones by hand. */
import fc from 'fast-check';
import type { Artifact, GoalState } from '../../src/model/goal-state.ts';
import { instant } from '../../src/model/instant.ts';
import { serviceName, versionName } from '../../src/model/names.ts';
import type { WatcherPolicy } from '../../src/model/watcher.ts';
import { defaultWatcherPolicy } from '../../src/spec/parse-watcher.ts';
import { type Box, type BoxProcess, keyOf } from '../../src/watcher/box.ts';

const SERVICE = serviceName('manager');
export const NOW = instant(Date.UTC(2026, 7, 5, 12));
/** A Wednesday, which NOW is. */
const OPEN = { days: ['Wednesday'], startMinute: 11 * 60, duration: 2 * 3_600_000 } as const;
export const CLOSED = { ...OPEN, startMinute: 14 * 60 } as const;

export function artifact(version: string, digit = '0', changes: Partial<Artifact> = {}): Artifact {
  return {
    service: SERVICE,
    version: versionName(version),
    url: `https://releases.example.com/${version}.tar.gz`,
    sha256: digit.repeat(56) + version.padStart(8, '0'),
    size: 1000,
    signature: `signed-${digit}-${version}`,
    command: ['${artifact}/delegate'],
    ...changes,
  };
}

export function goal(versions: readonly (string | Artifact)[], changes: Partial<GoalState> = {}): GoalState {
  const artifacts = versions.map((one) => (typeof one === 'string' ? artifact(one) : one));
  return {
    service: SERVICE,
    generation: 1,
    replaces: 0,
    versions: artifacts.map((each) => ({ version: each.version, artifact: each })),
    decommission: false,
    ...changes,
  };
}

export function process(version: string, changes: Partial<BoxProcess> = {}): BoxProcess {
  const state = changes.state ?? 'Ready';
  return {
    version: versionName(version),
    artifact: keyOf(artifact(version)),
    state,
    reason: 'as observed',
    since: NOW,
    restarts: 0,
    wasHealthy: state === 'Ready',
    ...changes,
  };
}

const DEFAULT_POLICY = defaultWatcherPolicy();

export function policy(changes: Partial<WatcherPolicy> = {}): WatcherPolicy {
  return { ...DEFAULT_POLICY, ...changes };
}

export function box(changes: Partial<Box> = {}): Box {
  return {
    now: NOW,
    policy: policy(),
    limit: 3,
    startDeadline: 300_000,
    processes: [],
    artifacts: new Map(),
    setbacks: [],
    ...changes,
  };
}

const VERSIONS = ['v1', 'v2', 'v3', 'v4', 'v5'];
const someArtifact = fc
  .record({ version: fc.constantFrom(...VERSIONS), digit: fc.constantFrom('0', '1') })
  .map(({ version, digit }) => artifact(version, digit));
const someArtifacts = fc.uniqueArray(someArtifact, { selector: ({ version }) => version, maxLength: 5 });

const someProcess = fc
  .record({
    artifact: someArtifact,
    state: fc.constantFrom<BoxProcess['state'][]>(
      'Starting',
      'Ready',
      'Ready',
      'Unready',
      'Down',
      'GivenUp',
      'Draining',
    ),
    wasHealthy: fc.boolean(),
    age: fc.nat(3_600_000),
  })
  .map(({ artifact: of, state, wasHealthy, age }) =>
    process(of.version, {
      artifact: keyOf(of),
      state,
      wasHealthy: wasHealthy || state === 'Ready',
      since: instant(NOW - age),
    }),
  );

const somePolicy = fc
  .record({
    windows: fc.constantFrom([], [OPEN], [CLOSED]),
    decommission: fc.boolean(),
    allowedVersions: fc.constantFrom(['*'], ['*'], ['v1', 'v2'], ['v3*']),
  })
  .map(policy);

const someStanding = fc.constantFrom(
  { kind: 'Here' } as const,
  { kind: 'Here' } as const,
  { kind: 'Fetching', progress: '' } as const,
  { kind: 'Failed', reason: 'no' } as const,
  { kind: 'Failed', reason: 'no', retryAt: instant(NOW - 1) } as const,
);

/** Every box that there can be, and more. */
export const anyBox: fc.Arbitrary<Box> = fc
  .record(
    {
      policy: somePolicy,
      limit: fc.integer({ min: 1, max: 4 }),
      goal: fc
        .record({ artifacts: someArtifacts, decommission: fc.constantFrom(false, false, false, true) })
        .map(({ artifacts, decommission }) => goal(artifacts, { decommission })),
      processes: fc.uniqueArray(someProcess, { selector: ({ version }) => version, maxLength: 5 }),
      standings: fc.dictionary(
        fc.constantFrom(...VERSIONS.flatMap((v) => [keyOf(artifact(v, '0')), keyOf(artifact(v, '1'))])),
        someStanding,
      ),
      setbacks: fc
        .uniqueArray(someArtifact, { selector: ({ version }) => version, maxLength: 3 })
        .map((all) =>
          all.map((one, index) => ({
            version: one.version,
            artifact: keyOf(one),
            since: instant(NOW - index * 400_000),
            reason: 'ended',
            restarts: 3,
          })),
        ),
      lastGood: someArtifact,
    },
    { requiredKeys: ['policy', 'limit', 'processes', 'standings', 'setbacks'] },
  )
  .map(({ standings, ...rest }) => box({ ...rest, artifacts: new Map(Object.entries(standings)) }));
