/** An autoscaler of somebody else in the words of a spec. Pure. */
import type { Autoscaling } from '../model/kubernetes.ts';
import type { Autoscaler } from './objects.ts';

/** Undefined where a spec cannot say the same: it scales by something else, or by more than one thing. */
export function autoscalingOf({ spec }: Autoscaler): Autoscaling | undefined {
  const { minReplicas: min = 1, maxReplicas: max, metrics = [] } = spec;
  const [metric, ...others] = metrics as readonly Metric[];
  const { name, target } = metric?.resource ?? {};
  const cpuPercent = target?.averageUtilization;
  if (others.length > 0 || name !== 'cpu' || cpuPercent === undefined || cpuPercent > 100 || min < 1)
    return undefined;
  return { min, max, cpuPercent };
}

interface Metric {
  readonly resource?: { readonly name?: string; readonly target?: { readonly averageUtilization?: number } };
}
