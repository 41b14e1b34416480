/**
 * What the tests of proxyless gRPC stand on: our xDS server with its publisher and translation, instances of the
 * example manager as backends, and one client. Every rejection that the server hears of is kept.
 */
import { Instance } from '../../../examples/manager/instance.ts';
import { serve } from '../../../examples/manager/server.ts';
import { eventually } from '../eventually.ts';
import { type RoutesFacts, serviceRoutes, table } from '../tables.ts';
import { startXdsWorld, type XdsWorld } from '../xds-world.ts';
import { type ClientProgram, type ProxylessClient, startClient } from './client.ts';

const NODE_ID = 'client-1';

/** Where default traffic goes: all of it to a version, or a share of it to a candidate. */
export type Default =
  | string
  | { readonly primary: string; readonly candidate: string; readonly weight: number };

/** What a test says of the service `manager`. */
export interface Wish {
  /** Versions and their access; `empty` is an open version that has no endpoint. */
  readonly versions: Readonly<Record<string, 'Open' | 'Refused' | 'empty'>>;
  readonly default: Default;
  readonly pin?: RoutesFacts['pin'];
  readonly holds?: RoutesFacts['holds'];
  readonly cohort?: RoutesFacts['cohort'];
  readonly mirror?: RoutesFacts['mirror'];
  /** The instances that a version has in place of its own, with the zone of each. */
  readonly zones?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

export interface ProxylessWorld {
  readonly xds: XdsWorld;
  readonly client: ProxylessClient;
  /** Starts an instance of a version; its endpoint is used from the next publication on. */
  startVersion(version: string): Promise<void>;
  /** Stops a version's instance: open streams get a second, then they are cut. */
  stopVersion(version: string): Promise<void>;
  /** Publishes, and waits until the client has acknowledged everything. */
  publish(wish: Wish): Promise<void>;
  /** Texts of all rejections so far. */
  readonly rejections: readonly string[];
  close(): Promise<void>;
}

const GRACE_MS = 1_000;

/** Starts everything, with the versions `v1` and `v2` up and the default traffic on `v1`. */
export async function startProxylessWorld(program: ClientProgram): Promise<ProxylessWorld> {
  const rejections: string[] = [];
  const xds = await startXdsWorld({
    observer: { rejected: ({ type, message }) => void rejections.push(`${type}: ${message}`) },
  });
  const backends = new Map<string, Awaited<ReturnType<typeof serve>>>();
  const startVersion = async (version: string): Promise<void> => {
    const instance = new Instance({ version, instance: `${version}-1` });
    backends.set(version, await serve(instance, { host: '127.0.0.1', port: 0 }));
  };
  const stopVersion = async (version: string): Promise<void> => {
    await backends.get(version)?.stop(GRACE_MS);
    backends.delete(version);
  };
  const tell = (wish: Wish): number => xds.publish(table(serviceRoutes(factsOf(wish, backends))));

  await Promise.all(['v1', 'v2'].map(startVersion));
  tell({ versions: { v1: 'Open', v2: 'Open' }, default: 'v1' });
  const client = await startClient(program, {
    nodeId: NODE_ID,
    xdsPort: xds.server.port,
    service: 'manager',
  });
  // It connects at its first call.
  const { order, errors } = await client.calls([]);
  if (order[0] !== 'v1') {
    throw new Error(`the first call ended with ${order[0]} (${errors.join()}):\n${client.log()}`);
  }
  return {
    xds,
    client,
    startVersion,
    stopVersion,
    async publish(wish) {
      const number = tell(wish);
      await eventually(() => xds.proxy(NODE_ID).publication === number, {
        within: 30_000,
        what: `the acknowledgement of publication ${number}`,
      });
    },
    rejections,
    async close() {
      await client.stop();
      await xds.close();
      await Promise.all([...backends.keys()].map(stopVersion));
    },
  };
}

function factsOf(wish: Wish, backends: ReadonlyMap<string, { port: number }>): RoutesFacts {
  const versions = Object.entries(wish.versions).map(([version, state]) => {
    const instances = Object.entries(wish.zones?.[version] ?? { [version]: undefined });
    const endpoints = instances.flatMap(([instance, zone]) => {
      const port = backends.get(instance)?.port;
      if (state === 'empty' || port === undefined) return [];
      return [{ host: '127.0.0.1', port, ...(zone === undefined ? {} : { zone }) }];
    });
    return [version, { access: state === 'Refused' ? 'Refused' : 'Open', endpoints }] as const;
  });
  return {
    versions: Object.fromEntries(versions),
    defaultRoute:
      typeof wish.default === 'string'
        ? { kind: 'Single', version: wish.default }
        : { kind: 'Split', salt: 'salt', ...wish.default },
    ...(wish.pin && { pin: wish.pin }),
    ...(wish.holds && { holds: wish.holds }),
    ...(wish.cohort && { cohort: wish.cohort }),
    ...(wish.mirror && { mirror: wish.mirror }),
  };
}
