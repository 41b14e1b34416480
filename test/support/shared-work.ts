/**
 * Managers that keep their work in one store, over gRPC on loopback: any of them answers for any version, by
 * VersionWorkService and DelegateDirectoryService. A test sets what the store holds, and which of them answer.
 */
import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromMs, timestampMs, timestampNow } from '@bufbuild/protobuf/wkt';
import {
  DelegateDirectoryService,
  type DelegateRegistrationSchema,
  type ListDelegatesRequest,
  type ListDelegatesResponseSchema,
  type VersionWorkSchema,
  VersionWorkService,
} from '../../src/gen/switchyard/work/v1/workflow_pb.js';
import type { Instance } from '../../src/model/instance.ts';
import { anInstance } from './records.ts';
import { UnaryServer } from './unary-server.ts';

type Work = MessageInitShape<typeof VersionWorkSchema>;
type Page = MessageInitShape<typeof ListDelegatesResponseSchema>;

/** What all managers share. */
export class SharedWork {
  /** Open work by version; absent: none. */
  readonly work = new Map<string, Work>();
  readonly fencedSince = new Map<string, number>();
  delegates: readonly MessageInitShape<typeof DelegateRegistrationSchema>[] = [];
  /** Replaces the answers about work, to say what no store says. */
  says: ((version: string) => Work | undefined) | undefined;
  /** Replaces the pages of delegates. */
  lists: ((request: ListDelegatesRequest) => Page) | undefined;
  readonly #managers: UnaryServer[] = [];

  /** Starts a manager of a version. */
  async manager(version: string, id = `manager-${version}`): Promise<Manager> {
    const server = new UnaryServer();
    const manager = new Manager(server, () =>
      anInstance(version, { id, address: { host: '127.0.0.1', port: server.port } }),
    );
    const work = VersionWorkService.method;
    server.add(work.fenceAndCount, ({ version: asked }) => {
      manager.asked.push(`FenceAndCount ${asked}`);
      if (!this.fencedSince.has(asked)) this.fencedSince.set(asked, Date.now());
      return this.#answer(asked);
    });
    server.add(work.liftVersion, ({ version: asked }) => {
      manager.asked.push(`LiftVersion ${asked}`);
      this.fencedSince.delete(asked);
      return { version: asked };
    });
    server.add(work.countVersion, ({ version: asked }) => {
      manager.asked.push(`CountVersion ${asked}`);
      return this.#answer(asked);
    });
    server.add(DelegateDirectoryService.method.listDelegates, (request) => {
      manager.asked.push(`ListDelegates ${request.pageToken}`);
      return this.lists?.(request) ?? this.#page(request);
    });
    await server.listen();
    this.#managers.push(server);
    return manager;
  }

  async close(): Promise<void> {
    await Promise.all(this.#managers.map((manager) => manager.close()));
  }

  #answer(version: string): { readonly work?: Work } {
    const since = this.fencedSince.get(version);
    const work =
      this.says === undefined
        ? {
            version,
            asOf: timestampNow(),
            ...(since !== undefined && { fencedSince: timestampFromMs(since) }),
            ...this.work.get(version),
          }
        : this.says(version);
    return work === undefined ? {} : { work };
  }

  #page({ since, versions, pageSize, pageToken }: ListDelegatesRequest): Page {
    const heard = this.delegates.filter(
      ({ version = '', lastSeen }) =>
        (versions.length === 0 || versions.includes(version)) &&
        lastSeen !== undefined &&
        since !== undefined &&
        timestampMs(lastSeen as typeof since) >= timestampMs(since),
    );
    const from = Number(pageToken);
    const to = from + (pageSize === 0 ? 1_000 : pageSize);
    return {
      asOf: timestampNow(),
      delegates: heard.slice(from, to),
      nextPageToken: to < heard.length ? String(to) : '',
    };
  }
}

/** One of them. */
export class Manager {
  /** Calls that reached it, oldest first. */
  readonly asked: string[] = [];
  readonly server: UnaryServer;
  readonly #instance: () => Instance;

  constructor(server: UnaryServer, instance: () => Instance) {
    this.server = server;
    this.#instance = instance;
  }

  get instance(): Instance {
    return this.#instance();
  }
}
