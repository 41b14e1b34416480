/** Whether an object is as it was applied. What the server and others have added beside it does not count. Pure. */
import type { Json } from '../../../model/json.ts';
import type { KubernetesObject, ManagedFields } from '../client/objects.ts';

/** Whether everything that is wanted is there with the same value. A value that the server writes in another way differs. */
export function holds(wanted: Json, found: Json | undefined): boolean {
  if (typeof wanted !== 'object' || wanted === null) return wanted === found;
  if (typeof found !== 'object' || found === null) return false;
  if (Array.isArray(wanted)) {
    return Array.isArray(found) && holdsList(wanted as readonly Json[], found as readonly Json[]);
  }
  if (Array.isArray(found)) return false;
  const values = found as { readonly [name: string]: Json };
  return Object.entries(wanted as { readonly [name: string]: Json }).every(([name, value]) =>
    // The server leaves out what is empty.
    isEmpty(value) ? true : holds(value, values[name]),
  );
}

/**
 * What makes an object the one that it is. Left out is what others may write: states, who wrote what, and the number of Pods
 * where that is not ours.
 */
export function fingerprint(object: KubernetesObject, wanted: KubernetesObject): string {
  const { metadata, status: _, spec, ...content } = object as ObjectWithSpec;
  const { replicas, ...rest } = spec ?? {};
  const { labels, ownerReferences } = metadata;
  const isCounted = (wanted as ObjectWithSpec).spec?.['replicas'] !== undefined;
  return JSON.stringify([labels, ownerReferences, content, rest, isCounted ? replicas : undefined]);
}

interface ObjectWithSpec extends KubernetesObject {
  readonly status?: unknown;
  readonly spec?: { readonly [name: string]: Json };
}

/**
 * Who else has written in the Pods of a Deployment. A field that somebody adds beside ours is theirs, and applying ours again
 * leaves it there. An annotation of the template, by which kubectl restarts all Pods, is not counted.
 */
export function strangersIn({ metadata }: KubernetesObject): readonly ManagedFields[] {
  return (metadata.managedFields ?? []).filter(
    ({ manager = '', subresource, fieldsV1 }) =>
      !manager.startsWith('switchyard') &&
      subresource === undefined &&
      has(fieldsV1, ['f:spec', 'f:template', 'f:spec']),
  );
}

function has(value: Json | undefined, [key, ...rest]: readonly string[]): boolean {
  if (key === undefined) return value !== undefined;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return has((value as { readonly [name: string]: Json })[key], rest);
}

/** Elements with names are found by them: an injected container stands beside ours. */
function holdsList(wanted: readonly Json[], found: readonly Json[]): boolean {
  const names = wanted.map(nameOf);
  if (names.every((name) => name !== undefined)) {
    return wanted.every((item, index) => {
      const same = found.find((other) => nameOf(other) === names[index]);
      return same !== undefined && holds(item, same);
    });
  }
  return wanted.length === found.length && wanted.every((item, index) => holds(item, found[index]));
}

function nameOf(value: Json): string | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const { name } = value as { readonly name?: Json };
  return typeof name === 'string' ? name : undefined;
}

function isEmpty(value: Json): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}
