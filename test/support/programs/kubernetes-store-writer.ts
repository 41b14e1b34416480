/**
 * A replica that writes without end while it leads: each commit is the next generation of one service, with this replica's name
 * in its document. It says what it does in lines of JSON, and holds the next write back when its input says `hold`, after it has
 * looked whether it leads, until its input says `go on`; then that write goes to the server, whatever has happened since.
 * Usage: kubernetes-store-writer.ts KUBECONFIG NAMESPACE NAME
 */
import { writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { KubeConfig } from '@kubernetes/client-node';
import { systemClock } from '../../../src/adapters/clock.ts';
import { KubernetesApi } from '../../../src/adapters/kubernetes/client/api.ts';
import { KubernetesApiError } from '../../../src/adapters/kubernetes/client/api-error.ts';
import { LeaderElection } from '../../../src/adapters/kubernetes/client/leader-election.ts';
import type { Objects } from '../../../src/adapters/kubernetes/store/objects.ts';
import { serverObjects } from '../../../src/adapters/kubernetes/store/objects.ts';
import { openKubernetesStore } from '../../../src/adapters/kubernetes/store/store.ts';
import { serviceRecord } from '../stored-records.ts';

const [kubeconfig, namespace, name] = process.argv.slice(2);
if (kubeconfig === undefined || namespace === undefined || name === undefined) {
  throw new Error('usage: kubernetes-store-writer.ts KUBECONFIG NAMESPACE NAME');
}
const config = new KubeConfig();
config.loadFromFile(kubeconfig);
const api = new KubernetesApi(config);
const say = (line: object): void => void writeSync(1, `${JSON.stringify(line)}\n`);

let holdsNext = false;
let gate = Promise.withResolvers<void>();
createInterface(process.stdin).on('line', (line) => {
  if (line === 'hold') holdsNext = true;
  if (line === 'go on') gate.resolve();
});

const leads = Promise.withResolvers<void>();
const election = new LeaderElection({
  api,
  namespace,
  name: 'switchyard-controller',
  identity: name,
  clock: systemClock,
  monotonic: () => performance.now(),
  random: () => 0.5,
  onChange(leadership) {
    say(leadership);
    if (leadership.kind === 'Leading') leads.resolve();
  },
});
election.start();
await leads.promise;

const silent = (): undefined => undefined;
const store = await openKubernetesStore({
  objects: holding(serverObjects(api, namespace)),
  leadership: () => election.leadership,
  clock: systemClock,
  monotonic: () => performance.now(),
  random: () => 0.5,
  observer: {
    happened: silent,
    ended: silent,
    measured: silent,
    counted: silent,
    trouble: (why) => say({ kind: 'trouble', why }),
  },
});
let generation = (await store.load()).services[0]?.generation ?? 0;
for (;;) {
  generation += 1;
  try {
    await store.commit({ services: [serviceRecord({ name: 'manager', generation, document: name })] });
    say({ kind: 'written', generation });
  } catch (error) {
    say({ kind: 'refused', name: (error as Error).name, message: (error as Error).message });
    break;
  }
}

function holding(objects: Objects): Objects {
  return {
    ...objects,
    async replace(kind, object, options) {
      if (!holdsNext || options.isRehearsal === true) return objects.replace(kind, object, options);
      holdsNext = false;
      say({ kind: 'held' });
      await gate.promise;
      gate = Promise.withResolvers();
      try {
        const answer = await objects.replace(kind, object, { signal: new AbortController().signal });
        say({ kind: 'answered', code: 200 });
        return answer;
      } catch (error) {
        say({ kind: 'answered', code: error instanceof KubernetesApiError ? error.code : String(error) });
        throw error;
      }
    },
  };
}
