/** A real Envoy that runs a routing table as a static configuration: translation without a control plane. */

import type { RoutingTable } from '../../src/model/table.ts';
import { exportEnvoy } from '../../src/xds/export.ts';
import { type Envoy, startEnvoy } from './envoy.ts';
import { eventually } from './eventually.ts';

/** Give listeners port 0: Envoy takes free ones. */
export interface Gateway {
  readonly envoy: Envoy;
  /** The port of a listener. */
  port(listener?: string): number;
  stop(): Promise<void>;
}

interface Listeners {
  readonly listener_statuses?: readonly {
    readonly name: string;
    readonly local_address: { readonly socket_address: { readonly port_value: number } };
  }[];
}

export async function startGateway(
  table: RoutingTable,
  options: { accessLog?: boolean } = {},
): Promise<Gateway> {
  const admin = { host: '127.0.0.1', port: 0 };
  const envoy = await startEnvoy(exportEnvoy(table, { admin, accessLog: options.accessLog ?? false }), [
    '--file-flush-interval-msec',
    '50',
  ]);
  try {
    await eventually(async () => (await envoy.text('/ready')).startsWith('LIVE'), { what: 'a live Envoy' });
    const { listener_statuses: statuses = [] } = JSON.parse(
      await envoy.text('/listeners?format=json'),
    ) as Listeners;
    const ports = new Map(
      statuses.map(({ name, local_address }) => [name, local_address.socket_address.port_value]),
    );
    return {
      envoy,
      port: (listener = 'gateway') => {
        const port = ports.get(listener);
        if (port === undefined) throw new Error(`Envoy has no listener ${listener}: ${envoy.log()}`);
        return port;
      },
      stop: () => envoy.stop(),
    };
  } catch (error) {
    await envoy.stop();
    throw error;
  }
}
