/** Nodes of one cluster whose tests know nothing of each other: each takes a number that no other one has. */
import { randomInt } from 'node:crypto';
import { isConflict } from '../../../../src/adapters/kubernetes/client/api-error.ts';
import { type KubeletOptions, TestKubelet } from './kubelet.ts';

/** A node that was lost keeps its number, so there are fewer and fewer. */
const TRIES = 100;

export async function startOnFreeNumber(options: Omit<KubeletOptions, 'number'>): Promise<TestKubelet> {
  for (let tried = 1; ; tried += 1) {
    try {
      return await TestKubelet.start({ ...options, number: randomInt(1, 251) });
    } catch (error) {
      if (!isConflict(error) || tried === TRIES) throw error;
    }
  }
}
