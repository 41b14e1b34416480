/**
 * What the store asks of an API server: five requests about the objects of one namespace, as they are. Tests put a simulated
 * server in its place; one contract holds for both.
 */
import type { Ask, KubernetesApi } from '../client/api.ts';
import {
  apiVersionOf,
  type Kind,
  type KubernetesObject,
  type ObjectMeta,
  pathOf,
} from '../client/objects.ts';
import { list, slim } from '../client/watch.ts';
import { MANAGED_BY } from '../custom-resources.ts';

/** Every object of the store: what it holds is all in its spec, so that a restore that leaves out every status loses nothing. */
export interface StoredObject<Spec = object> extends KubernetesObject {
  readonly spec: Spec & Stamp;
}

/** What every write carries. */
export interface Stamp {
  /** Of the leader that wrote it. */
  readonly term: number;
  /** Made by chance for each write, so that a writer that got no answer knows its own work again. */
  readonly writeId: string;
}

export interface WriteOptions {
  readonly signal: AbortSignal;
  /** True: everything is checked, nothing is written. */
  readonly isRehearsal?: boolean;
}

/** All reject with KubernetesApiError where the server refuses, and with the connection's error where nothing was heard. */
export interface Objects {
  list<Item extends KubernetesObject>(kind: Kind, signal: AbortSignal): Promise<readonly Item[]>;
  get<Item extends KubernetesObject>(kind: Kind, name: string, signal: AbortSignal): Promise<Item>;
  /** Refused where there is one of this name. */
  create<Item extends KubernetesObject>(kind: Kind, object: Item, options: WriteOptions): Promise<Item>;
  /** Refused where the object is not the one of its `resourceVersion` any more. */
  replace<Item extends KubernetesObject>(kind: Kind, object: Item, options: WriteOptions): Promise<Item>;
  /** Refused where the object is not the one of this `uid`. */
  delete(
    kind: Kind,
    object: { readonly name: string; readonly uid: string },
    signal: AbortSignal,
  ): Promise<void>;
}

const FIELD_MANAGER = 'switchyard';

/** The objects of a namespace at a real API server. */
export function serverObjects(api: KubernetesApi, namespace: string): Objects {
  const query = ({ isRehearsal = false }: WriteOptions): NonNullable<Ask['query']> => ({
    fieldManager: FIELD_MANAGER,
    fieldValidation: 'Strict',
    dryRun: isRehearsal ? 'All' : undefined,
  });
  return {
    list: async (kind, signal) => (await list<never>(api, { kind, namespace }, signal)).items,
    get: async (kind, name, signal) => slim(await api.get(kind, { namespace, name }, signal)),
    create: async <Item extends KubernetesObject>(kind: Kind, object: Item, options: WriteOptions) =>
      slim(
        await api.json<Item>({
          method: 'POST',
          path: pathOf(kind, { namespace }),
          query: query(options),
          body: object,
          signal: options.signal,
        }),
      ),
    replace: async <Item extends KubernetesObject>(kind: Kind, object: Item, options: WriteOptions) =>
      slim(
        await api.json<Item>({
          method: 'PUT',
          path: pathOf(kind, { namespace, name: object.metadata.name }),
          query: query(options),
          body: object,
          signal: options.signal,
        }),
      ),
    async delete(kind, { name, uid }, signal) {
      const body = {
        apiVersion: 'v1',
        kind: 'DeleteOptions',
        propagationPolicy: 'Background',
        preconditions: { uid },
      };
      await api.json({ method: 'DELETE', path: pathOf(kind, { namespace, name }), body, signal });
    },
  };
}

/** Metadata of ours over that of the object as it was read: what others have put there stays. */
export function metadataOf(
  name: string,
  labels: Readonly<Record<string, string>>,
  before: ObjectMeta | undefined,
): ObjectMeta {
  return { ...before, name, labels: { ...before?.labels, ...MANAGED_BY, ...labels } };
}

/** An object of ours, to be written. */
export function objectOf<Spec extends object>(
  kind: Kind,
  metadata: ObjectMeta,
  spec: Spec & Stamp,
): StoredObject<Spec> {
  return { apiVersion: apiVersionOf(kind), kind: kind.kind, metadata, spec };
}
