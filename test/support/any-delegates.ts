/** Arbitrary records of what a store keeps of delegates: goal states, waves, artifacts, watchers and rolls. */
import fc from 'fast-check';
import { type Artifact, BOX_VERSION_STATES, type BoxVersion } from '../../src/model/goal-state.ts';
import { instant } from '../../src/model/instant.ts';
import { serviceName, tenantName, versionName } from '../../src/model/names.ts';
import type { Roll } from '../../src/model/parity.ts';
import { rolloutId } from '../../src/model/rollout.ts';
import {
  type DelegatesRecord,
  type GenerationVersion,
  GOAL_ROLES,
  WAVE_PHASES,
  type WavesRecord,
} from '../../src/model/waves.ts';
import type { DelegateId } from '../../src/model/workflow.ts';
import type { WatcherSeen } from '../../src/ports/store.ts';

const version = fc.constantFrom('v1', '1.8.3', 'v42').map(versionName);
const service = fc.constantFrom('manager', 'a.b', 'x-1').map(serviceName);
const tenant = fc.constantFrom('acme', 'a b', '~').map(tenantName);
const box = fc.stringMatching(/^[A-Za-z0-9._-]{1,20}$/).map((id) => id as DelegateId);
const words = fc.string({ unit: 'binary', maxLength: 12 });
const at = fc.nat(1_000_000).map(instant);
const count = fc.nat(1_000_000);
const rollout = fc.tuple(service, version, count).map(([name, of, number]) => rolloutId(name, of, number));

/** With each of the optional fields, or without. */
function some<T extends object, More extends object>(
  fields: { [Key in keyof T]: fc.Arbitrary<T[Key]> },
  more: { [Key in keyof More]: fc.Arbitrary<More[Key]> },
): fc.Arbitrary<T & Partial<More>> {
  const all = { ...fields, ...more } as Record<string, fc.Arbitrary<unknown>>;
  return fc.record(all, { requiredKeys: Object.keys(fields) }) as unknown as fc.Arbitrary<T & Partial<More>>;
}

/** Any artifact. */
export const anyArtifact: fc.Arbitrary<Artifact> = fc.record({
  service,
  version,
  url: words,
  sha256: words,
  size: count,
  signature: words,
  command: fc.array(words, { maxLength: 3 }),
});

const waves: fc.Arbitrary<WavesRecord> = some(
  {
    rollout,
    candidate: version,
    waves: fc.array(
      fc.record({
        name: words,
        groups: fc.array(words, { maxLength: 2 }),
        canaries: count,
        wait: count,
        windows: fc.constant([]),
        maxInFlight: count,
        maxFailed: count,
      }),
      { maxLength: 2 },
    ),
    wave: count,
    phase: fc.constantFrom(...WAVE_PHASES),
    since: at,
    admittedTo: fc.integer({ min: -1, max: 2 ** 31 - 1 }),
    admitted: count,
    forgiven: fc.record({ here: count, before: count }),
  },
  {
    hasSucceeded: fc.boolean(),
    halt: fc.record({
      reason: fc.constantFrom('CanaryFailed' as const, 'TooManyFailed' as const, 'Operator' as const),
      because: words,
      since: at,
    }),
    order: fc.record({
      kind: fc.constantFrom('Resume' as const, 'Skip' as const),
      by: words,
      reason: words,
      at,
    }),
  },
);

const generationVersion: fc.Arbitrary<GenerationVersion> = some(
  { version, artifact: words, role: fc.constantFrom(...GOAL_ROLES) },
  { attempt: count, admission: fc.record({ rollout, wave: count, admittedTo: count }) },
);

/** Any record of what the boxes of a service are told. */
export const anyDelegatesRecord: fc.Arbitrary<DelegatesRecord> = some(
  {
    current: fc.record({
      generation: count,
      at,
      because: words,
      versions: fc.array(generationVersion, { maxLength: 3 }),
      decommissioned: fc.array(box, { maxLength: 2 }),
    }),
    past: fc.array(
      fc.record({ generation: count, at, because: words, versions: fc.array(version, { maxLength: 2 }) }),
      { maxLength: 2 },
    ),
    waves: fc.array(waves, { maxLength: 2 }),
    decommissions: fc.array(fc.record({ delegate: box, by: words, reason: words, since: at }), {
      maxLength: 2,
    }),
  },
  {
    retries: fc.array(fc.record({ version, attempt: count, by: words, reason: words, at }), { maxLength: 2 }),
    foreign: fc.array(fc.record({ above: count, upTo: count }), { maxLength: 2 }),
  },
);

const boxVersion: fc.Arbitrary<BoxVersion> = some(
  { version, state: fc.constantFrom(...BOX_VERSION_STATES), reason: words, since: at, restarts: count },
  { openTasks: count },
);

/** Any watcher, as it is stored. */
export const anyWatcher: fc.Arbitrary<WatcherSeen> = fc.record({
  identity: fc.record({
    id: box,
    service,
    tenant,
    group: words,
    tags: fc.array(words, { maxLength: 2 }),
    maxVersions: count,
    release: words,
  }),
  report: some(
    {
      seen: count,
      applied: count,
      refusal: words,
      versions: fc.array(boxVersion, { maxLength: 3 }),
      diskFree: count,
    },
    { windowOpens: at },
  ),
  lastSeen: at,
});

/** Any roll. */
export const anyRoll: fc.Arbitrary<Roll> = fc.oneof(
  fc.record({
    kind: fc.constant('named' as const),
    fixedAt: at,
    boxes: fc.array(fc.record({ delegate: box, tenant }), { maxLength: 4 }),
  }),
  fc.record({
    kind: fc.constant('counted' as const),
    fixedAt: at,
    tenants: fc.array(fc.record({ tenant, count }), { maxLength: 4 }),
  }),
);
