/**
 * The only place that writes. Only the leader may: it is asked right before each write, since a process that was paused leads
 * no more when it wakes. Fields that a person changed by hand become ours again; a program that applies them too is left
 * alone, and named: two that put each other right would never end.
 */
import type { KubernetesApi } from '../client/api.ts';
import { isConflict, isNotFound, KubernetesApiError } from '../client/api-error.ts';
import { type Kind, type KubernetesObject } from '../client/objects.ts';
import { isOurs, serviceOf, versionOf } from '../labels.ts';
import { fingerprint, holds, strangersIn } from './differs.ts';
import type { Deployment, Mapping } from './objects.ts';
import type { WantedObject } from './wanted.ts';

export interface WriterOptions {
  readonly api: KubernetesApi;
  readonly isLeader: () => boolean;
}

/** This replica leads no more: whoever does will do it. */
export class NotLeaderError extends Error {
  override readonly name = 'NotLeaderError';
}

/** What the server made of an object that was applied as `wanted`. */
interface Answer {
  readonly wanted: string;
  readonly answer: string;
}

export class Writer {
  readonly #options: WriterOptions;
  /** The server writes some values in another way than they were applied: then its own answer is what is right. */
  readonly #answers = new Map<string, Answer>();

  constructor(options: WriterOptions) {
    this.#options = options;
  }

  /** Whether the object is as it was wanted, so that nothing need be written. */
  isAsWanted({ kind, object }: WantedObject, found: KubernetesObject | undefined): boolean {
    if (found === undefined) return false;
    if (this.isAsAnswered({ kind, object }, found)) return true;
    return holds(object, found as typeof object) && strangersIn(found).length === 0;
  }

  /** Whether the object is what the server made of it when it was applied so. */
  isAsAnswered({ kind, object }: WantedObject, found: KubernetesObject): boolean {
    const known = this.#answers.get(keyOf(kind, object));
    return known?.wanted === JSON.stringify(object) && known.answer === fingerprint(found, object);
  }

