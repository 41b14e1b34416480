/** The shapes in which counts of requests are kept, and the times in which they were counted. */
import {
  TRAFFIC_RESULTS,
  TRAFFIC_ROUTES,
  type TrafficCount,
  type TrafficCoverage,
  type TrafficGap,
} from '../../model/traffic.ts';
import { count, list, object, oneOf, optional, type Shape, text } from './shape.ts';
import { storedInstant, storedServiceName, storedVersionName } from './simple.ts';

/** Reads a stored count of requests. */
export const storedTrafficCount: Shape<TrafficCount> = object<TrafficCount>({
  service: storedServiceName,
  version: optional(storedVersionName),
  route: oneOf(...TRAFFIC_ROUTES),
  result: oneOf(...TRAFFIC_RESULTS),
  from: storedInstant,
  requests: count,
  retries: count,
  durations: list(count),
});

const gap: Shape<TrafficGap> = object<TrafficGap>({
  proxy: text,
  from: storedInstant,
  to: storedInstant,
  requests: count,
  why: text,
});

/** Reads a stored coverage. */
export const storedCoverage: Shape<TrafficCoverage> = object<TrafficCoverage>({
  from: storedInstant,
  to: storedInstant,
  gaps: list(gap),
});
