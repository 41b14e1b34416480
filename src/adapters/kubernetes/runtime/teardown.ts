/** What is taken away of a version that nobody wants any more, in order: what runs it first, and the rest when no Pod is left. Pure. */
import type { ServiceName, VersionName } from '../../../model/names.ts';
import * as kinds from '../client/kinds.ts';
import type { Kind, KubernetesObject } from '../client/objects.ts';
import { serviceOf, versionOf } from '../labels.ts';
import { objectName } from '../names.ts';
import type { Caches } from './caches.ts';

export interface Doomed {
  readonly kind: Kind;
  readonly object: KubernetesObject;
}

/** What is to be deleted now. Its Service stays until its Pods are gone, so that they are seen to end. */
export function doomedObjects(caches: Caches, service: ServiceName, version: VersionName): readonly Doomed[] {
  const of = (kind: Kind, objects: readonly KubernetesObject[]): readonly Doomed[] =>
    objects
      .filter((object) => versionOf(object) === version && object.metadata.deletionTimestamp === undefined)
      .map((object) => ({ kind, object }));
  const runs = [
    ...of(kinds.AUTOSCALER, caches.autoscalers.of(service)),
    ...of(kinds.DEPLOYMENT, caches.deployments.of(service)),
  ];
  const isRunning = [...caches.deployments.of(service), ...caches.pods.of(service)].some(
    (object) => versionOf(object) === version,
  );
  if (isRunning) return runs;
  return [
    ...runs,
    ...of(kinds.DISRUPTION_BUDGET, caches.budgets.of(service)),
    ...of(kinds.SERVICE, caches.services.of(service).filter(isVersionsOwn)),
    ...of(kinds.CONFIG_MAP, caches.configMaps.of(service)),
    ...of(kinds.SECRET, caches.secrets.of(service)),
    // Last: as long as it is there the version is known.
    ...of(kinds.CONTROLLER_REVISION, caches.revisions.of(service)),
  ];
}

/** The primary's Service has its labels too, and another name. */
function isVersionsOwn(object: KubernetesObject): boolean {
  const [service, version] = [serviceOf(object), versionOf(object)];
  return (
    service !== undefined && version !== undefined && object.metadata.name === objectName(service, version)
  );
}

/** The versions of a service of which anything is there. */
export function madeVersions(caches: Caches, service: ServiceName): readonly VersionName[] {
  const objects: readonly KubernetesObject[] = [
    ...caches.revisions.of(service),
    ...caches.deployments.of(service),
    ...caches.pods.of(service),
    ...caches.configMaps.of(service),
    ...caches.secrets.of(service),
    ...caches.budgets.of(service),
    ...caches.autoscalers.of(service),
    ...caches.services.of(service).filter(isVersionsOwn),
  ];
  return [...new Set(objects.flatMap((object) => versionOf(object) ?? []))].toSorted();
}

/** Those of them that run, and are not being taken away. */
export function runningVersions(caches: Caches, service: ServiceName): readonly VersionName[] {
  return caches.deployments
    .of(service)
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .flatMap((object) => versionOf(object) ?? [])
    .toSorted();
}
