/** The runtimes by kind, behind one face: which instances a record has, and who runs them. */
import type { Instance } from '../model/instance.ts';
import type { ServiceName, VersionName } from '../model/names.ts';
import type { RuntimeSpec } from '../model/spec.ts';
import type { ServiceRecord } from '../model/state.ts';
import type { Runtime } from '../ports/runtime.ts';
import type { WorkRequest } from '../ports/work-source.ts';

/** One adapter for each kind of runtime that a spec can ask for; a kind that is absent is refused at apply. */
export type RuntimeSet = Readonly<Partial<Record<RuntimeSpec['kind'], Runtime>>>;

/** The instances of a service; none where its kind of runtime is not offered here. */
export function instancesOf(runtimes: RuntimeSet, record: ServiceRecord): readonly Instance[] {
  return runtimes[record.spec.runtime.kind]?.instances(record.name) ?? [];
}

/** The versions that the service's runtime lists by address. */
export function offeredVersions(runtimes: RuntimeSet, record: ServiceRecord): readonly VersionName[] {
  return runtimes[record.spec.runtime.kind]?.offered(record.name) ?? [];
}

/** The versions whose instances should run. */
function wantedVersions(record: ServiceRecord): readonly VersionName[] {
  return record.versions
    .filter(({ state, retirement }) => state !== 'Retired' && retirement?.step !== 'StoppingInstances')
    .map(({ name }) => name)
    .toSorted();
}

/** Tells the service's runtime what should run. */
export async function wantVersions(runtimes: RuntimeSet, record: ServiceRecord): Promise<void> {
  await runtimes[record.spec.runtime.kind]?.want({
    service: record.name,
    spec: record.spec.runtime,
    versions: wantedVersions(record),
  });
}

/** Stops what belongs to services that are neither recorded nor wished for: a crash within a deletion may have left it. */
export async function forgetUnknown(
  options: { readonly runtimes: RuntimeSet; readonly isWishedElsewhere?: (service: ServiceName) => boolean },
  records: ReadonlyMap<ServiceName, ServiceRecord>,
): Promise<void> {
  const { runtimes, isWishedElsewhere = () => false } = options;
  for (const [kind, runtime] of Object.entries(runtimes)) {
    for (const service of runtime.services()) {
      const record = records.get(service);
      if (record === undefined && isWishedElsewhere(service)) continue;
      if (record?.spec.runtime.kind !== kind) await runtime.forget(service);
    }
  }
}

/** Resolves when the instances that already ran have been looked at. */
export async function settled(runtimes: RuntimeSet, record: ServiceRecord): Promise<void> {
  await runtimes[record.spec.runtime.kind]?.settled(record.name);
}

/** What the service's runtime reports that no single instance shows. */
export function runtimeProblems(runtimes: RuntimeSet, record: ServiceRecord): readonly string[] {
  return runtimes[record.spec.runtime.kind]?.problems(record.name) ?? [];
}

/** Who may be asked for the open work of a version: its own instances, and those of the service's other versions. */
export function whoAnswers(
  instances: readonly Instance[],
  version: VersionName,
): Pick<WorkRequest, 'instances' | 'peers'> {
  return {
    instances: instances.filter((instance) => instance.version === version),
    peers: instances.filter((instance) => instance.version !== version),
  };
}
