/** `status`: waits until a service has settled, and says by its exit code how. */

import type { AdminClient } from '../../admin/client.ts';
import { soon, withClient } from '../connection.ts';
import { CliError, EXIT, type ExitCode } from '../exit.ts';
import { type Health, healthOf, isFinal, type Phase } from '../health.ts';
import { isForMachines, printData } from '../output.ts';
import { type Context, note, print } from '../shell.ts';

export interface StatusFlags {
  /** Milliseconds; 0: for ever. */
  readonly timeout: number;
  /** False: say how it is now and do not wait. */
  readonly watch: boolean;
}

const EXIT_OF = {
  Healthy: EXIT.ok,
  Degraded: EXIT.failed,
  Paused: EXIT.usage,
  Progressing: EXIT.timeout,
} satisfies Record<Phase, ExitCode>;

export async function status(context: Context, service: string, flags: StatusFlags): Promise<ExitCode> {
  const health = await withClient(context, 'read', async (client) => {
    const now = await healthNow(client, service);
    return isFinal(now.phase) || !flags.watch
      ? now
      : waitUntilFinal({ context, client, service, flags, first: now });
  });
  if (isForMachines(context)) await printData(context, { service, ...health });
  else print(context, `${paintPhase(context, health.phase)} ${service}: ${health.reasons.join('; ')}`);
  return EXIT_OF[health.phase];
}

/** Throws the controller's refusal where there is no such service. */
async function healthNow(client: AdminClient, name: string): Promise<Health> {
  const [{ service }, { proxies }] = await Promise.all([
    client.call('getService', { name }, soon()),
    client.call('listProxies', {}, soon()),
  ]);
  if (service === undefined) throw new CliError(EXIT.failed, `the controller answered nothing about ${name}`);
  return healthOf(service, proxies);
}

/** Looks again after each change. What it last saw is the answer when the time is over. */
async function waitUntilFinal(wait: {
  context: Context;
  client: AdminClient;
  service: string;
  flags: StatusFlags;
  first: Health;
}): Promise<Health> {
  const { context, client, service, flags } = wait;
  const end = new AbortController();
  const timer = flags.timeout > 0 ? setTimeout(() => end.abort(), flags.timeout) : undefined;
  let health = wait.first;
  const look = async (changes: AsyncIterable<unknown>): Promise<void> => {
    for await (const _ of changes) {
      const next = await healthNow(client, service);
      if (end.signal.aborted) return;
      if (next.reasons.join() !== health.reasons.join() && !isForMachines(context))
        note(context, next.reasons.join('; '));
      health = next;
      if (isFinal(health.phase)) return end.abort();
    }
  };
  try {
    await Promise.all([
      look(client.watch('watchServices', { service }, end.signal)),
      look(client.watch('watchProxies', {}, end.signal)),
    ]);
  } finally {
    clearTimeout(timer);
    end.abort();
  }
  return health;
}

function paintPhase({ paint }: Context, phase: Phase): string {
  if (phase === 'Healthy') return paint.good(`✔ ${phase}`);
  return phase === 'Degraded'
    ? paint.bad(`✖ ${phase}`)
    : paint.busy(`${phase === 'Paused' ? '॥' : '◌'} ${phase}`);
}
