/**
 * down: stops every instance that Switchyard runs. What is recorded stays, so the next controller starts them again.
 * Once begun it is not taken back: where the time is over first, the instances go on stopping and nothing is started.
 */
import { instancesOf } from '../controller/runtimes.ts';
import type { Instance } from '../model/instance.ts';
import { after } from '../model/instant.ts';
import type { OperationContext } from './context.ts';
import { type DownRequest, OperationError } from './types.ts';

/** How often it looks whether instances are gone, in milliseconds. */
const LOOK_EVERY = 50;

/**
 * Resolves with the ids of the stopped instances when they are gone; `onBegun` is called when the first is told to stop.
 * Throws Unavailable, naming those that still run, when the timeout or the signal ends the wait.
 */
export async function down(
  { controller }: OperationContext,
  request: DownRequest,
  onBegun: () => void,
): Promise<{ readonly stopped: readonly string[] }> {
  const { runtimes, clock } = controller.options;
  const deadline = after(clock.now(), request.timeout);
  await controller.ledger.change(() => ({
    commit: {
      events: [
        {
          at: clock.now(),
          actor: request.caller.actor,
          action: 'Down',
          reason: request.caller.reason,
          message: 'all instances that Switchyard runs are being stopped',
          before: '',
          after: '',
        },
      ],
    },
    result: undefined,
  }));
  onBegun();
  await controller.pause();
  const records = [...controller.ledger.records().values()].filter(
    ({ spec }) => spec.runtime.kind !== 'endpoints',
  );
  const running = (): readonly Instance[] => records.flatMap((record) => instancesOf(runtimes, record));
  const stopped = running().map(({ id }) => id);
  for (const record of records) {
    await runtimes[record.spec.runtime.kind]?.want({
      service: record.name,
      spec: record.spec.runtime,
      versions: [],
    });
  }
  for (let left = running(); left.length > 0; left = running()) {
    if (request.signal.aborted || clock.now() >= deadline) {
      const names = left.map(({ id }) => id).join(', ');
      throw new OperationError(
        'Unavailable',
        `still stopping: ${names}; nothing is started any more, run down again to go on waiting`,
      );
    }
    // An aborted wait is told by the next look, with the names of that time.
    await clock.sleep(LOOK_EVERY, request.signal).catch(() => undefined);
  }
  return { stopped };
}
