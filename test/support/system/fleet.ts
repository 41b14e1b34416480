/**
 * Everything that an end-to-end test of flips needs: a controller as a process, versions of the example manager, and
 * two Envoys, a SotW gateway and a delta sidecar, each with a listener of its own and under constant traffic.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach } from 'vitest';
import { adminClient } from '../../../src/admin/client.ts';
import type { RequestInit, Response, UnaryMethod } from '../../../src/admin/contract.ts';
import { CONVERGENCE, VERSION_STATE } from '../../../src/admin/enums.ts';
import type { ChangeResult } from '../../../src/gen/switchyard/admin/v1/changes_pb.js';
import type { Version } from '../../../src/gen/switchyard/admin/v1/resources_pb.js';
import { envoyVersion } from '../envoy.ts';
import { eventually } from '../eventually.ts';
import { freePort } from '../free-port.ts';
import type { Pending, Stage } from '../traffic/history.ts';
import { ControllerProcess } from './controller.ts';
import { Entrance } from './entrance.ts';
import { RunningVersions } from './versions.ts';

export interface FleetOptions {
  /** Versions that run from the beginning; the first is primary. */
  readonly versions: readonly string[];
  readonly instances: number;
  /** Through each Envoy. */
  readonly requestsPerSecond: number;
}

const CALL_WITHIN_MS = 60_000;

export class Fleet {
  readonly controller: ControllerProcess;
  readonly versions: RunningVersions;
  readonly gateway: Entrance;
  readonly sidecar: Entrance;
  readonly #undo: AsyncDisposableStack;
  readonly #ports: { readonly gateway: number; readonly outbound: number };

  private constructor(parts: {
    undo: AsyncDisposableStack;
    ports: { gateway: number; outbound: number };
    controller: ControllerProcess;
    versions: RunningVersions;
    entrances: readonly [Entrance, Entrance];
  }) {
    this.#undo = parts.undo;
    this.#ports = parts.ports;
    this.controller = parts.controller;
    this.versions = parts.versions;
    [this.gateway, this.sidecar] = parts.entrances;
  }

  /** Starts it all and applies the versions one after the other, so that all of them can be named and flipped to. */
  static async start(options: FleetOptions): Promise<Fleet> {
    const folder = mkdtempSync(join(tmpdir(), 'switchyard-fleet-'));
    const undo = new AsyncDisposableStack();
    try {
      undo.defer(() => rmSync(folder, { recursive: true, force: true }));
      const versions = new RunningVersions(folder);
      undo.defer(() => versions.stopAll());
      for (const version of options.versions) await versions.start(version, options.instances);
      const controller = await ControllerProcess.in(folder);
      undo.defer(() => controller.stop());
      await controller.start();
      const ports = { gateway: await freePort(), outbound: await freePort() };
      const [primary = ''] = options.versions;
      const common = {
        server: controller.server,
        xdsPort: controller.xdsPort,
        first: { from: primary, to: primary, weight: 100, active: options.versions },
        requestsPerSecond: options.requestsPerSecond,
      };
      const gateway = await Entrance.start({
        ...common,
        name: 'gateway',
        protocol: 'sotw',
        port: ports.gateway,
      });
      undo.defer(() => gateway.stop());
      const sidecar = await Entrance.start({
        ...common,
        name: 'outbound',
        protocol: 'delta',
        port: ports.outbound,
      });
      undo.defer(() => sidecar.stop());
      const fleet = new Fleet({ undo, ports, controller, versions, entrances: [gateway, sidecar] });
      for (const version of options.versions) await fleet.apply(version);
      await Promise.all(fleet.entrances.map((entrance) => entrance.servedBy(primary)));
      return fleet;
    } catch (error) {
      await undo.disposeAsync();
      throw error;
    }
  }

