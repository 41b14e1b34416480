/** `status`: waits until services have settled, and says by its exit code how. */
import type { AdminClient } from '../../admin/client.ts';
import { soon, withClient } from '../connection.ts';
import { CliError, EXIT, type ExitCode } from '../exit.ts';
import { type Health, healthOf, isFinal, type Phase } from '../health.ts';
import { isForMachines, printData } from '../output.ts';
import { ifThere } from '../refused.ts';
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

/** What weighs more comes first: of several services the worst gives the exit code. */
const WORST_FIRST: readonly Phase[] = ['Degraded', 'Paused', 'Progressing', 'Healthy'];

type ServiceHealth = Health & { readonly service: string };

/** `name` absent: all services. */
export async function status(
  context: Context,
  name: string | undefined,
  flags: StatusFlags,
): Promise<ExitCode> {
  const healths = await withClient(context, 'read', async (client) => {
    const now = await healthsNow(client, name);
    return areFinal(now) || !flags.watch ? now : waitUntilFinal({ context, client, name, flags, first: now });
  });
  if (isForMachines(context)) await printData(context, name === undefined ? healths : healths[0]);
  else print(context, healths.map((health) => healthLine(context, health)).join('\n'));
  const worst = WORST_FIRST.find((phase) => healths.some((health) => health.phase === phase));
  return EXIT_OF[worst ?? 'Healthy'];
}

function areFinal(healths: readonly Health[]): boolean {
  return healths.every(({ phase }) => isFinal(phase));
}

/** Throws the controller's refusal where there is no such service. */
async function healthsNow(client: AdminClient, name: string | undefined): Promise<ServiceHealth[]> {
  const [services, { proxies }] = await Promise.all([
    name === undefined
      ? client.call('listServices', {}, soon()).then((answer) => answer.services)
      : client.call('getService', { name }, soon()).then(({ service }) => (service ? [service] : [])),
    client.call('listProxies', {}, soon()),
  ]);
  if (services.length === 0) {
    throw new CliError(
      EXIT.failed,
      name === undefined
        ? 'there are no services; apply one with `switchyard apply -f FILE`'
        : `the controller answered nothing about ${name}`,
    );
  }
  return Promise.all(
    services.map(async (service) => {
      const found = await ifThere(client.call('getRollout', { service: service.name }, soon()));
      const rollout = found?.view?.rollout;
      return { service: service.name, ...healthOf({ service, proxies, ...(rollout && { rollout }) }) };
    }),
  );
}

/** Looks again after each change. What it last saw is the answer when the time is over. */
async function waitUntilFinal(wait: {
  context: Context;
  client: AdminClient;
  name: string | undefined;
  flags: StatusFlags;
  first: readonly ServiceHealth[];
}): Promise<readonly ServiceHealth[]> {
  const { context, client, name, flags } = wait;
  const end = new AbortController();
  const timer = flags.timeout > 0 ? setTimeout(() => end.abort(), flags.timeout) : undefined;
  let healths = wait.first;
  const look = async (changes: AsyncIterable<unknown>): Promise<void> => {
    for await (const _ of changes) {
      const next = await healthsNow(client, name);
      if (end.signal.aborted) return;
      if (!isForMachines(context)) for (const line of news(healths, next)) note(context, line);
      healths = next;
      if (areFinal(healths)) return end.abort();
    }
  };
  try {
    await Promise.all([
      look(client.watch('watchServices', { service: name ?? '' }, end.signal)),
      look(client.watch('watchProxies', {}, end.signal)),
    ]);
  } finally {
    clearTimeout(timer);
    end.abort();
  }
  return healths;
}

/** Reasons that were not there the last time. */
function news(last: readonly ServiceHealth[], next: readonly ServiceHealth[]): string[] {
  const known = new Set(last.flatMap(({ reasons }) => reasons));
  return next.flatMap(({ reasons }) => reasons.filter((reason) => !known.has(reason)));
}

function healthLine(context: Context, { phase, service, reasons }: ServiceHealth): string {
  return `${paintPhase(context, phase)} ${service}: ${reasons.join('; ')}`;
}

function paintPhase({ paint }: Context, phase: Phase): string {
  if (phase === 'Healthy') return paint.good(`✔ ${phase}`);
  return phase === 'Degraded'
    ? paint.bad(`✖ ${phase}`)
    : paint.busy(`${phase === 'Paused' ? '॥' : '◌'} ${phase}`);
}
