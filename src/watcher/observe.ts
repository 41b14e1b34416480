/** The instances of the runtime, and what they say of themselves, as processes of the box. Pure. */
import type { Instance } from '../model/instance.ts';
import type { BoxProcess } from './box.ts';
import { keyOf } from './box.ts';
import type { DelegateWords } from './looks.ts';
import type { WatcherState } from './state.ts';

const REFUSED = 'the service refuses its version, which is not active there';

/** One for each version; where an old instance of it still ends beside a new one, the new one counts. */
export function processesOf(observed: {
  readonly instances: readonly Instance[];
  readonly words: (instance: Instance) => DelegateWords | undefined;
  readonly state: WatcherState;
}): readonly BoxProcess[] {
  const { instances, words, state } = observed;
  const byVersion = new Map<string, BoxProcess>();
  for (const instance of instances) {
    const process = processOf(instance, words(instance), state);
    const other = byVersion.get(process.version);
    if (other === undefined || other.state === 'Draining') byVersion.set(process.version, process);
  }
  return [...byVersion.values()];
}

function processOf(instance: Instance, words: DelegateWords | undefined, state: WatcherState): BoxProcess {
  const { version, since, restarts } = instance;
  const started = state.started.find((one) => one.version === version);
  const artifact = started === undefined ? '' : keyOf(started.artifact);
  const wasHealthy = state.healthy.includes(artifact);
  return {
    version,
    artifact,
    since,
    restarts,
    wasHealthy,
    ...(words?.openTasks !== undefined && { openTasks: words.openTasks }),
    ...stateOf({ instance, words, wasHealthy }),
  };
}

function stateOf(of: {
  readonly instance: Instance;
  readonly words: DelegateWords | undefined;
  readonly wasHealthy: boolean;
}): Pick<BoxProcess, 'state' | 'reason'> {
  const { instance, words, wasHealthy } = of;
  const { state, reason, givenUp } = instance;
  switch (state) {
    case 'Stopping':
      return { state: 'Draining', reason };
    case 'Failed':
      return givenUp === undefined ? { state: 'Down', reason } : { state: 'GivenUp', reason: givenUp };
    case 'Ready':
      return ofAnswering({ words, wasHealthy, reason });
    case 'Starting':
    case 'Unready':
      return { state, reason: words?.isRefused === true ? REFUSED : reason };
  }
}

/** It answers, which not every delegate does only when it is ready: its own words count. */
function ofAnswering(of: {
  readonly words: DelegateWords | undefined;
  readonly wasHealthy: boolean;
  readonly reason: string;
}): Pick<BoxProcess, 'state' | 'reason'> {
  const { words, wasHealthy, reason } = of;
  const isReady = words?.isReady === true && !words.isRefused;
  if (isReady || (words === undefined && wasHealthy)) return { state: 'Ready', reason };
  return { state: wasHealthy ? 'Unready' : 'Starting', reason: notReady(words, reason) };
}

function notReady(words: DelegateWords | undefined, reason: string): string {
  if (words === undefined) return `${reason}; it was not asked yet`;
  return words.isRefused ? REFUSED : 'it answers that it is not ready';
}
