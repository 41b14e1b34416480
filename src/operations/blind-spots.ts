/**
 * Whose requests nobody counts although they are served: listeners that do not report, clients that route by themselves, and
 * proxies that may not be able to report. A report names them, because silence of theirs says nothing.
 */
import type { ListenerName, ServiceName } from '../model/names.ts';
import type { ServiceRecord } from '../model/state.ts';
import type { ProxyProgress } from '../ports/publisher.ts';
import type { Window } from '../report/certainty.ts';

export interface Reporting {
  /** Whether a listener of the service reports requests. */
  readonly isReported: boolean;
  /** One sentence each. */
  readonly blindSpots: readonly string[];
}

export interface Watched {
  readonly service: ServiceName;
  readonly records: readonly ServiceRecord[];
  /** Proxies that are connected now. */
  readonly proxies: readonly ProxyProgress[];
  /** Node ids of those that report now. */
  readonly heard: ReadonlySet<string>;
  readonly window: Window;
}

/** How the requests of a service are reported, as its listeners are now and its proxies are connected now. */
export function reportingOf({ service, records, proxies, heard, window }: Watched): Reporting {
  const listeners = records.find(({ name }) => name === service)?.spec.listeners ?? [];
  const names = listeners.map(({ name }) => name);
  const reporting = reportingListeners(records);
  const silent = names.filter((name) => !reporting.has(name));
  const connected = proxies.filter(({ connectedAt }) => connectedAt < window.to);
  const direct = connected.filter((proxy) => proxy.kind === 'grpc' && follows(proxy, 'listeners', [service]));
  const unheard = connected.filter(
    (proxy) =>
      proxy.hasForeignBootstrap === true && !heard.has(proxy.nodeId) && follows(proxy, 'routes', names),
  );
  return {
    isReported: silent.length < names.length,
    blindSpots: [
      ...(silent.length === 0
        ? []
        : [`requests through ${silent.join(', ')} are not counted: accessLog is false there`]),
      ...(direct.length === 0
        ? []
        : [`gRPC clients without a proxy report nothing: ${listed(direct.map(({ id }) => id))}`]),
      ...(unheard.length === 0
        ? []
        : [
            `${listed(unheard.map(({ id }) => id))} has reported nothing: it served no request, or its own bootstrap has no cluster called switchyard`,
          ]),
    ],
  };
}

/** A listener that services share reports for all of them as soon as one asks. */
function reportingListeners(records: readonly ServiceRecord[]): ReadonlySet<ListenerName> {
  return new Set(
    records.flatMap(({ spec }) => spec.listeners.flatMap(({ name, accessLog }) => (accessLog ? [name] : []))),
  );
}

function follows({ types }: ProxyProgress, type: string, names: readonly string[]): boolean {
  return types.some(
    (each) => each.type === type && each.subscribed.some((name) => name === '*' || names.includes(name)),
  );
}

const MOST_NAMED = 3;

function listed(names: readonly string[]): string {
  const more = names.length - MOST_NAMED;
  return [...names.slice(0, MOST_NAMED), ...(more > 0 ? [`${more} more`] : [])].join(', ');
}
