/** down: stops every instance that Switchyard runs. What is recorded stays, so the next controller starts them again. */
import { instancesOf } from '../controller/runtimes.ts';
import type { Instance } from '../model/instance.ts';
import type { OperationContext } from './context.ts';
import { type Caller, OperationError } from './types.ts';

/** Resolves with the ids of the stopped instances when they are gone. Throws Unavailable when the signal ends the wait. */
export async function down(
  { controller }: OperationContext,
  request: { readonly caller: Caller; readonly signal: AbortSignal },
): Promise<{ readonly stopped: readonly string[] }> {
  const { runtimes, clock } = controller.options;
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
  while (running().length > 0) {
    await clock.sleep(50, request.signal).catch(() => {
      const left = running().map(({ id }) => id);
      throw new OperationError(
        'Unavailable',
        `still stopping: ${left.join(', ')}; run down again to go on waiting`,
      );
    });
  }
  return { stopped };
}
