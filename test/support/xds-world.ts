/** An xDS server in this process for tests, with a publisher whose tables are translated by src/xds/translate. */
import { instant } from '../../src/model/instant.ts';
import type { RoutingTable } from '../../src/model/table.ts';
import type { ProxyProgress } from '../../src/ports/publisher.ts';
import { createPublisher, type PublisherOptions, type XdsPublisher } from '../../src/xds/publisher.ts';
import type { Translation } from '../../src/xds/resource.ts';
import { startXdsServer, type XdsServer, type XdsServerOptions } from '../../src/xds/server.ts';
import { translate } from '../../src/xds/translate/index.ts';

export interface XdsWorld {
  readonly publisher: XdsPublisher;
  readonly server: XdsServer;
  /** Publishes a table under the next number, which it returns. */
  publish(table: RoutingTable): number;
  /** The progress of a connected proxy; throws where it is not connected. */
  proxy(id: string): ProxyProgress;
  close(): Promise<void>;
}

/** Starts a server. `translation` replaces the translation of tables: tests of the wire make their own resources. */
export async function startXdsWorld(
  options: Partial<PublisherOptions> & {
    server?: Partial<XdsServerOptions>;
    firstNumber?: number;
    translation?: (table: RoutingTable) => Translation;
  } = {},
): Promise<XdsWorld> {
  const publisher = createPublisher({ translate, now: () => instant(Date.now()), ...options });
  const server = await startXdsServer({ publisher, host: '127.0.0.1', port: 0, ...options.server });
  let number = (options.firstNumber ?? 1) - 1;
  return {
    publisher,
    server,
    publish(table) {
      number += 1;
      publisher.publish({ number, table });
      return number;
    },
    proxy(id) {
      const found = publisher.progress().proxies.find((proxy) => proxy.id === id);
      if (found === undefined) throw new Error(`${id} is not connected`);
      return found;
    },
    close: () => server.close(),
  };
}
