/**
 * The DelegateSource port over PromQL: how many delegates of each tenant are connected to a version, without their names.
 * A version of which Prometheus has nothing, or nothing new, is unknown, never without delegates (rule 10).
 */
import type { DelegateAnswer, DelegateCount } from '../../model/delegates.ts';
import { type Instant, instant } from '../../model/instant.ts';
import { tenantName, type VersionName } from '../../model/names.ts';
import type { Clock } from '../../ports/clock.ts';
import type { DelegateRequest, DelegateSource } from '../../ports/delegate-source.ts';
import type { MetricSource, VectorElement } from '../../ports/metric-source.ts';
import { selectorsOf } from '../../verification/selectors.ts';
import { describeTemplateProblem, render } from '../../verification/templates.ts';
import { inOneLine } from '../instance-round.ts';

type PromqlSource = Extract<DelegateRequest['source'], { readonly kind: 'promql' }>;

/** A newest sample that is older is not new. */
const SCRAPES_MISSED = 2;

/** A target that had the series within this time and cannot be scraped now is missed. */
const MISSED_FOR = '600s';

/** Series of one version; more tenants than that are too many for one answer. */
const MOST_SERIES = 100_000;

/** Counts by `metricSource`, as of `clock`. */
export function createPromqlDelegateSource(parts: {
  readonly metricSource: MetricSource;
  readonly clock: Clock;
}): DelegateSource {
  return {
    async delegates(request) {
      const { source, versions } = request;
      if (source.kind !== 'promql')
        return { kind: 'unknown', reason: `a source of kind ${source.kind} is not counted by PromQL` };
      const now = parts.clock.now();
      const told = await Promise.all(
        versions.map((version) => countVersion({ ...parts, request, source, version, now })),
      );
      return added(told);
    },
  };
}

/** What became known of one version. */
type Told =
  | { readonly kind: 'known'; readonly asOf: Instant; readonly counts: readonly DelegateCount[] }
  | { readonly kind: 'unknown'; readonly version: VersionName; readonly reason: string };

interface Asking {
  readonly metricSource: MetricSource;
  readonly request: DelegateRequest;
  readonly source: PromqlSource;
  readonly version: VersionName;
  readonly now: Instant;
}

function added(told: readonly Told[]): DelegateAnswer {
  const known = told.filter((one) => one.kind === 'known');
  const unknown = told.filter((one) => one.kind === 'unknown');
  if (known.length === 0) {
    const reasons = unknown.map(({ version, reason }) => `${version}: ${reason}`);
    return { kind: 'unknown', reason: reasons.length === 0 ? 'no version is asked for' : inOneLine(reasons) };
  }
  return {
    kind: 'counted',
    asOf: instant(Math.min(...known.map(({ asOf }) => asOf))),
    counts: known.flatMap(({ counts }) => counts),
    unknown: unknown.map(({ version, reason }) => ({ version, reason })),
  };
}

async function countVersion(asking: Asking): Promise<Told> {
  try {
    return await countOrThrow(asking);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { kind: 'unknown', version: asking.version, reason };
  }
}

async function countOrThrow(asking: Asking): Promise<Told> {
  const { request, source, version } = asking;
  const values = { service: request.service, version };
  const rendered = render({ template: source.query, values, args: {} });
  if (rendered.kind === 'problem') throw new Error(describeTemplateProblem(rendered.problem));
  const selectors = selectorsOf(rendered.text);
  if (selectors.length === 0) throw new Error('the query reads no series, so it counts no delegates');
  const [elements, asOf] = await Promise.all([
    ask(asking, rendered.text),
    oldestSample(asking, selectors),
    ...selectors.map((selector) => requireTargetsUp(asking, selector)),
  ]);
  if (elements.length === 0 || asOf === undefined)
    throw new Error(
      'Prometheus has no series of it, which may mean that nobody is connected, or that nobody tells',
    );
  requireNew(asking, asOf);
  if (elements.length > MOST_SERIES)
    throw new Error(`the query answers ${elements.length} series; at most ${MOST_SERIES} are read`);
  return { kind: 'known', asOf, counts: countsOf(asking, elements) };
}

function countsOf({ source, version }: Asking, elements: readonly VectorElement[]): readonly DelegateCount[] {
  const byTenant = new Map<string, number>();
  for (const { labels, value } of elements) {
    const tenant = labels[source.tenantLabel];
    if (tenant === undefined)
      throw new Error(
        `the query answers a series without the label ${source.tenantLabel}; add: by (${source.tenantLabel})`,
      );
    if (!Number.isFinite(value) || value < 0)
      throw new Error(`the query answers ${value} for tenant ${tenant}, which counts no delegates`);
    byTenant.set(tenant, (byTenant.get(tenant) ?? 0) + value);
  }
  return [...byTenant].map(([tenant, connected]) => ({ version, tenant: tenantName(tenant), connected }));
}

/** The oldest sample that the query reads now; undefined where it reads none. Series that ended are not read. */
async function oldestSample(asking: Asking, selectors: readonly string[]): Promise<Instant | undefined> {
  const answers = await Promise.all(selectors.map((selector) => ask(asking, `min(timestamp(${selector}))`)));
  const seconds = answers.flatMap((elements) => elements.map(({ value }) => value));
  return seconds.length === 0 ? undefined : instant(Math.round(Math.min(...seconds) * 1_000));
}

/** Throws where an instance that counted delegates cannot be scraped: those that it has are missing now. */
async function requireTargetsUp(asking: Asking, selector: string): Promise<void> {
  const down = await ask(asking, `up == 0 and on (job, instance) last_over_time(${selector}[${MISSED_FOR}])`);
  if (down.length === 0) return;
  const names = down.map(({ labels }) => `${labels['job']} ${labels['instance']}`).toSorted();
  throw new Error(
    `Prometheus cannot scrape ${inOneLine(names)}, which had ${selector} within the last ten minutes`,
  );
}

function requireNew({ source, now }: Asking, oldest: Instant): void {
  if (oldest > now - SCRAPES_MISSED * source.prometheus.scrapeInterval) return;
  throw new Error(`a series that the query reads has no sample for ${(now - oldest) / 1_000} s`);
}

async function ask(
  { metricSource, request, source, now }: Asking,
  query: string,
): Promise<readonly VectorElement[]> {
  const answer = await metricSource.query({
    server: source.prometheus,
    query,
    at: now,
    signal: request.signal,
  });
  if (answer.kind === 'error') throw new Error(answer.reason);
  return answer.elements;
}
