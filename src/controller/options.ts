/** What a controller is given: the ports that main wires, and its settings. */
import type { Milliseconds } from '../model/instant.ts';
import type { ServiceName } from '../model/names.ts';
import type { Clock } from '../ports/clock.ts';
import type { DelegateSource } from '../ports/delegate-source.ts';
import type { GatewayRoutes } from '../ports/gateway-routes.ts';
import type { MetricSource } from '../ports/metric-source.ts';
import type { PrimaryServices } from '../ports/primary-service.ts';
import type { Prober } from '../ports/prober.ts';
import type { Publisher } from '../ports/publisher.ts';
import type { Store } from '../ports/store.ts';
import type { WorkSource } from '../ports/work-source.ts';
import type { LoopLog, RoundObserver } from './loop.ts';
import type { RuntimeSet } from './runtimes.ts';

/** What a controller looks at of Services for clients without a proxy. */
export type PrimaryServiceView = Pick<PrimaryServices, 'standing' | 'subscribe'>;

/** The ports that a controller needs, and its settings. */
export interface ControllerOptions {
  readonly store: Store;
  readonly runtimes: RuntimeSet;
  readonly publisher: Publisher;
  readonly clock: Clock;
  readonly workSource: WorkSource;
  readonly delegateSource: DelegateSource;
  readonly metricSource: MetricSource;
  readonly prober: Prober;
  /** Where there are Services for clients without a proxy; they are moved by others. */
  readonly primaryServices?: PrimaryServiceView;
  /** Absent: no gateways of the Gateway API are told of routes here. */
  readonly gatewayRoutes?: GatewayRoutes;
  readonly log: LoopLog;
  /** Told of every round, for metrics. */
  readonly observeRounds?: RoundObserver;
  /** How long a proxy that went away keeps removals waiting. Default 10 minutes. */
  readonly proxyGrace?: Milliseconds;
  /** An operator's word that an empty store may be shown to proxies that hold configuration. */
  readonly acceptEmpty?: boolean;
  /** Other replicas show what this controller commits. */
  readonly isReplicated?: boolean;
  /** Services that are wished for elsewhere: what runs of them is not taken away, although nothing is recorded of them. */
  readonly isWishedElsewhere?: (service: ServiceName) => boolean;
  /** Whether specs may name commands to run. */
  readonly allowCommands?: boolean;
}

/** The store holds services that run commands, and this controller was not allowed to run any. */
export class CommandsNotAllowedError extends Error {
  override readonly name = 'CommandsNotAllowedError';
  constructor(services: readonly ServiceName[]) {
    super(
      `${services.join(', ')} run commands, which were applied with --allow-commands; start with it again, or restore another state`,
    );
  }
}
