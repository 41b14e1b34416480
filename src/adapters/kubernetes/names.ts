/** How objects of Kubernetes are called that belong to a version. */
import { createHash } from 'node:crypto';
import type { ServiceName, VersionName } from '../../model/names.ts';

/** A label of DNS, which the name of a Service must be. */
const LONGEST = 63;
const HASH_DIGITS = 8;

/**
 * The name of a version's objects: service and version with dots as dashes, cut, and eight digits of a hash of both, so that
 * two versions never share one. It begins with a letter, as a Service's must.
 */
export function objectName(service: ServiceName, version: VersionName): string {
  const hash = createHash('sha256').update(`${service}/${version}`).digest('hex').slice(0, HASH_DIGITS);
  const readable = `${service}-${version}`.replaceAll('.', '-');
  const begun = /^[a-z]/.test(readable) ? readable : `s-${readable}`;
  const cut = begun.slice(0, LONGEST - HASH_DIGITS - 1).replace(/-+$/, '');
  return `${cut}-${hash}`;
}
