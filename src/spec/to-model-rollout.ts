/** Messages of traffic.proto and drain.proto in, the model out, with the defaults that depend on spec.verification. */
import type { Drain } from '../gen/switchyard/config/v1/drain_pb.js';
import * as config from '../gen/switchyard/config/v1/traffic_pb.js';
import { tenantName } from '../model/names.ts';
import type {
  Cohort,
  DrainSource,
  MaintenanceWindow,
  MirrorSpec,
  TrafficSpec,
  VerificationSpec,
  Weekday,
} from '../model/spec.ts';
import { given } from './given.ts';
import { milliseconds } from './leaf.ts';
import { minuteOfDay } from './time-of-day.ts';
import { toPrometheus } from './to-model-verification.ts';

const PROMOTION = {
  [config.Promotion.UNSPECIFIED]: undefined,
  [config.Promotion.AUTOMATIC]: 'Automatic',
  [config.Promotion.MANUAL]: 'Manual',
} as const satisfies Record<config.Promotion, TrafficSpec['promotion'] | undefined>;

const WEEKDAY = {
  [config.Weekday.UNSPECIFIED]: undefined,
  [config.Weekday.SUNDAY]: 'Sunday',
  [config.Weekday.MONDAY]: 'Monday',
  [config.Weekday.TUESDAY]: 'Tuesday',
  [config.Weekday.WEDNESDAY]: 'Wednesday',
  [config.Weekday.THURSDAY]: 'Thursday',
  [config.Weekday.FRIDAY]: 'Friday',
  [config.Weekday.SATURDAY]: 'Saturday',
} as const satisfies Record<config.Weekday, Weekday | undefined>;

/** How traffic moves. Where nothing verifies a version, an operator moves it. */
export function toTraffic(message: config.Traffic, verification: VerificationSpec | undefined): TrafficSpec {
  const { steps, stepDuration, promotion, approvals, progressDeadline, windows, cohort, mirror, retries } =
    message;
  return {
    steps,
    stepDuration: milliseconds(stepDuration),
    promotion:
      promotion === undefined
        ? verification === undefined
          ? 'Manual'
          : 'Automatic'
        : given(PROMOTION[promotion]),
    approvals,
    progressDeadline: milliseconds(progressDeadline),
    windows: windows.map(toWindow),
    ...(cohort && { cohort: toCohort(cohort) }),
    ...(mirror && { mirror: toMirror(mirror) }),
    retries,
  };
}

/** A window in the model. */
export function toWindow({ days, start, duration }: config.MaintenanceWindow): MaintenanceWindow {
  return {
    days: days.map((day) => given(WEEKDAY[day])),
    startMinute: minuteOfDay(start),
    duration: milliseconds(duration),
  };
}

function toCohort({ tenants, headers }: config.Cohort): Cohort {
  return {
    tenants: tenants.map(tenantName),
    headers: headers.map(({ name, value }) => ({ name, value })),
  };
}

function toMirror({ percent, methods, grpcMethods }: config.Mirror): MirrorSpec {
  return { percent, methods, grpcMethods };
}

/** Who knows the open work. A Prometheus that is not named is the one that verifies. */
export function toDrainSource({ source }: Drain, verification: VerificationSpec | undefined): DrainSource {
  switch (source.case) {
    case 'http':
      return { kind: 'http', fencePath: source.value.fencePath, openWorkPath: source.value.openWorkPath };
    case 'grpc':
      return { kind: 'grpc' };
    case 'promql': {
      const { query, prometheus, instanceLabel, quietFor } = source.value;
      return {
        kind: 'promql',
        query,
        prometheus: prometheus === undefined ? given(verification?.prometheus) : toPrometheus(prometheus),
        instanceLabel,
        quietFor: milliseconds(quietFor),
      };
    }
    case 'workflow':
      return { kind: 'workflow' };
    case 'none':
      return { kind: 'none' };
    case undefined:
      return given<DrainSource>(undefined);
  }
}
