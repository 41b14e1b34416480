/** What serving is made of, on one machine and on Kubernetes: what was asked for, bound addresses, and when it ends. */

import { CliError, EXIT } from './cli/exit.ts';
import type { AddressFlag, ControllerFlags } from './cli/local-commands.ts';
import type { Context } from './cli/shell.ts';

/** What `switchyard controller` was told. */
export interface Service {
  readonly context: Context;
  readonly flags: ControllerFlags;
  readonly version: string;
}

/** Binds one address; a taken one is told with the flag that chooses another. */
export async function bind<Bound>(
  place: AddressFlag,
  flag: string,
  start: (place: AddressFlag) => Promise<Bound>,
): Promise<Bound> {
  try {
    return await start(place);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why = code === 'EADDRINUSE' ? 'is taken' : `cannot be used (${message})`;
    throw new CliError(EXIT.failed, `${addressText(place)} ${why}; give another with ${flag}`);
  }
}

export function addressText({ host, port }: AddressFlag): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

type StopReason = 'Signal' | 'Down';

/** Resolves at the first SIGTERM or SIGINT, or when told; a second signal ends the process at once. */
export function untilStopped(): { promise: Promise<StopReason>; now: (why: StopReason) => void } {
  const { promise, resolve: now } = Promise.withResolvers<StopReason>();
  let isStopping = false;
  const onSignal = (): void => {
    if (isStopping) process.exit(EXIT.failed);
    isStopping = true;
    now('Signal');
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  return { promise, now };
}
