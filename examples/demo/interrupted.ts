/** What ends a demo before its time: somebody at the terminal, a screen that is gone, or a fault of our own. */
import process from 'node:process';

/** Rejects when the demo has to end early, whatever the cause: it must clean up after itself all the same. */
export function untilInterrupted(): Promise<never> {
  return new Promise((_, reject) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => reject(new Error(`stopped by ${signal}`)));
    }
    for (const stream of [process.stdout, process.stderr]) stream.on('error', reject);
    process.on('uncaughtException', reject);
  });
}
