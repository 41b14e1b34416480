/** What a simulated fleet is like: its boxes, its waves and its gate, drawn by chance. */
import type { DelegatesSpec, Wave } from '../../../src/model/delegates.ts';
import type { WatcherIdentity } from '../../../src/model/goal-state.ts';
import { type MaintenanceWindow, WEEKDAYS } from '../../../src/model/spec.ts';
import type { Chance } from '../rollout-simulation/chance.ts';
import { watcherIdentity } from '../watchers.ts';

export const TICK = 10_000;

/** Open for the first twenty minutes of every hour that a life can see. */
const EVERY_HOUR: readonly MaintenanceWindow[] = Array.from({ length: 8 }, (_, hour) => ({
  days: WEEKDAYS,
  startMinute: hour * 60,
  duration: 1_200_000,
}));

const GROUPS = ['lab', 'north', 'south'] as const;

export function drawSpec(chance: Chance): DelegatesSpec {
  return {
    source: { kind: 'grpc' },
    activeWithin: 86_400_000,
    deadline: chance.of([600_000, 1_800_000]),
    onMissing: chance.of(['HoldBack', 'HoldBack', 'Wait', 'Proceed', 'Fail']),
    maxHeldBack: chance.of([5, 30, 100]),
    holdFor: 3_600_000,
    waves: drawWaves(chance),
  };
}

function drawWaves(chance: Chance): readonly Wave[] {
  const wave = (name: string, groups: readonly string[]): Wave => ({
    name,
    groups,
    canaries: chance.of([0, 0, 1, 2]),
    wait: chance.of([0, 60_000, 300_000]),
    windows: chance.in(0.15) ? EVERY_HOUR : [],
    maxInFlight: chance.of([1, 2, 4, 100]),
    maxFailed: chance.of([0, 0, 1, 3]),
  });
  return chance.of([
    () => [],
    () => [wave('all', [])],
    () => [wave('first', ['lab']), wave('rest', [])],
    () => [wave('first', ['lab']), wave('second', ['north']), wave('third', ['south'])],
  ])();
}

export function drawIdentity(chance: Chance, index: number): WatcherIdentity {
  return watcherIdentity({
    id: `box-${index}`,
    tenant: chance.of(['acme', 'globex', 'initech', 'umbrella']),
    group: chance.in(0.1) ? 'default' : chance.of(GROUPS),
    maxVersions: chance.of([1, 2, 3, 3, 4]),
  });
}
