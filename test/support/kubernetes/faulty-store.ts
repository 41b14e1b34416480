/** A store of two services on a simulated API server whose answers a test decides. */
import type { Objects } from '../../../src/adapters/kubernetes/store/objects.ts';
import { serviceRecord } from '../stored-records.ts';
import { type Intervene, intervened, type Request } from './intervened.ts';
import { SimulatedServer } from './simulated-server.ts';
import { type OpenedStore, openedStore } from './stores.ts';

export interface FaultyStore extends OpenedStore {
  /** The server as others reach it. */
  readonly objects: Objects;
  /** What the store has asked since `alpha` and `beta` were recorded. */
  readonly asked: Request[];
  readonly answer: (next: Intervene) => void;
  readonly heal: () => void;
}

/** `patience`: in milliseconds, of each request. */
export async function faultyStore(patience = 10_000): Promise<FaultyStore> {
  const server = new SimulatedServer();
  const asked: Request[] = [];
  const willing: Intervene = (_, carryOut) => carryOut();
  let intervene = willing;
  const objects = intervened(server.connect(), (request, carryOut) => {
    asked.push(request);
    return intervene(request, carryOut);
  });
  const opened = await openedStore(objects, { patience });
  await opened.store.commit({ services: ['alpha', 'beta'].map((name) => serviceRecord({ name })) });
  asked.length = 0;
  return {
    ...opened,
    objects: server.connect(),
    asked,
    answer: (next) => (intervene = next),
    heal: () => (intervene = willing),
  };
}
