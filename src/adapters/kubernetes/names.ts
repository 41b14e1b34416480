/** How objects of Kubernetes are called that belong to a version. */
import { createHash } from 'node:crypto';
import type { ServiceName, VersionName } from '../../model/names.ts';
import type { RolloutRecord } from '../../model/rollout.ts';

/** A label of DNS, which the name of a Service must be. */
const LONGEST = 63;
const HASH_DIGITS = 8;

/**
 * The name of a version's objects: service and version with dots as dashes, cut, and eight digits of a hash of both, so that
 * two versions never share one. It begins with a letter, as a Service's must.
 */
export function objectName(service: ServiceName, version: VersionName): string {
  return hashedName(`${service}-${version}`, `${service}/${version}`);
}

/** The name of a version's own copy of a ConfigMap or a Secret. */
export function copyName(of: {
  readonly service: ServiceName;
  readonly version: VersionName;
  readonly kind: string;
  readonly name: string;
}): string {
  const { service, version, kind, name } = of;
  return hashedName(`${name}-${version}`, `${service}/${version}/${kind}/${name}`);
}

/** The name of the object that shows a rollout. */
export function rolloutName({
  id,
  service,
  version,
}: Pick<RolloutRecord, 'id' | 'service' | 'version'>): string {
  return hashedName(`${service}-${version}`, id);
}

/** The name of a service's HTTPRoute: a user may well have one that is named as the service. */
export function httpRouteName(service: ServiceName): string {
  return hashedName(service, `httproute/${service}`);
}

/** The name of the Service that selects the primary's Pods, where the spec gives none: it must be a label of DNS. */
export function primaryServiceName(service: ServiceName): string {
  return readableName(service).slice(0, LONGEST).replace(/-+$/, '');
}

function hashedName(text: string, hashed: string): string {
  const hash = createHash('sha256').update(hashed).digest('hex').slice(0, HASH_DIGITS);
  const cut = readableName(text)
    .slice(0, LONGEST - HASH_DIGITS - 1)
    .replace(/-+$/, '');
  return `${cut}-${hash}`;
}

function readableName(text: string): string {
  const dashed = text.replaceAll('.', '-');
  return /^[a-z]/.test(dashed) ? dashed : `s-${dashed}`;
}
