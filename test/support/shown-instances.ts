/** Waits for what a runtime shows of the instances of one service. */
import { expect, vi } from 'vitest';
import type { Instance } from '../../src/model/instance.ts';
import { serviceName } from '../../src/model/names.ts';
import type { Runtime } from '../../src/ports/runtime.ts';

export const MANAGER = serviceName('manager');

/** Waits until the instances of MANAGER pass the check. */
export function expectInstances(
  runtime: Runtime,
  check: (instances: readonly Instance[]) => void,
): Promise<void> {
  return vi.waitFor(() => check(runtime.instances(MANAGER)), { timeout: 15_000, interval: 10 });
}

/** Waits until MANAGER has one instance, in this state, with a reason that matches. */
export async function expectOne(runtime: Runtime, state: Instance['state'], reason = /./): Promise<Instance> {
  await expectInstances(runtime, (instances) => {
    expect(instances).toEqual([expect.objectContaining({ state, reason: expect.stringMatching(reason) })]);
  });
  return runtime.instances(MANAGER)[0] as Instance;
}

/** Every state with its reason that instances of MANAGER show from now on. */
export function shownFromNow(runtime: Runtime): ReadonlySet<string> {
  const seen = new Set<string>();
  runtime.subscribe(() => {
    for (const { state, reason } of runtime.instances(MANAGER)) seen.add(`${state}: ${reason}`);
  });
  return seen;
}
