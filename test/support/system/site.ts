/**
 * A controller as a process in a folder of its own, with the Envoys and the instances that a test adds. Whatever was
 * added is undone in the reverse order when the site closes, also after a failure.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach } from 'vitest';
import { type Faults, Instance } from '../../../examples/manager/instance.ts';
import { serve } from '../../../examples/manager/server.ts';
import { adminClient } from '../../../src/admin/client.ts';
import type { RequestInit, Response, UnaryMethod } from '../../../src/admin/contract.ts';
import { VERSION_STATE } from '../../../src/admin/enums.ts';
import type { Service, Version } from '../../../src/gen/switchyard/admin/v1/resources_pb.js';
import { type Envoy, envoyVersion } from '../envoy.ts';
import { eventually } from '../eventually.ts';
import { type CommandResult, switchyard } from './command-line.ts';
import { ControllerProcess, type Program } from './controller.ts';
import { type ServiceDocument, serviceDocument } from './documents.ts';
import { type GatewayOptions, startGateway } from './gateway.ts';
import { Load, type LoadOptions } from './load.ts';

/** An instance that a test runs itself. */
export interface RunningManager {
  /** `127.0.0.1:PORT`. */
  readonly address: string;
  /** Requests and streams that are open on it. */
  open(): number;
}

const CALL_WITHIN_MS = 60_000;

export class Site {
  readonly folder: string;
  readonly controller: ControllerProcess;
  readonly #undo: AsyncDisposableStack;

  private constructor(parts: { folder: string; controller: ControllerProcess; undo: AsyncDisposableStack }) {
    this.folder = parts.folder;
    this.controller = parts.controller;
    this.#undo = parts.undo;
  }

  /** An empty site; its controller is not started yet. */
  static async open(program?: Program): Promise<Site> {
    const folder = await mkdtemp(join(tmpdir(), 'switchyard-site-'));
    const undo = new AsyncDisposableStack();
    undo.defer(() => rm(folder, { recursive: true, force: true }));
    return new Site({ folder, controller: await ControllerProcess.in(folder, program), undo });
  }

  /** Is done when the site closes, before everything that was added earlier. */
  defer(undo: () => void | Promise<void>): void {
    this.#undo.defer(undo);
  }

  close(): Promise<void> {
    return this.#undo.disposeAsync();
  }

  /** Starts the controller; it is stopped when the site closes. */
  async start(flags?: readonly string[]): Promise<void> {
    await this.controller.start(flags);
    this.defer(() => this.controller.stop());
  }

  /** One command, whatever comes of it. */
  run(...args: readonly string[]): Promise<CommandResult> {
    return switchyard(this.controller.server, args);
  }

  /** One command that must succeed; gives what it printed. */
  async ok(...args: readonly string[]): Promise<string> {
    const { exitCode, stdout, stderr } = await this.run(...args);
    if (exitCode !== 0) throw new Error(`switchyard ${args.join(' ')} exited with ${exitCode}: ${stderr}`);
    return stdout;
  }

  /** One call of the admin API on a connection of its own. */
  async call<Method extends UnaryMethod>(
    method: Method,
    request: RequestInit<Method>,
  ): Promise<Response<Method>> {
    const client = adminClient(this.controller.server);
    try {
      return await client.call(method, request, new Date(Date.now() + CALL_WITHIN_MS));
    } finally {
      client.close();
    }
  }

  /** Writes documents to files, for commands. */
  files(...documents: readonly ServiceDocument[]): Promise<string[]> {
    return Promise.all(
      documents.map(async (document) => {
        const file = join(this.folder, `${document.name}.yaml`);
        await writeFile(file, serviceDocument(document));
        return file;
      }),
    );
  }

  /** Applies documents with the command line and waits until the versions wanted can take traffic. */
  async apply(...documents: readonly ServiceDocument[]): Promise<void> {
    const files = await this.files(...documents);
    await this.ok('apply', ...files.flatMap((file) => ['-f', file]));
    for (const { name, version } of documents) {
      await eventually(
        async () => {
          const found = await this.version(name, version);
          return found !== undefined && found.readyEndpoints > 0 && found.state !== VERSION_STATE.Deploying;
        },
        { what: `${version} of ${name} as an active version`, within: 60_000, every: 50 },
      );
    }
  }

  async service(name: string): Promise<Service> {
    const { service } = await this.call('getService', { name });
    if (service === undefined) throw new Error(`the controller shows no service ${name}`);
    return service;
  }

  /** A version that is not retired yet. */
  async version(service: string, name: string): Promise<Version | undefined> {
    const { versions } = await this.service(service);
    return versions.find((each) => each.name === name && each.state !== VERSION_STATE.Retired);
  }

  /** Resolves when these proxies are connected and have all that is published. */
  async inSync(...names: readonly string[]): Promise<void> {
    await eventually(
      async () => {
        const { proxies } = await this.call('listProxies', {});
        return names.every((name) =>
          proxies.some(({ id, connected, inSync }) => id === name && connected && inSync),
        );
      },
      { what: `${names.join(' and ')} in sync`, within: 30_000, every: 50 },
    );
  }

  /** An Envoy of this controller. */
  async gateway(
    options: Pick<GatewayOptions, 'name' | 'protocol' | 'listeners' | 'services'>,
  ): Promise<Envoy> {
    const { server, xdsPort } = this.controller;
    const envoy = await startGateway({ ...options, server, xdsPort });
    this.defer(() => envoy.stop());
    return envoy;
  }

  /** An instance of the example manager within this process. */
  async manager(version: string, id: string, faults?: Faults): Promise<RunningManager> {
    const instance = new Instance({ version, instance: id }, faults);
    const server = await serve(instance, { host: '127.0.0.1', port: 0 });
    this.defer(() => server.stop(0));
    return { address: `127.0.0.1:${server.port}`, open: () => instance.report().total };
  }

  /** Traffic that ends with the site where a test has not ended it. */
  async load(options: LoadOptions): Promise<Load> {
    const load = await Load.start(options);
    this.defer(async () => void (await load.stop()));
    return load;
  }
}

/**
 * One site for all tests of a file, which tell one story in their order: opened before the first, closed after the
 * last. The tests count as not run where there is no Envoy.
 */
export function useSite(prepare: (site: Site) => Promise<void>, program?: Program): () => Site {
  let site: Site | undefined;
  let prepared: Promise<void> | undefined;
  beforeEach(async () => {
    envoyVersion();
    site ??= await Site.open(program);
    prepared ??= prepare(site);
    await prepared;
  });
  afterAll(() => site?.close());
  return () => {
    if (site === undefined) throw new Error('the site is used outside a test');
    return site;
  };
}
