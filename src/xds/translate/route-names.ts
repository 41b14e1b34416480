/**
 * Names of routes, and what they say in an access log: which service, what chose the version, and whether the request was
 * copied. A refusal reaches no cluster, so the name must tell the service too. Made and read here, so that both agree.
 */
import { isName, type ServiceName, type VersionName } from '../../model/names.ts';
import type { TrafficRoute } from '../../model/traffic.ts';

/** What a route's name says. */
export interface NamedRoute {
  readonly service: ServiceName;
  readonly route: Exclude<TrafficRoute, 'Mirror'>;
  /** Every request of the route is also sent to this version, as a copy. */
  readonly copiedTo?: VersionName;
}

const ROUTES = ['Default', 'Pin', 'Hold', 'Cohort', 'Refused'] as const satisfies NamedRoute['route'][];
const COPIED = 'mirror';

/** `manager/Pin`, or `manager/Default/mirror/v2` where requests are copied. Names hold no slash. */
export function routeName({ service, route, copiedTo }: NamedRoute): string {
  return [service, route, ...(copiedTo === undefined ? [] : [COPIED, copiedTo])].join('/');
}

/** What the name says; `undefined` where routeName did not make it. */
export function parseRouteName(name: string): NamedRoute | undefined {
  const [service = '', text = '', mark, version, ...more] = name.split('/');
  const route = ROUTES.find((known) => known === text);
  if (!isName(service) || route === undefined || more.length > 0) return undefined;
  const named = { service: service as ServiceName, route };
  if (mark === undefined) return named;
  if (mark !== COPIED || version === undefined || !isName(version)) return undefined;
  return { ...named, copiedTo: version as VersionName };
}
