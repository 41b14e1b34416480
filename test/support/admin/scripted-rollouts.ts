/** The verbs of rollouts as a test wants them, over a real controller for all the rest. */
import type { Measurement, Verdict } from '../../../src/model/measurement.ts';
import type { RolloutOperations, RolloutView } from '../../../src/operations/rollout-types.ts';
import { OperationError, type Operations } from '../../../src/operations/types.ts';
import { aCheck, aMeasurement, aRollout, aRun, v42, v43 } from '../rollout-records.ts';
import { aRolloutView } from '../rollout-views.ts';

export class ScriptedRollouts {
  /** What the operations were asked. */
  readonly asked: { readonly verb: string; readonly request: unknown }[] = [];
  /** What `rollout` answers; undefined: there was none. */
  view: RolloutView | undefined = aRolloutView();
  /** What `measurements` answers. */
  measured: readonly Measurement[] = [];
  /** Whom each change touches. */
  impact: readonly string[] = ['acme moves back'];
  /** What `verify` says. */
  verdict: Verdict['state'] = 'NoData';
  readonly #listeners = new Set<() => void>();

  /** Tells those who look on that something has changed. */
  notify(): void {
    for (const listener of this.#listeners) listener();
  }

  /** For `replace` of a test controller. */
  readonly replace = (real: Operations): Partial<RolloutOperations> & Pick<Operations, 'subscribe'> => ({
    ...this.#changes(real),
    ...this.#reads(),
    subscribe: (listener) => {
      this.#listeners.add(listener);
      const unsubscribe = real.subscribe(listener);
      return () => {
        this.#listeners.delete(listener);
        unsubscribe();
      };
    },
  });

  #changes(real: Operations) {
    const verb = (name: string) => async (request: unknown) => {
      this.asked.push({ verb: name, request });
      const [service] = real.services();
      if (service === undefined) throw new Error('the test has applied no service');
      return { service: service.record, message: `did ${name}`, publication: 0, impact: this.impact };
    };
    return {
      deploy: verb('deploy'),
      pause: verb('pause'),
      resume: verb('resume'),
      promote: verb('promote'),
      abort: verb('abort'),
      retry: verb('retry'),
      freeze: verb('freeze'),
      unfreeze: verb('unfreeze'),
    };
  }

  #reads(): Partial<RolloutOperations> {
    return {
      rollout: (service) => {
        if (this.view === undefined)
          throw new OperationError('NotFound', `${service} has had no rollout yet`);
        return this.view;
      },
      rollouts: async (request) => {
        this.asked.push({ verb: 'rollouts', request });
        return [aRollout({ attempt: 2 }), aRollout({ id: 'manager_v42_3' as never, state: 'Succeeded' })];
      },
      measurements: async (request) => {
        this.asked.push({ verb: 'measurements', request });
        return this.measured;
      },
      report: async (request) => {
        this.asked.push({ verb: 'report', request });
        return { rollout: aRollout(), summary: 'nobody was hurt' } as never;
      },
      verify: async (whole) => {
        const { signal: _, ...request } = whole;
        this.asked.push({ verb: 'verify', request });
        const because = 'too little traffic';
        return {
          version: v43,
          baseline: v42,
          checks: [{ check: aCheck('success-rate'), measurement: aMeasurement('success-rate', {}) }],
          verdict: { state: this.verdict, because, deciding: ['success-rate'] },
        };
      },
      replay: async (request) => {
        this.asked.push({ verb: 'replay', request });
        return {
          rollout: aRollout(),
          message: 'it would have ended at Shift-25',
          steps: [
            {
              step: 'Shift-25',
              attempt: 1,
              decided: { state: 'Passed', because: 'all passed', deciding: [], score: 100 },
              wouldDecide: { state: 'Failed', because: 'success-rate', deciding: ['success-rate'] },
              at: aRollout().since,
              checks: [aRun(undefined)],
              unmeasured: ['latency'],
            },
          ],
        };
      },
    };
  }
}
