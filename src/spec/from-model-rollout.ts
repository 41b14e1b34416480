/** The model of traffic and drain in, messages of traffic.proto and drain.proto out: the reverse of to-model-rollout.ts. */
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import type * as drains from '../gen/switchyard/config/v1/drain_pb.js';
import * as config from '../gen/switchyard/config/v1/traffic_pb.js';
import type { DrainSource, MaintenanceWindow, TrafficSpec, Weekday } from '../model/spec.ts';
import { fromPrometheus, type Init } from './from-model-verification.ts';
import { formatMinuteOfDay } from './time-of-day.ts';

const PROMOTION = {
  Automatic: config.Promotion.AUTOMATIC,
  Manual: config.Promotion.MANUAL,
} as const satisfies Record<TrafficSpec['promotion'], config.Promotion>;

const WEEKDAY = {
  Sunday: config.Weekday.SUNDAY,
  Monday: config.Weekday.MONDAY,
  Tuesday: config.Weekday.TUESDAY,
  Wednesday: config.Weekday.WEDNESDAY,
  Thursday: config.Weekday.THURSDAY,
  Friday: config.Weekday.FRIDAY,
  Saturday: config.Weekday.SATURDAY,
} as const satisfies Record<Weekday, config.Weekday>;

/** The message of spec.traffic. */
export function fromTraffic(traffic: TrafficSpec): Init<typeof config.TrafficSchema> {
  const { steps, stepDuration, promotion, approvals, progressDeadline, windows, cohort, mirror, retries } =
    traffic;
  return {
    steps: [...steps],
    retries,
    stepDuration: durationFromMs(stepDuration),
    promotion: PROMOTION[promotion],
    approvals: [...approvals],
    progressDeadline: durationFromMs(progressDeadline),
    windows: windows.map(fromWindow),
    ...(cohort && {
      cohort: { tenants: [...cohort.tenants], headers: cohort.headers.map((header) => ({ ...header })) },
    }),
    ...(mirror && {
      mirror: {
        percent: mirror.percent,
        methods: [...mirror.methods],
        grpcMethods: [...mirror.grpcMethods],
      },
    }),
  };
}

/** The message of a window. */
export function fromWindow({
  days,
  startMinute,
  duration,
}: MaintenanceWindow): Init<typeof config.MaintenanceWindowSchema> {
  return {
    days: days.map((day) => WEEKDAY[day]),
    start: formatMinuteOfDay(startMinute),
    duration: durationFromMs(duration),
  };
}

/** The message of spec.drain. */
export function fromDrainSource(source: DrainSource): NonNullable<Init<typeof drains.DrainSchema>['source']> {
  switch (source.kind) {
    case 'http':
      return { case: 'http', value: { fencePath: source.fencePath, openWorkPath: source.openWorkPath } };
    case 'grpc':
      return { case: 'grpc', value: {} };
    case 'promql': {
      const { query, prometheus, instanceLabel, quietFor } = source;
      return {
        case: 'promql',
        value: {
          query,
          prometheus: fromPrometheus(prometheus),
          instanceLabel,
          quietFor: durationFromMs(quietFor),
        },
      };
    }
    case 'workflow':
      return { case: 'workflow', value: {} };
    case 'none':
      return { case: 'none', value: {} };
  }
}
