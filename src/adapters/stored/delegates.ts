/** The shape in which it is kept what a user wishes for the delegates of a service. */
import type { DelegateSourceSpec, DelegatesSpec, Wave } from '../../model/delegates.ts';
import { count, length, list, object, oneOf, type Shape, tagged, text } from './shape.ts';
import { storedWindow } from './traffic-spec.ts';
import { storedPrometheus } from './verification.ts';

const source: Shape<DelegateSourceSpec> = tagged<DelegateSourceSpec>({
  grpc: {},
  promql: { query: text, prometheus: storedPrometheus, tenantLabel: text },
  none: {},
});

/** Reads a stored Wave. */
export const storedWave: Shape<Wave> = object<Wave>({
  name: text,
  groups: list(text),
  canaries: count,
  wait: length,
  windows: list(storedWindow),
  maxInFlight: count,
  maxFailed: count,
});

/** Reads a stored DelegatesSpec. */
export const storedDelegates: Shape<DelegatesSpec> = object<DelegatesSpec>({
  source,
  activeWithin: length,
  deadline: length,
  onMissing: oneOf('HoldBack', 'Wait', 'Proceed', 'Fail'),
  maxHeldBack: length,
  holdFor: length,
  waves: list(storedWave),
});
