/**
 * The example delegate: it runs the tasks of one tenant and one version where the customer is.
 *
 *     node examples/delegate/main.ts --version v1 --tenant acme --box box-1 --gateway 127.0.0.1:10000 --data ./data --port 9101
 *
 * GET /healthz on its port says how it is; POST /drain, SIGTERM and SIGINT let it finish its tasks and end with 0.
 */
import { createLog } from '../../src/telemetry/log.ts';
import { startDelegate } from './delegate.ts';
import { readOptions, USAGE } from './options.ts';

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  const log = createLog({ level: 'info' });
  const delegate = await startDelegate(options, log);
  console.log(`delegate ${options.box} of ${options.version} listens on http://127.0.0.1:${delegate.port}`);
  process.on('SIGTERM', () => delegate.drain());
  process.once('SIGINT', () => {
    delegate.drain();
    // Somebody at a terminal who does not want to wait.
    process.once('SIGINT', () => void delegate.abandon());
  });
  await delegate.ended;
  process.exit(0);
}

await main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  const isUsage =
    error instanceof RangeError || (error as NodeJS.ErrnoException).code?.startsWith('ERR_PARSE_ARGS');
  if (isUsage) console.error(USAGE);
  process.exit(isUsage ? 2 : 1);
});