  get entrances(): readonly Entrance[] {
    return [this.gateway, this.sidecar];
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

  /** Asks for a version and waits until it can take traffic everywhere. */
  async apply(wanted: string): Promise<void> {
    await this.call('apply', {
      documents: [{ file: 'manager.yaml', text: this.#document(wanted) }],
      actor: 'test',
      reason: 'test',
      dryRun: false,
      // A proxy that is away must not hold this up.
      waitTimeout: { seconds: 0n },
    });
    await eventually(
      async () => {
        const version = await this.version(wanted);
        return (
          version !== undefined && version.readyEndpoints > 0 && version.state !== VERSION_STATE.Deploying
        );
      },
      { what: `${wanted} as an active version` },
    );
  }

  /** A version as the controller shows it; undefined when it has none of that name, or a retired one. */
  async version(name: string): Promise<Version | undefined> {
    const { service } = await this.call('getService', { name: 'manager' });
    return service?.versions.find(
      (version) => version.name === name && version.state !== VERSION_STATE.Retired,
    );
  }

  /** The published table, as text that can be compared. */
  async table(): Promise<string> {
    return (await this.call('getTable', {})).json;
  }

  /** Resolves when these proxies are connected and have all that is published. */
  async inSync(names: readonly string[] = this.entrances.map(({ name }) => name)): Promise<void> {
    await eventually(
      async () => {
        const { proxies } = await this.call('listProxies', {});
        return names.every((name) =>
          proxies.some(({ id, connected, inSync }) => id === name && connected && inSync),
        );
      },
      { what: `${names.join(' and ')} in sync`, within: 30_000 },
    );
  }

  /** Notes at every entrance that a command is about to be given. */
  begin(stage: Stage): ReadonlyMap<Entrance, Pending> {
    const at = performance.now();
    return new Map(this.entrances.map((entrance) => [entrance, entrance.history.begin({ stage, at })]));
  }

  /** Stops everything; what fails keeps nothing else running. */
  stop(): Promise<void> {
    return this.#undo.disposeAsync();
  }

  #document(version: string): string {
    const { gateway, outbound } = this.#ports;
    return `
apiVersion: switchyard.dev/v1alpha1
kind: VersionedService
metadata: { name: manager }
spec:
  version: ${version}
  listeners:
    - { name: gateway, address: 127.0.0.1, port: ${gateway}, domains: ["*"] }
    - { name: outbound, address: 127.0.0.1, port: ${outbound}, domains: ["*"] }
  pin: { allow: { everywhere: true } }
  tenantKey: { header: x-tenant-id, allow: { everywhere: true } }
  runtime:
    endpoints:
      versions: [${this.versions.listing().join(', ')}]
  traffic: { steps: [100] }
  upstream: { protocol: SameAsClient, connectTimeout: 1s }
  drain: { http: { fencePath: /switchyard/drain, openWorkPath: /switchyard/work } }
`;
  }
}

/**
 * One fleet for all tests of a file: started before the first, stopped after the last. The tests count as not run where
 * there is no Envoy.
 */
export function useFleet(options: FleetOptions): () => Fleet {
  let fleet: Fleet | undefined;
  beforeEach(async () => {
    envoyVersion();
    fleet ??= await Fleet.start(options);
  });
  afterAll(() => fleet?.stop());
  return () => {
    if (fleet === undefined) throw new Error('the fleet is used outside a test');
    return fleet;
  };
}

/** What every order needs. */
export const ORDER = { service: 'manager', actor: 'test', reason: 'test', dryRun: false } as const;

/** The proxies that acknowledged a change; throws unless it is everywhere. */
export function acknowledgedEverywhere(result: ChangeResult | undefined): readonly string[] {
  const convergence = result?.convergence;
  if (convergence?.state !== CONVERGENCE.Everywhere) {
    const stragglers = convergence?.stragglers.map(({ proxy, message }) => `${proxy}: ${message}`) ?? [];
    throw new Error(`not everywhere: ${result?.message ?? 'no result'}; ${stragglers.join('; ')}`);
  }
  return convergence.acknowledged.toSorted();
}
