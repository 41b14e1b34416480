/** The past that the custom resources do not keep: where it goes, and from when on it is known. */
import type { Logger } from 'pino';
import type { StoreObserver } from './adapters/kubernetes/store/observer.ts';
import type { KubernetesStore } from './adapters/kubernetes/store/store.ts';
import { isoTime } from './model/instant.ts';

/** From when on `get events` and reports know what happened. */
export function historyText({ historySince }: Pick<KubernetesStore, 'historySince'>): string {
  return historySince === undefined ? '' : `; history since ${isoTime(historySince)}`;
}

/** History that the custom resources do not keep is in the log. */
export function historyLog(log: Logger): StoreObserver {
  return {
    happened: () => undefined,
    ended: (rollouts) => {
      for (const { id, service, state, because } of rollouts)
        log.info({ rollout: id, service, state, because }, 'a rollout has ended');
    },
    measured: (measurements) => {
      for (const measurement of measurements) log.debug({ measurement }, 'measured');
    },
    counted: () => undefined,
    trouble: (sentence) => log.warn(sentence),
  };
}
