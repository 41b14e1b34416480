/**
 * Specs of objects into records: each generation is applied once, and what is refused is remembered with the reason. A service of
 * which nothing is recorded begins as it is found, or not at all.
 */
import { type ServiceName, serviceName } from '../model/names.ts';
import { type Found, OperationError, type Operations } from '../operations/types.ts';
import { type Beginning, beginningOf, type Traces } from './beginning.ts';
import type { ServiceObjectCache } from './cache.ts';
import { documentOf, type ServiceObject, writerOf } from './objects.ts';
import type { Records } from './records.ts';

export interface SpecsOptions {
  readonly cache: ServiceObjectCache;
  readonly operations: Operations;
  readonly records: Records;
  /** Whether proxies are shown anything yet. */
  readonly isOpen: () => boolean;
  /** What the cluster has of a service. */
  readonly tracesOf: (service: ServiceName) => Traces;
}

/** What is known of an object beside what it says. */
export interface Known {
  /** The generation of the spec that was applied; absent: none was. */
  readonly applied?: number;
  readonly refused?: { readonly generation: number; readonly message: string };
  /** What must be answered before it can be applied. */
  readonly question?: string;
}

export class Specs {
  readonly #options: SpecsOptions;
  readonly #known = new Map<string, Known>();

  constructor(options: SpecsOptions) {
    this.#options = options;
  }

  known(name: string): Known {
    return this.#known.get(name) ?? {};
  }

  forget(name: string): void {
    this.#known.delete(name);
  }

  /**
   * Applies an object. As long as proxies were never shown anything, all begin in one change, or none does: to a proxy that has
   * their routes already, one that begins later would be gone meanwhile.
   */
  async apply(object: ServiceObject): Promise<void> {
    const together = this.#options.isOpen() ? [object] : this.#all();
    const questions = new Map(together.flatMap((one) => this.#question(one)));
    const asked = [...questions.keys()].join(', ');
    for (const { metadata } of together) {
      const { question: _, ...known } = this.known(metadata.name);
      const others = `proxies are shown nothing before it is known who is primary of ${asked}`;
      const question = questions.get(metadata.name) ?? others;
      this.#known.set(metadata.name, asked === '' ? known : { ...known, question });
    }
    if (asked === '') await this.#apply(together);
  }

  #all(): readonly ServiceObject[] {
    const { cache } = this.#options;
    return cache
      .names()
      .flatMap((name) => cache.get(name) ?? [])
      .filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  }

  async #apply(objects: readonly ServiceObject[]): Promise<void> {
    const wanted = objects.filter(({ metadata: { name, generation = 0 } }) => {
      const { applied, refused } = this.known(name);
      return applied !== generation && refused?.generation !== generation;
    });
    if (wanted.length === 0) return;
    try {
      await this.#options.operations.apply({
        caller: callerOf(wanted),
        documents: wanted.map((object) => ({ file: fileOf(object), text: documentOf(object) })),
        expectedGenerations: new Map(),
        found: new Map(wanted.flatMap((object) => this.#found(object))),
        dryRun: false,
      });
      for (const { metadata } of wanted) this.#set(metadata, {});
    } catch (error) {
      if (!(error instanceof OperationError) || error.code !== 'InvalidArgument') throw error;
      await this.#applyWithout(wanted, error);
    }
  }

  /** Applies those that are not to blame, and the others one by one, so that each hears of its own fault. */
  async #applyWithout(wanted: readonly ServiceObject[], { message, details }: OperationError): Promise<void> {
    const [only, ...more] = wanted;
    if (only !== undefined && more.length === 0) {
      this.#set(only.metadata, { message });
      return;
    }
    const isNamed = (object: ServiceObject): boolean =>
      details.problems?.some(({ file }) => file === fileOf(object)) === true;
    await this.#apply(wanted.some(isNamed) ? wanted.filter((object) => !isNamed(object)) : []);
    for (const object of wanted) await this.#apply([object]);
  }

  #set(
    { name, generation = 0 }: ServiceObject['metadata'],
    { message }: { readonly message?: string },
  ): void {
    const { applied } = this.known(name);
    const kept = applied === undefined ? {} : { applied };
    this.#known.set(
      name,
      message === undefined ? { applied: generation } : { ...kept, refused: { generation, message } },
    );
  }

  #question(object: ServiceObject): readonly (readonly [string, string])[] {
    const beginning = this.#beginningOf(object);
    return beginning?.kind === 'Unknown' ? [[object.metadata.name, beginning.message]] : [];
  }

  #found(object: ServiceObject): readonly (readonly [ServiceName, Found])[] {
    const beginning = this.#beginningOf(object);
    return beginning?.kind === 'Found' ? [[serviceName(object.metadata.name), beginning.found]] : [];
  }

  /** Undefined: it has begun. */
  #beginningOf(object: ServiceObject): Beginning | undefined {
    const { records, tracesOf } = this.#options;
    const name = serviceName(object.metadata.name);
    return records().has(name) ? undefined : beginningOf(object, tracesOf(name));
  }
}

function fileOf({ metadata }: ServiceObject): string {
  return `VersionedService ${metadata.name}`;
}

function callerOf(objects: readonly ServiceObject[]): { readonly actor: string; readonly reason: string } {
  const actor = [...new Set(objects.map((object) => writerOf(object, 'spec')))].join(', ');
  const generations = objects.map(({ metadata: { name, generation = 0 } }) =>
    objects.length === 1 ? `generation ${generation} of the object` : name,
  );
  return { actor, reason: generations.join(', ') };
}
