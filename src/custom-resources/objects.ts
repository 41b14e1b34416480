/** VersionedService objects as they are on the wire, and who wrote what in them. */
import type { KubernetesObject, ManagedFields } from '../adapters/kubernetes/client/objects.ts';
import type { Condition } from './conditions.ts';
import type { OrderStatus } from './orders.ts';

/** Keeps an object until its service was deleted here too. */
export const FINALIZER = 'switchyard.dev/service';
/** Says by the service's name that its default traffic may be dropped. */
export const CONFIRM_ANNOTATION = 'switchyard.dev/confirm-deletion';

export interface ServiceObject extends KubernetesObject {
  readonly spec: unknown;
  readonly status?: {
    readonly observedGeneration?: number;
    readonly primary?: string;
    readonly weight?: number;
    readonly conditions?: readonly Condition[];
    readonly order?: OrderStatus;
  };
}

/** The object as a document, as a file would have it. */
export function documentOf({ apiVersion, kind, metadata: { name }, spec }: ServiceObject): string {
  return JSON.stringify({ apiVersion, kind, metadata: { name }, spec }, undefined, 2);
}

/** Who wrote a part of the object last, as far as the server keeps it: the name of a program, not of a person. */
export function writerOf({ metadata }: ServiceObject, part: 'spec' | 'annotations'): string {
  const writers = (metadata.managedFields ?? [])
    .filter((fields) => (fields.subresource ?? '') === '' && hasWritten(fields, part))
    .toSorted((one, other) => ((one.time ?? '') < (other.time ?? '') ? 1 : -1));
  return writers[0]?.manager ?? 'kubernetes';
}

function hasWritten({ fieldsV1 }: ManagedFields, part: 'spec' | 'annotations'): boolean {
  const fields = fieldsV1 as { readonly 'f:metadata'?: object } | undefined;
  const of = part === 'spec' ? fields : fields?.['f:metadata'];
  return of !== undefined && `f:${part}` in of;
}
