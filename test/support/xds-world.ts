/** An xDS server in this process for tests, with a publisher whose tables are translated by src/xds/translate. */
import { instant } from '../../src/model/instant.ts';
import type { RoutingTable } from '../../src/model/table.ts';
import type { ProxyProgress } from '../../src/ports/publisher.ts';
import { createPublisher, type PublisherOptions, type XdsPublisher } from '../../src/xds/publisher.ts';
import type { Translation } from '../../src/xds/resource.ts';
import { startXdsServer, type XdsServer, type XdsServerOptions } from '../../src/xds/server.ts';
import { translate } from '../../src/xds/translate/index.ts';
import { serviceRoutes, table as tableOf } from './tables.ts';
import { type SimulatedTable, translateSimulated } from './xds-simulation.ts';

export interface XdsWorld {
  readonly publisher: XdsPublisher;
  readonly server: XdsServer;
  /** Publishes a table under the next number, which it returns. */
  publish(table: RoutingTable): number;
  /** Publishes resources made for a test of the wire, under the next number. */
  publishScene(scene: SimulatedTable): number;
  /** The progress of a connected proxy; throws where it is not connected. */
  proxy(id: string): ProxyProgress;
  close(): Promise<void>;
}

/** Starts a server. */
export async function startXdsWorld(
  options: Partial<PublisherOptions> & {
    server?: Partial<XdsServerOptions>;
    firstNumber?: number;
  } = {},
): Promise<XdsWorld> {
  const scenes = new WeakMap<RoutingTable, Translation>();
  const publisher = createPublisher({
    translate: (table) => scenes.get(table) ?? translate(table),
    now: () => instant(Date.now()),
    ...options,
  });
  const server = await startXdsServer({ publisher, host: '127.0.0.1', port: 0, ...options.server });
  let number = (options.firstNumber ?? 1) - 1;
  const publish = (table: RoutingTable): number => {
    number += 1;
    publisher.publish({ number, table });
    return number;
  };
  return {
    publisher,
    server,
    publish,
    publishScene(scene) {
      const table = tableOf(serviceRoutes());
      const { envoy } = translateSimulated(scene);
      scenes.set(table, { envoy, grpc: envoy });
      return publish(table);
    },
    proxy(id) {
      const found = publisher.progress().proxies.find((proxy) => proxy.id === id);
      if (found === undefined) throw new Error(`${id} is not connected`);
      return found;
    },
    close: () => server.close(),
  };
}
