/** What operators see of services: the record, its instances, the traffic as it really is, and what is wrong. */
import { observeStillRouting, primaryServiceOf } from '../controller/round.ts';
import { instancesOf, offeredVersions, runtimeProblems } from '../controller/runtimes.ts';
import { gatewayAlerts } from '../model/gateway-standing.ts';
import { after, type Milliseconds } from '../model/instant.ts';
import { MAX_LIVE_VERSIONS } from '../model/limits.ts';
import type { ServiceName } from '../model/names.ts';
import { MAX_GRPC_HOLDS } from '../model/rules.ts';
import type { ServiceRecord, Traffic } from '../model/state.ts';
import type { RoutedVersion } from '../model/table.ts';
import { versionsOffered } from '../rollout/offered.ts';
import { leadsTo } from '../rollout/primary-service.ts';
import { liveVersions } from '../rollout/teardown.ts';
import { effectiveTraffic, serviceRoutes, weightOf } from '../routing/table.ts';
import { type OperationContext, requireService } from './context.ts';
import type { ServiceView, VersionView } from './types.ts';

/** All services, sorted by name. */
export function serviceViews(context: OperationContext): readonly ServiceView[] {
  return [...context.controller.ledger.records().values()]
    .toSorted((left, right) => (left.name < right.name ? -1 : 1))
    .map((record) => viewOf(context, record));
}

/** One service. Throws OperationError NotFound. */
export function serviceView(context: OperationContext, name: ServiceName): ServiceView {
  return viewOf(context, requireService(context.controller.ledger.records(), name));
}

function viewOf(context: OperationContext, record: ServiceRecord): ServiceView {
  const { runtimes, gatewayRoutes } = context.controller.options;
  const gateways = gatewayRoutes?.standing(record.name);
  const instances = instancesOf(runtimes, record);
  const routed = serviceRoutes(record, instances).versions;
  const traffic = effectiveTraffic(record.traffic, routed);
  const versions = record.versions.map(
    (version): VersionView => ({
      record: version,
      instances: instances.filter((instance) => instance.version === version.name),
      readyEndpoints: routed.find((other) => other.version === version.name)?.endpoints.length ?? 0,
      weight: weightOf(traffic, version.name),
      isPrevious: record.traffic.kind !== 'none' && record.traffic.previous === version.name,
    }),
  );
  const alerts = [
    ...trafficAlerts(record.traffic, routed),
    ...fenceAlerts(context, record),
    ...holdAlerts(context, record),
    ...rejectionAlerts(context),
    ...context.controller.proxies.alerts(),
    ...runtimeProblems(runtimes, record),
    ...(gateways === undefined ? [] : gatewayAlerts(gateways)),
    ...primaryServiceAlerts(context, record),
    ...offeredAlerts(context, record),
  ];
  return {
    record,
    versions,
    effectiveTraffic: traffic,
    alerts,
    ...(gateways === undefined ? {} : { gateways }),
  };
}

function trafficAlerts(traffic: Traffic, routed: readonly RoutedVersion[]): string[] {
  // A service without a primary is on its way to one; an instance that keeps it from there shows as failed.
  if (traffic.kind === 'none') return [];
  const ready = (name: string): number =>
    routed.find(({ version }) => version === name)?.endpoints.length ?? 0;
  const alerts: string[] = [];
  if (ready(traffic.primary) === 0) {
    alerts.push(
      `the primary ${traffic.primary} has no ready endpoint: default traffic gets 503; it does not move by itself`,
    );
  }
  if (traffic.kind === 'shifting' && ready(traffic.candidate) === 0) {
    alerts.push(`the candidate ${traffic.candidate} has no ready endpoint: its share is 0`);
  }
  if (traffic.previous !== undefined && ready(traffic.previous) === 0) {
    alerts.push(`the previous ${traffic.previous} has no ready endpoint: a rollback would be refused`);
  }
  return alerts;
}

/** Versions that are listed by address and for which there is no room. */
function offeredAlerts({ controller }: OperationContext, record: ServiceRecord): string[] {
  const { left } = versionsOffered(record, offeredVersions(controller.options.runtimes, record));
  const live = liveVersions(record);
  const [first] = live.toSorted((one, other) => one.since - other.since);
  if (left.length === 0 || first === undefined) return [];
  return [
    `${left.length} more versions are listed by address and not taken up (${left.slice(0, 3).join(', ')}): ${live.length} live, and ${MAX_LIVE_VERSIONS} is the most; retire some, first of all ${first.name}, which is ${first.state}`,
  ];
}

/** What keeps clients without a proxy from the primary. */
function primaryServiceAlerts({ controller }: OperationContext, record: ServiceRecord): string[] {
  const standing = primaryServiceOf(controller.options, record);
  const { traffic } = record;
  if (standing === undefined || traffic.kind === 'none' || leadsTo(standing) === traffic.primary) return [];
  return standing.problem === '' ? [] : [standing.problem];
}

/** A drain that waits longer for proxies than this is worth an alert. */
const FENCE_WAIT: Milliseconds = 5_000;

/** What keeps a drain from going on, and a lifted fence from being lifted. */
function fenceAlerts({ controller }: OperationContext, record: ServiceRecord): string[] {
  const { publications, proxies, options } = controller;
  const routing = observeStillRouting({ ...options, publications, proxies }, record);
  const now = controller.options.clock.now();
  return record.versions.flatMap(({ name, state, since, fenced, fenceAtOnce }) => {
    const problem = controller.workProblem(record, name);
    const behind = routing.get(name) ?? [];
    if (state === 'Draining' && behind.length > 0 && fenceAtOnce !== true) {
      if (now < after(since, FENCE_WAIT)) return [];
      return [
        `${name} is not fenced yet: ${behind.join(', ')} may still send it default traffic (drain with --waive-stragglers does not wait)`,
      ];
    }
    if (!fenced || problem === '') return [];
    return state === 'Draining' || state === 'Drained'
      ? [`the open work of ${name} is not known: ${problem}`]
      : [`${name} takes traffic, and is still fenced: ${problem}`];
  });
}

function holdAlerts({ controller }: OperationContext, { holds }: ServiceRecord): string[] {
  const isTold = controller.proxies.connected().some(({ kind }) => kind === 'grpc');
  if (!isTold || holds.length <= MAX_GRPC_HOLDS) return [];
  return [`${holds.length} tenants are held; proxyless gRPC clients follow the first ${MAX_GRPC_HOLDS} only`];
}

function rejectionAlerts({ controller }: OperationContext): string[] {
  return controller.proxies
    .connected()
    .flatMap(({ id, types }) =>
      types.flatMap(({ type, rejection }) =>
        rejection === undefined ? [] : [`${id} rejected ${type}: ${rejection.message}`],
      ),
    );
}
