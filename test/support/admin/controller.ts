/**
 * A real controller with its operations and admin server on a Unix socket, over a store in memory, instances by
 * address, and proxies that do what the test says.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../../src/adapters/clock.ts';
import { EndpointsRuntime } from '../../../src/adapters/endpoints/runtime.ts';
import { createMemoryStore } from '../../../src/adapters/memory/store.ts';
import { type AdminClient, adminClient } from '../../../src/admin/client.ts';
import type { AdminError } from '../../../src/admin/errors.ts';
import { type AdminServer, startAdminServer } from '../../../src/admin/server.ts';
import { Controller } from '../../../src/controller/controller.ts';
import { instant } from '../../../src/model/instant.ts';
import { createOperations } from '../../../src/operations/operations.ts';
import type { Operations } from '../../../src/operations/types.ts';
import type { WorkCount, WorkSource } from '../../../src/ports/work-source.ts';
import { parseEndpointsFile } from '../../../src/spec/parse.ts';
import { silentDelegates, silentMetrics, silentProber, silentTraffic } from '../silent-ports.ts';
import { ScriptedProxies } from './proxies.ts';

export interface TestController {
  readonly folder: string;
  readonly socket: string;
  /** `unix:` and the socket. */
  readonly server: string;
  readonly client: AdminClient;
  readonly proxies: ScriptedProxies;
  readonly operations: Operations;
  readonly admin: AdminServer;
  /** What the drain source counts; a test may set it. */
  work: WorkCount;
  /** Errors that the server reported as its own. */
  readonly faults: unknown[];
  /** The primary of the only service. */
  primary(): string | undefined;
  /** How often `down` asked to end the controller. */
  downs: number;
  close(): Promise<void>;
}

export interface TestControllerOptions {
  /** Replaces operations, to make them slow or fail. */
  readonly replace?: (operations: Operations) => Partial<Operations>;
  readonly address?: string;
  /** `never`: its state is never loaded. */
  readonly start?: 'never';
}

export async function startTestController(options: TestControllerOptions = {}): Promise<TestController> {
  const folder = await mkdtemp(join(tmpdir(), 'switchyard-admin-'));
  const proxies = new ScriptedProxies();
  const runtime = new EndpointsRuntime({
    clock: systemClock,
    parseFile: parseEndpointsFile,
    stateFolder: join(folder, 'endpoints'),
  });
  const workSource: WorkSource = {
    fence: async () => ({ kind: 'confirmed' }),
    lift: async () => ({ kind: 'confirmed' }),
    count: async () => running.work,
  };
  const controller = await Controller.open({
    store: createMemoryStore(),
    runtimes: { endpoints: runtime },
    publisher: proxies,
    clock: systemClock,
    workSource,
    delegateSource: silentDelegates,
    metricSource: silentMetrics,
    prober: silentProber,
    log: { warn: (fields, message) => void faults.push({ ...fields, message }) },
  });
  const faults: unknown[] = [];
  const real = createOperations(controller, silentTraffic);
  const operations = { ...real, ...options.replace?.(real) };
  let begin = (): void => undefined;
  const socket = join(folder, 'run', 'admin.sock');
  const admin = await startAdminServer({
    operations,
    socket,
    ...(options.address !== undefined && { address: options.address }),
    onFault: ({ error }) => void faults.push(error),
    ready: new Promise((resolve) => {
      begin = resolve;
    }),
    onDown: () => {
      running.downs += 1;
    },
    exportEnvoy: (table, { admin: place }) =>
      JSON.stringify({ services: table.services.map(({ service }) => service), admin: place }),
    info: () => ({
      version: '0.0.1-test',
      started: instant(Date.parse('2026-11-01T12:00:00Z')),
      store: 'memory',
      publication: proxies.published.at(-1)?.number ?? 0,
      state: 'Ready',
      reason: '',
      endpoints: [{ name: 'admin', address: `unix:${socket}` }],
    }),
  });
  if (options.start !== 'never') {
    await controller.start();
    begin();
    admin.setServing(true);
  }
  const client = adminClient(`unix:${socket}`);
  const running: TestController = {
    folder,
    socket,
    server: `unix:${socket}`,
    client,
    proxies,
    operations,
    admin,
    work: {
      kind: 'counted',
      asOf: instant(Date.parse('2026-11-01T12:00:00Z')),
      total: 0,
      open: [],
      certificate: 'observed',
    },
    faults,
    downs: 0,
    primary() {
      const traffic = operations.services()[0]?.record.traffic;
      return traffic === undefined || traffic.kind === 'none' ? undefined : traffic.primary;
    },
    async close() {
      client.close();
      await admin.close();
      await controller.stop();
      await runtime.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
  return running;
}

/** For `expect.poll`: how long a busy machine may take; what is awaited comes much sooner. */
export const PATIENCE = { timeout: 18_000 };

/** What a change of the service of `managerDocument` carries. */
export const change = { service: 'manager', actor: 'ada', reason: 'because' };

/** Why a call was refused; fails where it was not. */
export function refusal(call: Promise<unknown>): Promise<AdminError> {
  return call.then(
    () => {
      throw new Error('the call was not refused');
    },
    (error: AdminError) => error,
  );
}

/** A service with two versions by address; `wanted` becomes the primary when it is the first. */
export function managerDocument(wanted: string, port = 10_000): string {
  return `apiVersion: switchyard.dev/v1alpha1
kind: VersionedService
metadata:
  name: manager
spec:
  version: ${wanted}
  listeners:
    - name: gateway
      address: 127.0.0.1
      port: ${port}
      domains: ["api.example.com"]
  pin:
    allow:
      paths: [/tasks]
  tenantKey:
    header: x-tenant-id
    allow:
      everywhere: true
  runtime:
    endpoints:
      versions:
        - name: v1
          addresses: ["127.0.0.1:9001", "127.0.0.1:9002"]
        - name: v2
          addresses: ["127.0.0.1:9011", "127.0.0.1:9012"]
  drain:
    http:
      fencePath: /drain
      openWorkPath: /work
`;
}

/** Applies the service with v1 as its primary, then wants v2 beside it, and waits until v2 could take traffic. */
export async function applyManager({ client, operations }: TestController): Promise<void> {
  for (const [wanted, ready] of [
    ['v1', 'Primary'],
    ['v2', 'Standby'],
  ] as const) {
    await client.call('apply', {
      documents: [{ file: 'manager.yaml', text: managerDocument(wanted) }],
      actor: 'tester',
      reason: 'set-up',
    });
    await until(operations, () =>
      operations
        .services()
        .some(({ versions }) =>
          versions.some(({ record }) => record.name === wanted && record.state === ready),
        ),
    );
  }
}

/** Resolves when the condition holds after some change. */
export function until(operations: Pick<Operations, 'subscribe'>, condition: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (!condition()) return;
      unsubscribe();
      resolve();
    };
    const unsubscribe = operations.subscribe(() => setImmediate(look));
    look();
  });
}
