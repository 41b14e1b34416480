/**
 * A control plane in this process that counts what its proxies report, with real Envoys. Its store outlives it, so that a
 * test can take the control plane away and bring another one in its place.
 */
import { AccessLogReceiver } from '../../src/adapters/access-log/receiver.ts';
import { systemClock } from '../../src/adapters/clock.ts';
import { createMemoryStore } from '../../src/adapters/memory/store.ts';
import type { ServiceName } from '../../src/model/names.ts';
import type { RoutingTable } from '../../src/model/table.ts';
import type { Store } from '../../src/ports/store.ts';
import { bootstrap } from '../../src/xds/bootstrap.ts';
import { translate } from '../../src/xds/translate/index.ts';
import { type Envoy, startEnvoy } from './envoy.ts';
import { eventually } from './eventually.ts';
import { freePort } from './free-port.ts';
import { reportingSoon } from './reporting-soon.ts';
import { startXdsWorld } from './xds-world.ts';

export class ReportedWorld {
  readonly store: Store = createMemoryStore();
  /** Things that could not be saved or read. */
  readonly faults: { readonly what: string; readonly error: unknown }[] = [];
  readonly #service: ServiceName;
  readonly #table: RoutingTable;
  readonly #port: number;
  readonly #envoys: Envoy[] = [];
  #receiver: AccessLogReceiver | undefined;
  #stop: () => Promise<void> = async () => undefined;
  #number = 1;

  private constructor(parts: { service: ServiceName; table: RoutingTable; port: number }) {
    this.#service = parts.service;
    this.#table = parts.table;
    this.#port = parts.port;
  }

  /** A control plane that publishes this table; all listeners report at once. */
  static async start(parts: { service: ServiceName; table: RoutingTable }): Promise<ReportedWorld> {
    const world = new ReportedWorld({ ...parts, port: await freePort() });
    await world.listen();
    return world;
  }

  get receiver(): AccessLogReceiver {
    if (this.#receiver === undefined) throw new Error('nobody listens');
    return this.#receiver;
  }

  /** Begins to listen, for the first time or again. */
  async listen(): Promise<void> {
    const service = this.#service;
    const receiver = await AccessLogReceiver.open({
      store: this.store,
      clock: systemClock,
      services: [service],
      isKnown: (name) => name === service,
      onFault: (fault) => this.faults.push(fault),
    });
    const xds = await startXdsWorld({
      server: { port: this.#port, services: [receiver.service] },
      translate: (table) => reportingSoon(translate(table)),
      firstNumber: this.#number,
    });
    this.#number = xds.publish(this.#table) + 1;
    this.#receiver = receiver;
    this.#stop = async () => {
      await xds.close();
      await receiver.close();
      this.#receiver = undefined;
    };
  }

  /** Ends the control plane; proxies go on. */
  async goAway(): Promise<void> {
    await this.#stop();
    this.#stop = async () => undefined;
  }

  /** An Envoy that has taken the table. */
  async envoy(nodeId: string): Promise<Envoy> {
    const envoy = await startEnvoy(
      bootstrap({
        nodeId,
        nodeCluster: 'gateways',
        protocol: 'sotw',
        controller: { host: '127.0.0.1', port: this.#port },
        listeners: [],
        services: [],
        admin: { host: '127.0.0.1', port: 0 },
        accessLog: false,
        withoutController: 'FailClosed',
      }),
    );
    this.#envoys.push(envoy);
    await eventually(async () => (await envoy.text('/ready')).startsWith('LIVE'), { what: 'a live Envoy' });
    return envoy;
  }

  async close(): Promise<void> {
    for (const envoy of this.#envoys) await envoy.stop();
    await this.goAway();
  }
}
