/** All verbs over one controller; this is what the admin API and every later face call. */
import type { Controller } from '../controller/controller.ts';
import type { TrafficLog } from '../ports/traffic-log.ts';

import { apply } from './apply.ts';
import { publishArtifact } from './artifacts.ts';
import { type OperationContext, requireService, requireVersion } from './context.ts';
import { converge } from './converge.ts';
import { decommission, haltWaves, reassert, resumeWaves, retryOnBoxes, skipWave } from './delegate-verbs.ts';
import { delegateNumbers, delegatesView, goalStatesView, wavesView } from './delegates-view.ts';
import { deleteService } from './delete-service.ts';
import { deploy } from './deploy.ts';
import { down } from './down.ts';
import { drain } from './drain.ts';
import { explain } from './explain.ts';
import { flip, setWeight } from './flip.ts';
import { freeze, unfreeze } from './freeze.ts';
import { hold, release } from './hold.ts';
import { countOpenWork } from './open-work.ts';
import { report } from './report.ts';
import { retire } from './retire.ts';
import { rollback } from './rollback.ts';
import { abort, pause, promote, resume, retry } from './rollout-verbs.ts';
import { rolloutView } from './rollout-view.ts';
import type { Operations } from './types.ts';
import { replay, storedMeasurements, verify } from './verify.ts';
import { serviceView, serviceViews } from './views.ts';

/** The operations of a controller that was opened. */
export function createOperations(controller: Controller, trafficLog: TrafficLog): Operations {
  const context: OperationContext = { controller, trafficLog };
  let isStopping = false;
  return {
    apply: (request) => apply(context, request),
    deleteService: (request) => deleteService(context, request),
    flip: (request) => flip(context, request),
    setWeight: (request) => setWeight(context, request),
    rollback: (request) => rollback(context, request),
    drain: (request) => drain(context, request),
    retire: (request) => retire(context, request),
    hold: (request) => hold(context, request),
    release: (request) => release(context, request),
    converge: (request) => converge(context, request),
    services: () => serviceViews(context),
    service: (name) => serviceView(context, name),
    proxies: () => controller.proxies.views(),
    explain: (request) => explain(context, request),
    events: (query) => controller.options.store.events(query),
    openWork: async ({ service, version }) => {
      const record = requireService(controller.ledger.records(), service);
      return countOpenWork(context, record, requireVersion(record, version));
    },
    backup: (file) => controller.options.store.backup(file),
    down: (request) =>
      down(context, request, () => {
        isStopping = true;
      }),
    deploy: (request) => deploy(context, request),
    pause: (request) => pause(context, request),
    resume: (request) => resume(context, request),
    promote: (request) => promote(context, request),
    abort: (request) => abort(context, request),
    retry: (request) => retry(context, request),
    freeze: (request) => freeze(context, request),
    unfreeze: (request) => unfreeze(context, request),
    rollout: (service) => rolloutView(context, service),
    rollouts: (query) => controller.options.store.rollouts(query),
    measurements: (rollout) => storedMeasurements(context, rollout),
    report: (query) => report(context, query),
    verify: (request) => verify(context, request),
    replay: (request) => replay(context, request),
    publishArtifact: (request) => publishArtifact(context, request),
    haltWaves: (request) => haltWaves(context, request),
    resumeWaves: (request) => resumeWaves(context, request),
    skipWave: (request) => skipWave(context, request),
    reassert: (request) => reassert(context, request),
    retryOnBoxes: (request) => retryOnBoxes(context, request),
    decommission: (request) => decommission(context, request),
    delegates: (service) => delegatesView(context, service),
    waves: (service) => wavesView(context, service),
    delegateNumbers: (service) => delegateNumbers(context, service),
    goalStates: (service) => goalStatesView(context, service),
    isStopping: () => isStopping,
    table: () => controller.publications.table,
    subscribe: (listener) => controller.subscribe(listener),
  };
}
