/**
 * Objects of the Kubernetes API as they are on the wire: plain JSON. Typed models of a client library would turn times into
 * dates and drop fields that they do not know, which a later write would then remove.
 */
import type { Json } from '../../../model/json.ts';

/** A kind of objects, and where the API server has them. */
export interface Kind {
  /** Empty: the core group. */
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  /** As in paths. */
  readonly plural: string;
  readonly scope: 'Namespaced' | 'Cluster';
}

export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean;
  readonly blockOwnerDeletion?: boolean;
}

/** Fields of an object that one manager has written, and how. */
export interface ManagedFields {
  readonly manager?: string;
  readonly operation?: 'Apply' | 'Update';
  readonly subresource?: string;
  /** When it wrote last. */
  readonly time?: string;
  /** `f:spec` and so on: https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management. */
  readonly fieldsV1?: Json;
}

export interface ObjectMeta {
  readonly name: string;
  readonly namespace?: string;
  readonly uid?: string;
  /** Opaque: only equal or not. */
  readonly resourceVersion?: string;
  /** Of the spec. */
  readonly generation?: number;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly ownerReferences?: readonly OwnerReference[];
  readonly finalizers?: readonly string[];
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  /** Only where the reader has asked for it. */
  readonly managedFields?: readonly ManagedFields[];
}

/** Any object; what it holds beside its metadata is its kind's. */
export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
}

/** Where an object is. */
export interface ObjectPlace {
  /** Absent for kinds of the cluster, and for all namespaces together. */
  readonly namespace?: string;
  readonly name?: string;
  readonly subresource?: 'status' | 'scale' | 'token' | 'binding' | 'eviction' | 'portforward';
}

/** The path of a kind's objects, or of one of them. */
export function pathOf(kind: Kind, { namespace, name, subresource }: ObjectPlace = {}): string {
  const { group, version, plural } = kind;
  const parts = [
    ...(group === '' ? ['api', version] : ['apis', group, version]),
    ...(namespace === undefined ? [] : ['namespaces', namespace]),
    plural,
    ...(name === undefined ? [] : [name]),
    ...(subresource === undefined ? [] : [subresource]),
  ];
  return `/${parts.map(encodeURIComponent).join('/')}`;
}

export function apiVersionOf({ group, version }: Kind): string {
  return group === '' ? version : `${group}/${version}`;
}

/** `namespace/name`, or the name alone for kinds of the cluster. */
export function keyOf({ metadata: { namespace, name } }: KubernetesObject): string {
  return namespace === undefined ? name : `${namespace}/${name}`;
}
