/** All verbs over one controller; this is what the admin API and every later face call. */
import type { Controller } from '../controller/controller.ts';

import { apply } from './apply.ts';
import { type OperationContext, requireService, requireVersion } from './context.ts';
import { converge } from './converge.ts';
import { deleteService } from './delete-service.ts';
import { down } from './down.ts';
import { drain } from './drain.ts';
import { explain } from './explain.ts';
import { flip, setWeight } from './flip.ts';
import { hold, release } from './hold.ts';
import { countOpenWork, retire } from './retire.ts';
import { rollback } from './rollback.ts';
import type { Operations } from './types.ts';
import { serviceView, serviceViews } from './views.ts';

/** The operations of a controller that was opened. */
export function createOperations(controller: Controller): Operations {
  const context: OperationContext = { controller };
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
    isStopping: () => isStopping,
    table: () => controller.publications.table,
    subscribe: (listener) => controller.subscribe(listener),
  };
}
