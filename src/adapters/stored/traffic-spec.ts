/** The shape in which it is kept how default traffic moves to a candidate. */
import {
  type Cohort,
  type MaintenanceWindow,
  type MirrorSpec,
  type TrafficSpec,
  WEEKDAYS,
} from '../../model/spec.ts';
import { count, length, list, object, oneOf, optional, type Shape, since, text } from './shape.ts';
import { storedTenantName } from './simple.ts';

/** Reads a stored MaintenanceWindow. */
export const storedWindow: Shape<MaintenanceWindow> = object<MaintenanceWindow>({
  days: list(oneOf(...WEEKDAYS)),
  startMinute: count,
  duration: length,
});

const cohort: Shape<Cohort> = object<Cohort>({
  tenants: list(storedTenantName),
  headers: list(object({ name: text, value: text })),
});

const mirror: Shape<MirrorSpec> = object<MirrorSpec>({
  percent: length,
  methods: list(text),
  grpcMethods: list(text),
});

const TEN_MINUTES = 600_000;

/** Reads a stored TrafficSpec. */
export const storedTraffic: Shape<TrafficSpec> = object<TrafficSpec>({
  steps: list(length),
  stepDuration: since(length, 0),
  promotion: since(oneOf('Automatic', 'Manual'), 'Manual'),
  approvals: since(list(length), []),
  progressDeadline: since(length, TEN_MINUTES),
  windows: since(list(storedWindow), []),
  cohort: optional(cohort),
  mirror: optional(mirror),
  retries: count,
});
