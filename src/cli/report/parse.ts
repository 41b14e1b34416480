/**
 * JSON text of a report -> RolloutReport. The text comes from a controller that may be of another release, or from a file
 * that somebody changed: everything that is shown is checked here, and a wrong part is named by its path. Pure.
 */
import { CHECK_STATES } from '../../model/check.ts';
import type { RolloutReport } from '../../model/report.ts';
import { ROLLOUT_STATES } from '../../model/rollout.ts';
import { excerpt } from '../../model/text.ts';
import { TRAFFIC_RESULTS, TRAFFIC_ROUTES } from '../../model/traffic.ts';

/** The text is no report. */
export class ReportFormatError extends Error {
  override readonly name = 'ReportFormatError';
}

/** Throws ReportFormatError. Fields that are not known here are kept. */
export function parseReport(json: string): RolloutReport {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    throw new ReportFormatError(
      `the report is not JSON: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  report(value, 'report');
  return value as RolloutReport;
}

/** Checks a value; `path` names it. Throws ReportFormatError. */
type Check = (value: unknown, path: string) => void;

function wrong(value: unknown, path: string, right: string): never {
  throw new ReportFormatError(`${path} is ${excerpt(value)} where ${right} belongs`);
}

const text: Check = (value, path) => {
  if (typeof value !== 'string') wrong(value, path, 'text');
};
const number: Check = (value, path) => {
  if (typeof value !== 'number' || !Number.isFinite(value)) wrong(value, path, 'a number');
};
const count: Check = (value, path) => {
  if (!Number.isSafeInteger(value) || (value as number) < 0)
    wrong(value, path, 'a whole number of at least 0');
};
/** Milliseconds since 1970 that a Date can hold. */
const time: Check = (value, path) => {
  count(value, path);
  if (Number.isNaN(new Date(value as number).getTime()))
    wrong(value, path, 'a time in milliseconds since 1970');
};

function oneOf(words: readonly string[]): Check {
  return (value, path) => {
    if (!words.includes(value as string)) wrong(value, path, `one of ${words.join(', ')}`);
  };
}

function list(item: Check): Check {
  return (value, path) => {
    if (!Array.isArray(value)) return wrong(value, path, 'a list');
    for (const [index, each] of value.entries()) item(each, `${path}[${index}]`);
  };
}

function optional(check: Check): Check {
  return (value, path) => {
    if (value !== undefined) check(value, path);
  };
}

function object(fields: Readonly<Record<string, Check>>): Check {
  return (value, path) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) wrong(value, path, 'an object');
    for (const [name, check] of Object.entries(fields)) {
      check((value as Record<string, unknown>)[name], `${path}.${name}`);
    }
  };
}

function mapOf(item: Check, names?: readonly string[]): Check {
  return (value, path) => {
    object({})(value, path);
    for (const [name, each] of Object.entries(value as object)) {
      if (names !== undefined) oneOf(names)(name, `${path}: a field`);
      item(each, `${path}.${name}`);
    }
  };
}

const certainty: Check = (value, path) => {
  object({ kind: oneOf(['Proved', 'Sampled', 'NotMeasurable']) })(value, path);
  if ((value as { kind: string }).kind !== 'Proved') object({ why: text })(value, path);
};
const figure = object({ value: optional(number), certainty });
const interval = object({ low: number, high: number });
const sides = object({ candidate: number, baseline: optional(number) });

/** Limits are drawn; the rest of the policy is not looked at. */
const verification = object({
  checks: list(
    object({
      name: text,
      condition: object({ limit: optional(object({ min: optional(number), max: optional(number) })) }),
    }),
  ),
});

const rollout = object({
  id: text,
  service: text,
  version: text,
  baseline: text,
  state: oneOf(ROLLOUT_STATES),
  stateReason: text,
  because: text,
  startedAt: time,
  startedBy: text,
  reason: text,
  endedAt: optional(time),
  attempt: count,
  policy: object({ verification: optional(verification) }),
  primaryServiceGaps: optional(
    list(object({ name: text, routes: text, service: optional(text), from: time, until: optional(time) })),
  ),
});

const measurement = object({
  check: text,
  step: text,
  attempt: count,
  at: time,
  judgement: object({
    state: oneOf(CHECK_STATES),
    value: optional(number),
    baseline: optional(number),
    limit: text,
    samples: sides,
    interval: optional(interval),
    because: text,
  }),
});

const report = object({
  rollout,
  service: text,
  window: object({ from: time, to: time }),
  summary: text,
  requests: figure,
  impacted: figure,
  retries: figure,
  cutStreams: figure,
  refusals: figure,
  byVersion: list(
    object({
      version: optional(text),
      route: oneOf(TRAFFIC_ROUTES),
      requests: count,
      results: mapOf(count, TRAFFIC_RESULTS),
      retries: count,
      p50: optional(number),
      p99: optional(number),
      durations: list(count),
    }),
  ),
  latency: optional(
    object({
      milliseconds: number,
      low: number,
      high: number,
      samples: object({ candidate: count, baseline: count }),
      certainty,
    }),
  ),
  timeline: list(object({ at: time, requests: mapOf(count), errors: mapOf(count) })),
  decisions: list(object({ at: time, actor: text, action: text, message: text })),
  knownSince: optional(time),
  measurements: list(measurement),
  mixedFor: optional(number),
});
