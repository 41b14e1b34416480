/**
 * Makes what a version is of, once: its Pod template with the names of its own copies of ConfigMaps and Secrets, written down
 * in a ControllerRevision, which Kubernetes lets nobody change. From then on the version is put right after that, whatever
 * becomes of the spec and of the originals.
 */
import type { KubernetesRuntimeSpec } from '../../../model/kubernetes.ts';
import type { ServiceName, VersionName } from '../../../model/names.ts';
import type { KubernetesApi } from '../client/api.ts';
import { unlessNotFound } from '../client/api-error.ts';
import { CONFIG_MAP, CONTROLLER_REVISION, DEPLOYMENT, SECRET } from '../client/kinds.ts';
import type { Kind } from '../client/objects.ts';
import { versionOf } from '../labels.ts';
import { objectName } from '../names.ts';
import type { Caches } from './caches.ts';
import type { Configuration, Deployment, Mapping, Revision } from './objects.ts';
import {
  type Copy,
  copiedTemplate,
  type Made,
  namedPorts,
  sourceText,
  withOwnCopies,
  writtenTemplate,
} from './template.ts';
import { ofVersion, type VersionPlace } from './wanted.ts';
import type { Writer } from './writer.ts';

/** Something that is not there, or not as it must be: a sentence for an operator. */
class MakingError extends Error {
  override readonly name = 'MakingError';
}

export interface MakerOptions {
  readonly api: KubernetesApi;
  readonly namespace: string;
  readonly caches: Caches;
  readonly writer: Writer;
}

/** What a version was made of, and the text of the spec that said so. */
export interface MadeVersion extends Made {
  readonly source: string;
}

export class Maker {
  readonly #options: MakerOptions;
  /** As last seen, by name: what somebody deletes by hand comes back as it was. */
  readonly #revisions = new Map<string, MadeVersion>();
  readonly #copies = new Map<string, Configuration>();

  constructor(options: MakerOptions) {
    this.#options = options;
  }

  /** What the spec said when a version was made; undefined: it was not made yet. */
  sourceOf(service: ServiceName, version: VersionName): string | undefined {
    const source = this.#revision(service, version)?.data?.['source'];
    return typeof source === 'string' ? source : undefined;
  }

  /** What a version is made of; made now, where it was not before. Rejects with MakingError, or as the API does. */
  async make(place: VersionPlace, spec: KubernetesRuntimeSpec): Promise<MadeVersion> {
    const { service, version } = place;
    const name = objectName(service, version);
    const revision = this.#revision(service, version);
    const made = revision === undefined ? await this.#makeAgain(place, spec) : readRevision(revision);
    this.#revisions.set(name, made);
    for (const copy of made.copies) await this.#keep(place, copy);
    return made;
  }

  /** The version is gone: nothing of it comes back. */
  forget(service: ServiceName, version: VersionName): void {
    const name = objectName(service, version);
    for (const copy of this.#revisions.get(name)?.copies ?? []) this.#copies.delete(copy.name);
    this.#revisions.delete(name);
  }

  #revision(service: ServiceName, version: VersionName): Revision | undefined {
    return this.#options.caches.revisions.of(service).find((one) => versionOf(one) === version);
  }

  async #makeAgain(place: VersionPlace, spec: KubernetesRuntimeSpec): Promise<MadeVersion> {
    const { service, version, namespace } = place;
    const name = objectName(service, version);
    const made = this.#revisions.get(name) ?? (await this.#makeNew(place, spec));
    const data = { ...made } as unknown as Mapping;
    const isNew = await this.#options.writer.create(
      ofVersion(place, CONTROLLER_REVISION, { revision: 1, data }),
    );
    if (isNew) return made;
    // The cache did not have it yet.
    const { api } = this.#options;
    return readRevision(await api.get<Revision>(CONTROLLER_REVISION, { namespace, name }));
  }

  async #makeNew(place: VersionPlace, spec: KubernetesRuntimeSpec): Promise<MadeVersion> {
    const { template, copies } = withOwnCopies(await this.#template(place, spec), place);
    const { port } = spec;
    const names = namedPorts(template);
    if (typeof port === 'string' && !names.includes(port)) {
      throw new MakingError(
        `no container has a port named "${port}" (${names.length === 0 ? 'none has a name' : names.join(', ')}): write its number in spec.runtime.kubernetes.port`,
      );
    }
    const existing: Copy[] = [];
    for (const copy of copies) if (await this.#keep(place, copy)) existing.push(copy);
    return { template, port, copies: existing, source: sourceText(spec) };
  }

  async #template({ namespace, version }: VersionPlace, { pods }: KubernetesRuntimeSpec): Promise<Mapping> {
    if (pods.kind === 'template') return writtenTemplate(pods.template, version);
    const deployment = await this.#read<Deployment>(DEPLOYMENT, namespace, pods.name);
    if (deployment === undefined) {
      throw new MakingError(
        `there is no Deployment ${pods.name} in ${namespace}, whose Pod template spec.runtime.kubernetes.deployment wants to be copied`,
      );
    }
    const { template, unknown } = copiedTemplate(deployment, pods.images, version);
    if (unknown.length > 0) {
      throw new MakingError(
        `Deployment ${pods.name} has no container ${unknown.join(', ')}, which spec.runtime.kubernetes.deployment.images gives an image`,
      );
    }
    return template;
  }

  /** Makes a copy where there is none. False: there is no original, and Pods start without it. */
  async #keep(place: VersionPlace, copy: Copy): Promise<boolean> {
    const { caches, writer } = this.#options;
    const isMap = copy.kind === 'ConfigMap';
    const kind = isMap ? CONFIG_MAP : SECRET;
    const cache = isMap ? caches.configMaps : caches.secrets;
    const found = cache.of(place.service).find(({ metadata }) => metadata.name === copy.name);
    if (found !== undefined) {
      this.#copies.set(copy.name, found);
      return true;
    }
    const original =
      this.#copies.get(copy.name) ?? (await this.#read<Configuration>(kind, place.namespace, copy.of));
    if (original === undefined && copy.optional) return false;
    if (original === undefined) {
      throw new MakingError(
        `there is no ${copy.kind} ${copy.of} in ${place.namespace}, which its Pod template names`,
      );
    }
    await writer.create(ofVersion(place, kind, { ...contentOf(original), immutable: true }, copy.name));
    return true;
  }

  async #read<Read extends Deployment | Configuration>(
    kind: Kind,
    namespace: string,
    name: string,
  ): Promise<Read | undefined> {
    return this.#options.api.get<Read>(kind, { namespace, name }).catch(unlessNotFound);
  }
}

function contentOf({ data, binaryData, type }: Configuration): Mapping {
  return {
    ...(data === undefined ? {} : { data }),
    ...(binaryData === undefined ? {} : { binaryData }),
    // A token of a service account is filled in by Kubernetes; a copy only keeps it.
    ...(type === undefined ? {} : { type: type === 'kubernetes.io/service-account-token' ? 'Opaque' : type }),
  };
}

function readRevision({ metadata, data }: Revision): MadeVersion {
  const made = data as Partial<MadeVersion> | undefined;
  if (made?.template === undefined || made.port === undefined || made.copies === undefined)
    throw new MakingError(
      `ControllerRevision ${metadata.name} is not one of ours: it says nothing of template, port and copies`,
    );
  return { template: made.template, port: made.port, copies: made.copies, source: made.source ?? '' };
}
