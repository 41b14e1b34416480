/** Comes between the store and an API server, simulated or real: loses requests and answers, holds them back, counts them. */
import type { Objects } from '../../../src/adapters/kubernetes/store/objects.ts';

export interface Request {
  readonly kind: 'list' | 'get' | 'create' | 'replace' | 'delete';
  /** Of the objects, in the plural. */
  readonly of: string;
  /** Empty for a list. */
  readonly name: string;
  readonly isRehearsal: boolean;
}

/** May reject before the request is carried out, or after it, or hold it back. Resolves with the answer. */
export type Intervene = <Answer>(request: Request, carryOut: () => Promise<Answer>) => Promise<Answer>;

export function intervened(objects: Objects, intervene: Intervene): Objects {
  const request = (kind: Request['kind'], of: string, name: string, isRehearsal = false): Request => ({
    kind,
    of,
    name,
    isRehearsal,
  });
  return {
    list: (of, signal) => intervene(request('list', of.plural, ''), () => objects.list(of, signal)),
    get: (of, name, signal) =>
      intervene(request('get', of.plural, name), () => objects.get(of, name, signal)),
    create: (of, object, options) =>
      intervene(request('create', of.plural, object.metadata.name, options.isRehearsal), () =>
        objects.create(of, object, options),
      ),
    replace: (of, object, options) =>
      intervene(request('replace', of.plural, object.metadata.name, options.isRehearsal), () =>
        objects.replace(of, object, options),
      ),
    delete: (of, object, signal) =>
      intervene(request('delete', of.plural, object.name), () => objects.delete(of, object, signal)),
  };
}
