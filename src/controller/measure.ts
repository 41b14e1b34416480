/**
 * Measures one check once: Prometheus is asked for both sides, the runtime's view of the instances is read, or a prober
 * asks. What leaves is data, or why there is none: a measurement never rejects, and silence is never data (rule 10).
 */
import {
  type AnsweredMetric,
  answersByItself,
  type BuiltinMetric,
  type Check,
  type CheckMetric,
  isTrafficMetric,
} from '../model/check.ts';
import type { Instance } from '../model/instance.ts';
import type { Instant } from '../model/instant.ts';
import type { MeasuredData, MeasuredOutcome } from '../model/measurement.ts';
import type { VersionName } from '../model/names.ts';
import { type RolloutRecord, stepName } from '../model/rollout.ts';
import type { ServiceRecord } from '../model/state.ts';
import type { MetricSource } from '../ports/metric-source.ts';
import type { ProbeAnswer, Prober } from '../ports/prober.ts';
import { builtinQuestion, type CounterQuestion } from '../verification/builtin.ts';
import { freshAfter } from '../verification/counters.ts';
import { describeTemplateProblem, promqlDuration, render } from '../verification/templates.ts';
import { Asked, noData, notMeasured, Unmeasured } from './asked.ts';
import { answerOf, type Side } from './measure-counters.ts';
import { valueOf } from './measure-query.ts';

export interface MeasureInput {
  readonly check: Check;
  readonly record: ServiceRecord;
  /** The rollout that is measured: its version, its baseline and its policy count. */
  readonly rollout: RolloutRecord;
  readonly window: { readonly from: Instant; readonly to: Instant };
  /** The instances of the service, of any version. */
  readonly instances: readonly Instance[];
  readonly metricSource: MetricSource;
  readonly prober: Prober;
  readonly signal: AbortSignal;
}

/** One look, with the queries as they were sent. */
export interface Measured {
  readonly queries: readonly string[];
  readonly outcome: MeasuredOutcome;
}

type AskedMetric = Exclude<CheckMetric, AnsweredMetric>;

/** Measures a check over a window. Never rejects. */
export async function measure(input: MeasureInput): Promise<Measured> {
  const { metric } = input.check;
  const queries: string[] = [];
  try {
    const outcome = await (answersByItself(metric)
      ? answered(input, metric)
      : bothSides(input, metric, queries));
    return { queries, outcome };
  } catch (error) {
    if (error instanceof Unmeasured) return { queries, outcome: error.outcome };
    const reason = error instanceof Error ? error.message : String(error);
    return { queries, outcome: { kind: 'Error', reason } };
  }
}

async function answered(input: MeasureInput, metric: AnsweredMetric): Promise<MeasuredOutcome> {
  const { rollout, record, prober, signal } = input;
  const { service, version } = rollout;
  const answer =
    metric.kind === 'webhook'
      ? await prober.confirm({ metric, facts: factsOf(input), signal })
      : await prober.probe({
          metric,
          service,
          version,
          pinHeader: record.spec.pin.header,
          instances: readyOf(input.instances, version),
          signal,
        });
  return outcomeOf(answer);
}

function outcomeOf(answer: ProbeAnswer): MeasuredOutcome {
  if (answer.kind === 'error') return { kind: 'Error', reason: answer.reason };
  return { kind: 'Data', data: { kind: 'answer', answer: answer.kind, detail: answer.detail } };
}

/** What a webhook is told. */
function factsOf({ check, rollout }: MeasureInput): Readonly<Record<string, unknown>> {
  const { id, service, version, baseline, attempt, step, startedBy, reason } = rollout;
  const weight = step.kind === 'Shift' ? { weight: step.weight } : {};
  return {
    check: check.name,
    rollout: id,
    service,
    version,
    baseline,
    attempt,
    step: stepName(step),
    ...weight,
    startedBy,
    reason,
  };
}

async function bothSides(
  input: MeasureInput,
  metric: AskedMetric,
  queries: string[],
): Promise<MeasuredOutcome> {
  const { version } = input.rollout;
  const [candidate, baseline] = await Promise.all([
    sideOf(input, metric, version, queries),
    baselineOf(input, metric, queries),
  ]);
  return { kind: 'Data', data: dataOf(candidate, baseline) };
}

