/**
 * How a check is spoken of: the name and unit of what it measures, numbers as text, and its condition in words. Every
 * sentence that judging writes is made of these.
 */
import type { BuiltinMetric, Check } from '../model/check.ts';
import type { VersionName } from '../model/names.ts';

/** What a check measures, in words. */
export interface Subject {
  /** For example `p99 latency`; the check's name where it is not a built-in metric. */
  readonly name: string;
  /** `%`, `ms`, `/s` or nothing. */
  readonly unit: string;
  /** What is counted: `requests`, `observations`. */
  readonly samples: string;
  /** Of a histogram, the quantile that stands for it. */
  readonly quantile: number;
}

const BUILTINS: Readonly<Record<BuiltinMetric['name'], Omit<Subject, 'samples'>>> = {
  SuccessRate: { name: 'success rate', unit: '%', quantile: 0.5 },
  LatencyP50: { name: 'p50 latency', unit: 'ms', quantile: 0.5 },
  LatencyP95: { name: 'p95 latency', unit: 'ms', quantile: 0.95 },
  LatencyP99: { name: 'p99 latency', unit: 'ms', quantile: 0.99 },
  RequestRate: { name: 'request rate', unit: '/s', quantile: 0.5 },
  ConnectionFailures: { name: 'connection failures', unit: '%', quantile: 0.5 },
  InstancesUp: { name: 'instances up', unit: '%', quantile: 0.5 },
  InstanceRestarts: { name: 'instance restarts', unit: '', quantile: 0.5 },
};

/** The words for a check. */
export function subjectOf({ name, metric }: Check): Subject {
  switch (metric.kind) {
    case 'builtin':
      return {
        ...BUILTINS[metric.name],
        samples: metric.name === 'ConnectionFailures' ? 'connections' : 'requests',
      };
    case 'ratio':
      return { name, unit: '%', samples: 'samples', quantile: 0.5 };
    case 'histogram':
      return { name, unit: '', samples: 'observations', quantile: metric.quantile };
    case 'query':
    case 'http':
    case 'grpc':
    case 'command':
    case 'webhook':
      return { name, unit: '', samples: 'values', quantile: 0.5 };
  }
}

const LARGE = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });
const SMALL = new Intl.NumberFormat('en-US', { maximumSignificantDigits: 4 });

/** A number as people write it, with about four digits: `1,204`, `94.8`, `0.0031`. */
export function text(value: number): string {
  if (!Number.isFinite(value)) return value > 0 ? 'infinite' : String(value);
  return (Math.abs(value) >= 1_000 ? LARGE : SMALL).format(value);
}

/** A number with its unit: `94.8 %`. */
export function withUnit(value: number, unit: string): string {
  return unit === '' ? text(value) : `${text(value)} ${unit}`;
}

/** Whether tolerances of this subject are percentage points; else they are relative to the baseline. */
export function isInPoints(subject: Subject): boolean {
  return subject.unit === '%';
}

/** A tolerance or an effect in words: `0.5 points`, or `10 %` for 0.1. */
export function effectText(effect: number, subject: Subject): string {
  return isInPoints(subject) ? `${text(effect)} points` : `${text(100 * effect)} %`;
}

/** The condition of a check in words: `at least 99 %; at most 0.5 points below v1`. */
export function conditionText(check: Check, baseline: VersionName | undefined): string {
  const { limit, comparison } = check.condition;
  const subject = subjectOf(check);
  const parts: string[] = [];
  if (limit?.min !== undefined) parts.push(`at least ${withUnit(limit.min, subject.unit)}`);
  if (limit?.max !== undefined) parts.push(`at most ${withUnit(limit.max, subject.unit)}`);
  if (comparison !== undefined) {
    const other = baseline ?? 'the baseline';
    const { bad, tolerance } = comparison;
    const side = bad === 'Either' ? 'off' : bad === 'Increase' ? 'above' : 'below';
    parts.push(
      tolerance === 0
        ? `not ${bad === 'Either' ? 'off' : side} ${other}`
        : `at most ${effectText(tolerance, subject)} ${side} ${other}`,
    );
    if (comparison.variance) parts.push(`not spread wider than ${other}`);
  }
  return parts.join('; ');
}