  /**
   * Applies an object; with a `resourceVersion` only where it has not changed since. Rejects with NotLeaderError, with a
   * sentence where another program applies it too, or as the API does.
   */
  async apply({ kind, object }: WantedObject, resourceVersion?: string): Promise<void> {
    this.#mustLead();
    const { namespace = '', name } = object.metadata;
    const sent =
      resourceVersion === undefined
        ? object
        : { ...object, metadata: { ...object.metadata, resourceVersion } };
    const apply = (force: boolean): Promise<KubernetesObject> =>
      this.#options.api.apply(kind, { namespace, name }, { object: sent, manager: 'switchyard', force });
    const answer = await apply(false).catch((error: unknown) => {
      const others = conflictsIn(error).filter(({ isApplied }) => isApplied);
      if (!isConflict(error) || others.length > 0) throw conflictError(kind, object, error, others);
      this.#mustLead();
      return apply(true);
    });
    this.#answers.set(keyOf(kind, object), {
      wanted: JSON.stringify(object),
      answer: fingerprint(answer, object),
    });
  }

  /**
   * Takes out what others have added to an object that is ours as a whole, by replacing it with what is wanted. False: it has
   * changed since, and the news of that is on its way. Rejects with a sentence where one of them applies it, and would again.
   */
  async takeOutAdded({ kind, object }: WantedObject, found: KubernetesObject): Promise<boolean> {
    const appliers = strangersIn(found).filter(({ operation }) => operation === 'Apply');
    if (appliers.length > 0) {
      const names = appliers.map(({ manager = '' }) => manager).join(', ');
      throw new Error(
        `${kind.kind} ${object.metadata.name}: ${names} applies fields of its Pods: take these out of what it applies`,
      );
    }
    this.#mustLead();
    const { namespace = '', name } = object.metadata;
    const { replicas } = (found as Deployment).spec;
    const spec = { ...(replicas === undefined ? {} : { replicas }), ...(object['spec'] as Mapping) };
    const whole = { ...object, metadata: found.metadata, spec };
    try {
      await this.#options.api.replace(kind, { namespace, name }, whole, 'switchyard');
      return true;
    } catch (error) {
      if (isConflict(error)) return false;
      throw error;
    }
  }

  /** Writes a whole object that was read. Rejects with NotLeaderError, or as the API does: also where it has changed since. */
  async replace(kind: Kind, object: KubernetesObject): Promise<void> {
    this.#mustLead();
    const { namespace = '', name } = object.metadata;
    await this.#options.api.replace(kind, { namespace, name }, object, 'switchyard');
  }

  /** Makes an object that nobody may change afterwards. False: there is one already, which is ours now. */
  async create(wanted: WantedObject): Promise<boolean> {
    const { kind, object } = wanted;
    this.#mustLead();
    try {
      await this.#options.api.create(kind, { namespace: object.metadata.namespace ?? '' }, object);
      return true;
    } catch (error) {
      if (!(error instanceof KubernetesApiError) || error.reason !== 'AlreadyExists') throw error;
      await this.#takeBack(wanted);
      return false;
    }
  }

  /** An object that was let go of, when Switchyard was uninstalled, belongs to its version again. */
  async #takeBack({ kind, object }: WantedObject): Promise<void> {
    const { namespace = '', name, labels, ownerReferences = [] } = object.metadata;
    const { api } = this.#options;
    const found = await api.get(kind, { namespace, name });
    const isOfVersion = serviceOf(found) === serviceOf(object) && versionOf(found) === versionOf(object);
    if (isOurs(found) || !isOfVersion) return;
    this.#mustLead();
    const { resourceVersion } = found.metadata;
    const body = { metadata: { resourceVersion, labels, ownerReferences } };
    await api.merge(kind, { namespace, name }, body, 'switchyard');
  }

  /**
   * Keeps the number of Pods that a Deployment has now, under another name: without that, the number would go back to one when
   * we apply it no longer, until its autoscaler has looked.
   */
  async handOverReplicas(kind: Kind, found: KubernetesObject, replicas: number): Promise<void> {
    this.#mustLead();
    const { apiVersion, metadata } = found;
    const { namespace = '', name } = metadata;
    const object = { apiVersion, kind: kind.kind, metadata: { name, namespace }, spec: { replicas } };
    const manager = 'switchyard-handover';
    await this.#options.api.apply(kind, { namespace, name }, { object, manager, force: true });
  }

  /** Deletes this very object, not another one that has its name by now. */
  async delete(kind: Kind, { metadata }: KubernetesObject): Promise<void> {
    this.#mustLead();
    const { namespace = '', name, uid = '' } = metadata;
    try {
      await this.#options.api.delete(kind, { namespace, name }, { uid, propagation: 'Background' });
    } catch (error) {
      if (!isNotFound(error) && !isConflict(error)) throw error;
    }
  }

  #mustLead(): void {
    if (!this.#options.isLeader()) throw new NotLeaderError('another replica leads');
  }
}

interface FieldConflict {
  readonly field: string;
  readonly manager: string;
  /** By server-side apply, so a program that will do it again; else by hand. */
  readonly isApplied: boolean;
}

/** The server names who changed a field by other means than applying with the version of the API: `"kubectl-edit" using apps/v1`. */
function conflictsIn(error: unknown): readonly FieldConflict[] {
  if (!(error instanceof KubernetesApiError)) return [];
  return error.causes.flatMap(({ field, message }) => {
    const [, manager, how = ''] = /^conflict with "([^"]*)"(.*)$/.exec(message) ?? [];
    if (manager === undefined || manager.startsWith('switchyard')) return [];
    return [{ field, manager, isApplied: !how.includes(' using ') }];
  });
}

function conflictError(
  { kind }: Kind,
  { metadata }: KubernetesObject,
  error: unknown,
  others: readonly FieldConflict[],
): unknown {
  if (others.length === 0) return error;
  const names = [...new Set(others.map(({ manager }) => manager))].join(', ');
  const fields = others.map(({ field }) => field).join(', ');
  return new Error(
    `${kind} ${metadata.name}: ${names} applies ${fields} too: take these out of what it applies`,
    { cause: error },
  );
}

function keyOf({ plural }: Kind, { metadata }: KubernetesObject): string {
  return `${plural}/${metadata.name}`;
}