/** The other side, where the check compares. A baseline without data must not hide that the candidate breaks a limit. */
async function baselineOf(
  input: MeasureInput,
  metric: AskedMetric,
  queries: string[],
): Promise<Side | undefined> {
  const { limit, comparison } = input.check.condition;
  const { version, baseline } = input.rollout;
  if (comparison === undefined) return undefined;
  try {
    if (baseline === version) throw noData(`there is no other version to compare ${version} with`);
    return await sideOf(input, metric, baseline, queries);
  } catch (error) {
    if (limit !== undefined && error instanceof Unmeasured && error.outcome.kind === 'NoData')
      return undefined;
    throw error;
  }
}

async function sideOf(
  input: MeasureInput,
  metric: AskedMetric,
  version: VersionName,
  queries: string[],
): Promise<Side> {
  if (metric.kind === 'builtin' && !isTrafficMetric(metric.name))
    return Promise.resolve({ kind: 'value', value: instanceValue(metric.name, input.instances, version) });
  const { metricSource, window, signal, instances } = input;
  const server = input.rollout.policy.verification?.prometheus;
  if (server === undefined)
    throw notMeasured('spec.verification.prometheus is not set, and this check asks it');
  const asked = new Asked({ server, metricSource, window, signal, queries });
  if (metric.kind === 'query')
    return valueOf(asked, rendered(metric.query, metric, input, version)).then((value) => ({
      kind: 'value',
      value,
    }));
  const since = freshAfter(window.to, server.scrapeInterval);
  const expected = readyOf(instances, version).filter((each) => each.since <= since);
  return answerOf(asked, questionOf(metric, input, version), expected.map(addressOf));
}

function questionOf(
  metric: Exclude<AskedMetric, { readonly kind: 'query' }>,
  input: MeasureInput,
  version: VersionName,
): CounterQuestion {
  switch (metric.kind) {
    case 'builtin':
      if (!isTrafficMetric(metric.name)) throw notMeasured(`${metric.name} is not asked of Prometheus`);
      return builtinQuestion(metric.name, {
        service: input.rollout.service,
        version,
        withCopies: getsCopies(input.rollout, version),
      });
    case 'ratio':
      return {
        kind: 'ratio',
        events: rendered(metric.events, metric, input, version),
        total: [rendered(metric.total, metric, input, version)],
      };
    case 'histogram':
      return { kind: 'histogram', buckets: rendered(metric.buckets, metric, input, version) };
  }
}

/** A candidate gets copies of default requests while it is verified, and no default request of its own yet. */
function getsCopies({ step, policy, version: candidate }: RolloutRecord, version: VersionName): boolean {
  return step.kind === 'Verify' && policy.traffic.mirror !== undefined && version === candidate;
}

function rendered(
  template: string,
  { args }: { readonly args: Readonly<Record<string, string>> },
  { rollout, window }: MeasureInput,
  version: VersionName,
): string {
  const { service, baseline } = rollout;
  const values = {
    service,
    version,
    baseline: baseline === rollout.version ? undefined : baseline,
    window: promqlDuration(window.to - window.from),
  };
  const result = render({ template, values, args });
  if (result.kind === 'problem') throw notMeasured(describeTemplateProblem(result.problem));
  return result.text;
}

function instanceValue(
  name: Extract<BuiltinMetric['name'], 'InstancesUp' | 'InstanceRestarts'>,
  instances: readonly Instance[],
  version: VersionName,
): number {
  const own = instances.filter((instance) => instance.version === version);
  if (own.length === 0) throw noData(`no instance of ${version} is known`);
  if (name === 'InstanceRestarts') return own.reduce((sum, { restarts }) => sum + restarts, 0);
  return (100 * readyOf(own, version).length) / own.length;
}

function readyOf(instances: readonly Instance[], version: VersionName): readonly Instance[] {
  return instances.filter((instance) => instance.version === version && instance.state === 'Ready');
}

/** As Prometheus writes it in the label `instance`. */
function addressOf({ address: { host, port } }: Instance): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function dataOf(candidate: Side, baseline: Side | undefined): MeasuredData {
  if (candidate.kind === 'ratio')
    return {
      kind: 'ratio',
      candidate: candidate.proportion,
      ...(baseline?.kind === 'ratio' ? { baseline: baseline.proportion } : {}),
    };
  if (candidate.kind === 'histogram')
    return {
      kind: 'histogram',
      candidate: candidate.buckets,
      ...(baseline?.kind === 'histogram' ? { baseline: baseline.buckets } : {}),
    };
  return {
    kind: 'value',
    candidate: candidate.value,
    ...(baseline?.kind === 'value' ? { baseline: baseline.value } : {}),
  };
}
