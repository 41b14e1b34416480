/**
 * A real controller with its operations in this process: instances by address, a store that may be shared by several
 * controllers one after the other, proxies that do what the test says, and a work source that counts what it says.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../src/adapters/clock.ts';
import { EndpointsRuntime } from '../../src/adapters/endpoints/runtime.ts';
import { createMemoryStore } from '../../src/adapters/memory/store.ts';
import { Controller } from '../../src/controller/controller.ts';
import type { ControllerOptions } from '../../src/controller/options.ts';
import { serviceName, versionName } from '../../src/model/names.ts';
import { findVersion, type VersionState } from '../../src/model/state.ts';
import { createOperations } from '../../src/operations/operations.ts';
import type { Operations } from '../../src/operations/types.ts';
import type { Store } from '../../src/ports/store.ts';
import { parseEndpointsFile } from '../../src/spec/parse.ts';
import { ScriptedProxies } from './admin/proxies.ts';
import { eventually } from './eventually.ts';
import { ScriptedWork } from './scripted-work.ts';
import { silentDelegates, silentMetrics, silentProber, silentTraffic } from './silent-ports.ts';

export const manager = serviceName('manager');
export const v1 = versionName('v1');
export const v2 = versionName('v2');
export const v3 = versionName('v3');
export const operator = { actor: 'tester', reason: 'a test' };

interface WorldParts {
  readonly controller: Controller;
  readonly proxies: ScriptedProxies;
  readonly work: ScriptedWork;
  readonly store: Store;
  readonly warnings: unknown[];
  readonly folder: string;
  readonly runtime: EndpointsRuntime;
}

export class ControllerWorld {
  readonly controller: Controller;
  readonly operations: Operations;
  readonly proxies: ScriptedProxies;
  readonly work: ScriptedWork;
  readonly store: Store;
  readonly warnings: unknown[];
  readonly #folder: string;
  readonly #runtime: EndpointsRuntime;

  private constructor(parts: WorldParts) {
    this.controller = parts.controller;
    this.operations = createOperations(parts.controller, silentTraffic);
    this.proxies = parts.proxies;
    this.work = parts.work;
    this.store = parts.store;
    this.warnings = parts.warnings;
    this.#folder = parts.folder;
    this.#runtime = parts.runtime;
  }

  static async start(
    options: Partial<ControllerOptions> & { proxies?: ScriptedProxies } = {},
  ): Promise<ControllerWorld> {
    const folder = await mkdtemp(join(tmpdir(), 'switchyard-controller-'));
    const runtime = new EndpointsRuntime({
      clock: systemClock,
      parseFile: parseEndpointsFile,
      stateFolder: folder,
    });
    const store = options.store ?? createMemoryStore();
    const proxies = options.proxies ?? new ScriptedProxies();
    const work = new ScriptedWork();
    const warnings: unknown[] = [];
    const controller = await Controller.open({
      runtimes: { endpoints: runtime },
      publisher: proxies,
      clock: systemClock,
      workSource: work,
      delegateSource: silentDelegates,
      metricSource: silentMetrics,
      prober: silentProber,
      log: { warn: (fields, message) => void warnings.push({ ...fields, message }) },
      ...options,
      store,
    });
    await controller.start();
    return new ControllerWorld({ controller, proxies, work, store, warnings, folder, runtime });
  }

  /** Ends this controller and starts another on the same store, with new proxies. */
  async restart(): Promise<ControllerWorld> {
    await this.stop();
    return ControllerWorld.start({ store: this.store });
  }

  async stop(): Promise<void> {
    await this.controller.stop();
    await this.#runtime.close();
    await rm(this.#folder, { recursive: true, force: true });
  }

  /** Applies a document and waits until the wanted version could take traffic. */
  async apply(document: string): Promise<void> {
    const { changes } = await this.operations.apply({
      caller: operator,
      documents: [{ file: 'manager.yaml', text: document }],
      expectedGenerations: new Map(),
      dryRun: false,
    });
    for (const { service } of changes) {
      const { version } = this.operations.service(service).record.spec;
      await eventually(
        () => ['Standby', 'Primary', 'Ramping'].includes(this.#state(service, version) ?? ''),
        { what: `${version} up` },
      );
    }
  }

  /** Waits until a version of the manager is in the state. */
  async becomes(version: string, state: VersionState): Promise<void> {
    await eventually(() => this.#state(manager, version) === state, { what: `${version} ${state}` });
  }

  /** A change request for the manager, as verbs take it. */
  request(): { caller: typeof operator; service: typeof manager; dryRun: false } {
    return { caller: operator, service: manager, dryRun: false };
  }

  #state(service: typeof manager, version: string): VersionState | undefined {
    return findVersion(this.operations.service(service).record, versionName(version))?.state;
  }
}

/** A manager by address, with a drain source; `versions` maps each to its ports. */
export function managerDocument(
  options: {
    wanted?: string;
    versions?: Record<string, number[]>;
    port?: number;
    name?: string;
    domain?: string;
  } = {},
): string {
  const versions = options.versions ?? { v1: [9001, 9002], v2: [9011, 9012] };
  const listed = Object.entries(versions).map(
    ([name, ports]) =>
      `        - {name: ${name}, addresses: [${ports.map((port) => `"127.0.0.1:${port}"`).join(', ')}]}`,
  );
  return `apiVersion: switchyard.dev/v1alpha1
kind: VersionedService
metadata: {name: ${options.name ?? 'manager'}}
spec:
  version: ${options.wanted ?? 'v1'}
  listeners:
    - {name: gateway, address: 127.0.0.1, port: ${options.port ?? 10_000}, domains: ["${options.domain ?? '*'}"]}
  pin: {allow: {everywhere: true}}
  tenantKey: {header: x-tenant-id, allow: {everywhere: true}}
  runtime:
    endpoints:
      versions:
${listed.join('\n')}
  drain: {http: {fencePath: /drain, openWorkPath: /work}}
`;
}
