/**
 * PromQL of the dashboards: a metric's name and conditions go in, a selector that obeys the variables comes out. Sums
 * are taken with `max` or `sum` by the labels that are shown, so that a second scrape of the same controller (another
 * replica, a changed address) draws no second line.
 */

/** One query of a panel. */
export interface Query {
  readonly expr: string;
  /** Name of each series: `{{label}}` stands for a label's value. */
  readonly legend: string;
}

const selector = (metric: string, matchers: readonly string[]): string =>
  `${metric}{${matchers.filter((matcher) => matcher !== '').join(',')}}`;

/** A metric of the controllers chosen. */
export function controller(metric: `switchyard_${string}`, matcher = ''): string {
  return selector(metric, ['job=~"$job"', matcher]);
}

/** A metric of the process of the controllers chosen. */
export function ofProcess(metric: `${'process' | 'nodejs'}_${string}`, matcher = ''): string {
  return selector(metric, ['job=~"$job"', matcher]);
}

/** A metric of the services chosen. */
export function ofService(metric: `switchyard_${string}`, matcher = ''): string {
  return selector(metric, ['job=~"$job"', 'service=~"$service"', matcher]);
}

/** A statistic that proxies keep for each version; copies of requests are not in it. */
export function ofVersion(metric: `envoy_cluster_${string}`, matcher = ''): string {
  return selector(metric, ['job=~"$proxy_job"', 'service=~"$service"', 'version!=""', matcher]);
}

/** A gauge of the services chosen, whichever replica shows it. */
export const each = (metric: `switchyard_${string}`): string => `max by (service) (${ofService(metric)})`;

/** Added up over proxies or instances. */
export const perVersion = (vector: string): string => `sum by (service, version) (${vector})`;

/** Per second, over the least span that the scrape interval allows. */
export const rate = (vector: string): string => `rate(${vector}[$__rate_interval])`;

/** How many within the time that the dashboard shows. */
export const withinRange = (vector: string): string => `increase(${vector}[$__range])`;

/**
 * Answers of a class (4 or 5) by version, each second. Envoy makes such a series with the first such answer; until then
 * there was none, which is 0.
 */
export function answersOfClass(digit: 4 | 5): string {
  const matching = ofVersion('envoy_cluster_upstream_rq_xx', `envoy_response_code_class="${digit}"`);
  const any = ofVersion('envoy_cluster_upstream_rq_total');
  return `(${perVersion(rate(matching))} or 0 * ${perVersion(rate(any))})`;
}

/** A part of a whole in percent; not a number while the whole is 0. */
export const percentOf = (part: string, whole: string): string => `100 * ${part} / ${whole}`;

/** A quantile of a classic histogram, by these labels. */
export function quantile(share: number, buckets: string, ...by: readonly string[]): string {
  return `histogram_quantile(${share}, sum by (${[...by, 'le'].join(', ')}) (${rate(buckets)}))`;
}

/**
 * Which of several 0/1 series is 1, as a number: 1 for the first value, and so on; 0 for none. Grafana draws text and
 * colours from it by the mappings of `codes`.
 */
export function coded(wanted: {
  readonly of: (matcher: string) => string;
  readonly label: string;
  readonly values: readonly string[];
  readonly by: readonly string[];
}): string {
  const { of, label, values, by } = wanted;
  return values
    .map((value, index) => `${index + 1} * max by (${by.join(', ')}) (${of(`${label}="${value}"`)})`)
    .join(' + ');
}
