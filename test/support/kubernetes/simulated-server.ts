/**
 * An API server in memory, as far as the store asks one: versions of objects, conflicts, owners whose objects go with them.
 * test/contract/kubernetes-objects.ts holds for it and for a real one.
 */
import { KubernetesApiError } from '../../../src/adapters/kubernetes/client/api-error.ts';
import type { Kind, KubernetesObject } from '../../../src/adapters/kubernetes/client/objects.ts';
import type { Objects } from '../../../src/adapters/kubernetes/store/objects.ts';

export class SimulatedServer {
  readonly #objects = new Map<string, string>();
  #versions = 0;

  /** The objects of its one namespace. */
  connect(): Objects {
    const answer = async (signal: AbortSignal, carryOut: () => unknown): Promise<never> => {
      signal.throwIfAborted();
      return carryOut() as never;
    };
    return {
      list: (of, signal) => answer(signal, () => this.#list(of)),
      get: (of, name, signal) => answer(signal, () => this.#read(of, name)),
      create: (of, object, { signal, isRehearsal = false }) =>
        answer(signal, () => this.#create(of, object, isRehearsal)),
      replace: (of, object, { signal, isRehearsal = false }) =>
        answer(signal, () => this.#replace(of, object, isRehearsal)),
      delete: (of, { name, uid }, signal) => answer(signal, () => this.#delete(of, name, uid)),
    };
  }

  /** Throws KubernetesApiError where there is none. */
  #read(of: Kind, name: string): KubernetesObject {
    const text = this.#objects.get(`${of.plural}/${name}`);
    if (text === undefined) throw refusal(404, 'NotFound', `${of.plural} "${name}" not found`);
    return JSON.parse(text) as KubernetesObject;
  }

  #list(of: Kind): readonly KubernetesObject[] {
    return [...this.#objects]
      .filter(([key]) => key.startsWith(`${of.plural}/`))
      .toSorted(([one], [other]) => (one < other ? -1 : 1))
      .map(([, text]) => JSON.parse(text) as KubernetesObject);
  }

  #create(of: Kind, object: KubernetesObject, isRehearsal: boolean): KubernetesObject {
    const { name } = object.metadata;
    if (this.#objects.has(`${of.plural}/${name}`)) {
      throw refusal(409, 'AlreadyExists', `${of.plural} "${name}" already exists`);
    }
    return this.#store(of, object, { uid: `uid-${this.#versions + 1}`, isRehearsal });
  }

  #replace(of: Kind, object: KubernetesObject, isRehearsal: boolean): KubernetesObject {
    const { name, resourceVersion, uid } = object.metadata;
    const before = this.#read(of, name).metadata;
    if (resourceVersion !== before.resourceVersion || uid !== before.uid) {
      throw refusal(409, 'Conflict', `the object has been modified; ${of.plural} "${name}"`);
    }
    return this.#store(of, object, { uid, isRehearsal });
  }

  #store(
    of: Kind,
    object: KubernetesObject,
    { uid, isRehearsal }: { readonly uid: string | undefined; readonly isRehearsal: boolean },
  ): KubernetesObject {
    const metadata = { ...object.metadata, uid, resourceVersion: String(this.#versions + 1) };
    const text = JSON.stringify({ ...object, metadata });
    if (!isRehearsal) {
      this.#versions += 1;
      this.#objects.set(`${of.plural}/${object.metadata.name}`, text);
    }
    return JSON.parse(text) as KubernetesObject;
  }

  #delete(of: Kind, name: string, uid: string): void {
    const found = this.#read(of, name).metadata;
    if (found.uid !== uid)
      throw refusal(409, 'Conflict', `the UID in the precondition (${uid}) is not that of "${name}"`);
    this.#objects.delete(`${of.plural}/${name}`);
    for (const [key, text] of this.#objects) {
      const { metadata } = JSON.parse(text) as KubernetesObject;
      if (metadata.ownerReferences?.some((owner) => owner.uid === uid)) this.#objects.delete(key);
    }
  }
}

function refusal(code: number, reason: string, message: string): KubernetesApiError {
  return new KubernetesApiError({ code, reason, message });
}
