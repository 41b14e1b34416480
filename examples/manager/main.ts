/**
 * The example manager: one process is one instance of one version.
 *
 *     node examples/manager/main.ts --version v1 --port 9001
 *
 * A bad release for trying out what notices it: `--bad-version v3 --fail-percent 5 --delay-ms 20` makes the process bad if
 * it runs v3; every version takes `--work-ms` for a request.
 *
 * SIGTERM and SIGINT fence it, let open work end, and stop it.
 */
import { parseArgs } from 'node:util';
import { Instance } from './instance.ts';
import { serve } from './server.ts';

const USAGE =
  'usage: main.ts --version NAME --port PORT [--host ADDRESS] [--instance ID] [--grace MILLISECONDS] ' +
  '[--work-ms MILLISECONDS] [--bad-version NAME [--fail-percent PERCENT] [--delay-ms MILLISECONDS]]';

function wholeNumber(name: string, text: string, most: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value <= most) return value;
  throw new RangeError(`--${name} must be a whole number of at most ${most}, not ${JSON.stringify(text)}`);
}

function readArguments() {
  const { values } = parseArgs({
    options: {
      version: { type: 'string' },
      port: { type: 'string' },
      host: { type: 'string', default: '127.0.0.1' },
      instance: { type: 'string' },
      grace: { type: 'string', default: '10000' },
      'work-ms': { type: 'string', default: '0' },
      'bad-version': { type: 'string' },
      'fail-percent': { type: 'string', default: '0' },
      'delay-ms': { type: 'string', default: '0' },
    },
  });
  if (values.version === undefined || values.port === undefined)
    throw new RangeError('--version and --port are needed');
  const isBad = values['bad-version'] === values.version;
  const workMs = wholeNumber('work-ms', values['work-ms'], 60_000);
  return {
    version: values.version,
    instance: values.instance ?? process.env.SWITCHYARD_INSTANCE ?? `${values.version}-${process.pid}`,
    host: values.host,
    port: wholeNumber('port', values.port, 65_535),
    graceMs: wholeNumber('grace', values.grace, 86_400_000),
    faults: {
      failPercent: isBad ? wholeNumber('fail-percent', values['fail-percent'], 100) : 0,
      delayMs: workMs + (isBad ? wholeNumber('delay-ms', values['delay-ms'], 60_000) : 0),
    },
  };
}

async function main(): Promise<void> {
  const { version, instance: id, host, port, graceMs, faults } = readArguments();
  const instance = new Instance({ version, instance: id }, faults);
  const server = await serve(instance, { host, port });
  console.log(`manager ${version} (${id}) listens on http://${server.host}:${server.port}`);
  const stop = () => void server.stop(graceMs).then(() => process.exit(0));
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
}

await main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  console.error(USAGE);
  process.exit(2);
});
