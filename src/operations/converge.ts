/** Waits until the proxies have followed a publication. After a commit, lateness is news, never an error (rule 11). */
import type { OperationContext } from './context.ts';
import type { Convergence } from './types.ts';

/** Resolves when every connected proxy has acknowledged the routes of `publication`, or when the signal is aborted. */
export function converge(
  context: OperationContext,
  request: { readonly publication: number; readonly signal: AbortSignal },
): Promise<Convergence> {
  const { proxies, options } = context.controller;
  const { publication, signal } = request;
  const started = options.clock.now();
  return new Promise((resolve) => {
    const look = (last: boolean): void => {
      const stragglers = proxies.stragglers(publication, 'routes');
      const connectedBehind = stragglers.some(({ kind }) => kind !== 'Away');
      if (connectedBehind && !last) return;
      unsubscribe();
      signal.removeEventListener('abort', onAbort);
      const acknowledged = proxies
        .connected()
        .filter(({ routesPublication }) => routesPublication >= publication)
        .map(({ id }) => id);
      const kind = connectedBehind ? 'NotYetEverywhere' : 'Everywhere';
      resolve({ kind, publication, acknowledged, stragglers, elapsed: options.clock.now() - started });
    };
    const onAbort = (): void => {
      proxies.refresh();
      look(true);
    };
    const unsubscribe = proxies.subscribe(() => look(false));
    signal.addEventListener('abort', onAbort);
    proxies.refresh();
    if (signal.aborted) look(true);
  });
}
