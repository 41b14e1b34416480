/** Ends what a task has started and left behind: processes that carry its name in their environment, and no others. */
import { setTimeout as sleep } from 'node:timers/promises';
import { findFamily } from '../../../src/adapters/processes/family.ts';
import { sendSignal } from '../../../src/adapters/processes/identity.ts';

/** Looks; a process that was being forked during one is found by the next. */
const MOST_LOOKS = 20;

/** Resolves when none is left, or when those that are left cannot be ended. */
export async function killFamily(family: string): Promise<void> {
  for (let look = 0; look < MOST_LOOKS; look += 1) {
    const relatives = await findFamily({ id: family });
    if (relatives.length === 0) return;
    for (const { identity } of relatives) sendSignal(identity, 'SIGKILL');
    await sleep(5 * (look + 1));
  }
}
