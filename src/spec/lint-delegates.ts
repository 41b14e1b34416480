/** What is wrong with the delegates of a spec: who may be missing, boxes that no wave names, waits that cannot fit, a count that has no names. */
import type { VersionedService } from '../model/spec.ts';
import { formatDuration } from './duration.ts';
import { waveWaits } from './gate-times.ts';
import { error, type Finding, warning, when } from './lint-finding.ts';
import { lintCountQuery } from './lint-queries.ts';

/** The findings of spec.delegates, and of the drain where there are delegates. */
export function lintDelegates(service: VersionedService): readonly Finding[] {
  if (service.delegates.source.kind === 'none') return [];
  return [
    ...ofMissing(service),
    ...ofWaves(service),
    ...ofWaits(service),
    ...ofDrain(service),
    ...ofQuery(service),
  ];
}

function ofMissing({ delegates: { onMissing, maxHeldBack } }: VersionedService): readonly Finding[] {
  return [
    ...when(onMissing === 'Proceed', () =>
      warning(
        'spec.delegates.onMissing',
        'Proceed: tenants get a version that none of their delegates has, and their work waits for one; HoldBack keeps them on the version before',
      ),
    ),
    ...when(onMissing === 'HoldBack' && maxHeldBack === 100, () =>
      warning(
        'spec.delegates.maxHeldBack',
        '100: traffic moves on even where the delegates of every tenant are missing',
      ),
    ),
  ];
}

function ofWaves({ delegates: { waves } }: VersionedService): readonly Finding[] {
  return when(waves.length > 0 && waves.every(({ groups }) => groups.length > 0), () =>
    warning(
      'spec.delegates.waves',
      'boxes of a group that no wave names get no new version; end with a wave that has no groups',
    ),
  );
}

/** Waves that are still waiting cannot be ready. */
function ofWaits({ delegates }: VersionedService): readonly Finding[] {
  const needed = waveWaits(delegates);
  return when(needed >= delegates.deadline, () =>
    error(
      'spec.delegates.deadline',
      `"${formatDuration(delegates.deadline)}" is over before the last wave begins: the waves wait ${formatDuration(needed)} in all; wait less, or raise the deadline`,
    ),
  );
}

/** Work that waits for a delegate is in no instance's hands. */
function ofDrain({ drain: { source } }: VersionedService): readonly Finding[] {
  return when(source.kind === 'none' || source.kind === 'http', () =>
    warning(
      'spec.drain',
      source.kind === 'none'
        ? 'nobody counts the open work of a version, and its delegates go on with it: an operator must know when it is empty; write {workflow: {}}, {grpc: {}} or {promql: ...}'
        : 'http: each instance counts what it holds itself, and work that waits for a delegate may be held by none; where the instances keep their work in one store, write {workflow: {}}',
    ),
  );
}

function ofQuery({ delegates: { source } }: VersionedService): readonly Finding[] {
  if (source.kind !== 'promql') return [];
  return lintCountQuery({
    field: 'spec.delegates.promql.query',
    query: source.query,
    label: source.tenantLabel,
    lost: `adds up over all tenants, so no series has the label "${source.tenantLabel}" and no tenant is known; write sum by (${source.tenantLabel}) (...)`,
  });
}
