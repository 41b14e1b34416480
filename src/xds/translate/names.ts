/**
 * The names of what proxies see. Names of services and versions hold no underscore, so two of them separate without
 * doubt, also where a version has dots.
 */
import { isName, type ServiceName, type VersionName } from '../../model/names.ts';

/** The cluster under which a proxy's bootstrap knows its controller. */
export const CONTROLLER_CLUSTER = 'switchyard';

/** Between service and version, and behind both in statistics. */
const SEPARATOR = '__';
/** What ends the name of a cluster for copies. */
const MIRROR = 'mirror';

/** The cluster of a version, and its endpoints: `manager__1.8.3`. */
export function clusterName(service: ServiceName, version: VersionName): string {
  return `${service}${SEPARATOR}${version}`;
}

/** The service and version of a cluster that is named so; `undefined` for every other name. */
export function parseClusterName(
  name: string,
): { readonly service: ServiceName; readonly version: VersionName } | undefined {
  const [service = '', version = '', ...more] = name.split(SEPARATOR);
  if (more.length > 0 || !isName(service) || !isName(version)) return undefined;
  return { service: service as ServiceName, version: version as VersionName };
}

/** The cluster that copies of requests for a version go to, so that they count apart: `manager__1.8.3__mirror`. */
export function mirrorClusterName(service: ServiceName, version: VersionName): string {
  return `${clusterName(service, version)}${SEPARATOR}${MIRROR}`;
}

/** The cluster that never has an endpoint: proxyless gRPC, which takes no direct response, is refused by it. */
export function refusalClusterName(service: ServiceName): string {
  return `${service}${SEPARATOR}`;
}

/** What stands for a cluster in statistics: `manager__1.8.3__`. The end mark tells the version's dots from the next part. */
export function statisticsName(cluster: string): string {
  return cluster + SEPARATOR;
}

const NAME = '[a-z0-9.-]+';
const VERSION_CLUSTER = `${NAME}${SEPARATOR}${NAME}`;

/**
 * How a proxy gets labels out of statisticsName. In each expression the first group is cut out of the statistic's
 * name and the second is the label's value. `envoy.cluster_name` replaces the default of that name, which ends at the
 * first dot. A cluster for copies has the label `mirror` instead of `version`: sums by version must not count copies.
 */
export const STATISTICS_TAGS = [
  {
    tagName: 'envoy.cluster_name',
    regex: `^cluster\\.((${VERSION_CLUSTER}(?:${SEPARATOR}${MIRROR})?|[^.]+)(?:${SEPARATOR})?\\.)`,
  },
  {
    tagName: 'service',
    regex: `^cluster\\.((${NAME})${SEPARATOR})${NAME}${SEPARATOR}(?:${MIRROR}${SEPARATOR})?\\.`,
  },
  { tagName: 'version', regex: `^cluster\\.${NAME}${SEPARATOR}((${NAME})${SEPARATOR}\\.)` },
  {
    tagName: 'mirror',
    regex: `^cluster\\.${NAME}${SEPARATOR}((${NAME})${SEPARATOR}${MIRROR}${SEPARATOR}\\.)`,
  },
] as const;
