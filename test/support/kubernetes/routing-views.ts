/** Followers of a real API server, stopped when the test ends. */
import { onTestFinished } from 'vitest';
import { systemClock } from '../../../src/adapters/clock.ts';
import type { KubernetesApi } from '../../../src/adapters/kubernetes/client/api.ts';
import { sourceOf } from '../../../src/adapters/kubernetes/client/reflector.ts';
import { CONTROLLER_STATE, SERVICE_ROUTING } from '../../../src/adapters/kubernetes/custom-resources.ts';
import { KubernetesRoutingView } from '../../../src/adapters/kubernetes/store/routing-view.ts';
import { COUNTERS_SELECTOR } from '../../../src/adapters/kubernetes/store/state-object.ts';

export interface FollowedView {
  readonly view: KubernetesRoutingView;
  /** `name generation`, as it was shown after each change. */
  readonly shown: string[][];
}

export function followedView(place: {
  readonly api: KubernetesApi;
  readonly namespace: string;
}): FollowedView {
  const { api, namespace } = place;
  const view = new KubernetesRoutingView({
    routings: sourceOf(api, { kind: SERVICE_ROUTING, namespace }),
    counters: sourceOf(api, { kind: CONTROLLER_STATE, namespace, labelSelector: COUNTERS_SELECTOR }),
    clock: systemClock,
    random: () => 0,
  });
  const shown: string[][] = [];
  view.subscribe(() =>
    shown.push(view.services().map(({ record }) => `${record.name} ${record.generation}`)),
  );
  onTestFinished(() => view.stop());
  return { view, shown };
}
