/**
 * The names of what proxies see. Names of services and versions hold no underscore, so two of them separate without
 * doubt, also where a version has dots.
 */
import type { ServiceName, VersionName } from '../../model/names.ts';

/** Between service and version, and behind both in statistics. */
const SEPARATOR = '__';

/** The cluster of a version, and its endpoints: `manager__1.8.3`. */
export function clusterName(service: ServiceName, version: VersionName): string {
  return `${service}${SEPARATOR}${version}`;
}

/** The cluster that never has an endpoint: proxyless gRPC, which takes no direct response, is refused by it. */
export function refusalClusterName(service: ServiceName): string {
  return `${service}${SEPARATOR}`;
}

/** What stands for a cluster in statistics: `manager__1.8.3__`. The end mark tells the version's dots from the next part. */
export function statisticsName(service: ServiceName, version: VersionName): string {
  return clusterName(service, version) + SEPARATOR;
}

const NAME = '[a-z0-9.-]+';

/**
 * How a proxy gets labels out of statisticsName. In each expression the first group is cut out of the statistic's
 * name and the second is the label's value. `envoy.cluster_name` replaces the default of that name, which ends at the
 * first dot.
 */
export const STATISTICS_TAGS = [
  {
    tagName: 'envoy.cluster_name',
    regex: `^cluster\\.((${NAME}${SEPARATOR}${NAME}|[^.]+)(?:${SEPARATOR})?\\.)`,
  },
  { tagName: 'service', regex: `^cluster\\.((${NAME})${SEPARATOR})${NAME}${SEPARATOR}\\.` },
  { tagName: 'version', regex: `^cluster\\.${NAME}${SEPARATOR}((${NAME})${SEPARATOR}\\.)` },
] as const;
