/** VersionedService objects as they are on the wire, and who wrote what in them. */
import type { Kind, KubernetesObject, ObjectMeta } from '../adapters/kubernetes/client/objects.ts';
import type { Condition } from './conditions.ts';
import type { OrderStatus } from './orders.ts';

export const VERSIONED_SERVICE: Kind = {
  group: 'switchyard.dev',
  version: 'v1alpha1',
  kind: 'VersionedService',
  plural: 'versionedservices',
  scope: 'Namespaced',
};

/** Keeps an object until its service was deleted here too. */
export const FINALIZER = 'switchyard.dev/service';
/** Says by the service's name that its default traffic may be dropped. */
export const CONFIRM_ANNOTATION = 'switchyard.dev/confirm-deletion';

export interface ManagedFields {
  readonly manager?: string;
  readonly operation?: string;
  readonly subresource?: string;
  readonly time?: string;
  readonly fieldsV1?: Readonly<Record<string, unknown>>;
}

export interface ServiceObject extends KubernetesObject {
  readonly metadata: ObjectMeta & { readonly managedFields?: readonly ManagedFields[] };
  readonly spec: unknown;
  readonly status?: {
    readonly observedGeneration?: number;
    readonly conditions?: readonly Condition[];
    readonly order?: OrderStatus;
  };
}

/** The object as a document, as a file would have it. */
export function documentOf({ apiVersion, kind, metadata: { name }, spec }: ServiceObject): string {
  return JSON.stringify({ apiVersion, kind, metadata: { name }, spec }, undefined, 2);
}

/** Who wrote a part of the object last, as far as the server keeps it: the name of a program, not of a person. */
export function writerOf({ metadata }: ServiceObject, part: 'f:spec' | 'f:annotations'): string {
  const [newest] = (metadata.managedFields ?? [])
    .filter(({ subresource, fieldsV1 }) => {
      const of = part === 'f:spec' ? fieldsV1 : (fieldsV1?.['f:metadata'] as Record<string, unknown>);
      return (subresource ?? '') === '' && of !== undefined && part in of;
    })
    .toSorted((one, other) => ((one.time ?? '') < (other.time ?? '') ? 1 : -1));
  return newest?.manager ?? 'kubernetes';
}
