/**
 * The example manager: one process is one instance of one version.
 *
 *     node examples/manager/main.ts --version v1 --port 9001
 *
 * A bad release for trying out what notices it: `--bad-version v3 --fail-percent 5 --delay-ms 20` makes the process bad if
 * it runs v3, with `--fail-for clients` not on copies of requests; every version takes `--work-ms` for a request.
 *
 * With a store it runs executions, and shares them with all instances of all versions that have the same:
 * `--store sqlite:FILE` for the instances of one machine, `--store postgres://…` for any.
 *
 * SIGTERM and SIGINT fence it, send its delegates to other instances, let open work end, and stop it.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createLog } from '../../src/telemetry/log.ts';
import { type Faults, type Identity, Instance } from './instance.ts';
import { serve } from './server.ts';
import { Engine } from './workflow/engine.ts';
import { readPipelines } from './workflow/pipelines.ts';
import { openStore } from './workflow/store.ts';

const USAGE =
  'usage: main.ts --version NAME --port PORT [--host ADDRESS] [--instance ID] [--grace MILLISECONDS] ' +
  '[--work-ms MILLISECONDS] ' +
  '[--bad-version NAME [--fail-percent PERCENT] [--fail-for everyone|clients] [--delay-ms MILLISECONDS]] ' +
  '[--store sqlite:FILE|postgres:URL [--pipelines FOLDER] [--continues VERSION]... [--lease-ms MILLISECONDS]]';
const PIPELINES = join(import.meta.dirname, '..', 'pipelines');

function wholeNumber(name: string, text: string, most: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value <= most) return value;
  throw new RangeError(`--${name} must be a whole number of at most ${most}, not ${JSON.stringify(text)}`);
}

function failFor(text: string): Faults['failFor'] {
  if (text === 'everyone') return 'Everyone';
  if (text === 'clients') return 'Clients';
  throw new RangeError(`--fail-for must be everyone or clients, not ${JSON.stringify(text)}`);
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
      'fail-for': { type: 'string', default: 'everyone' },
      'delay-ms': { type: 'string', default: '0' },
      store: { type: 'string' },
      pipelines: { type: 'string', default: PIPELINES },
      continues: { type: 'string', multiple: true, default: [] },
      'lease-ms': { type: 'string', default: '30000' },
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
      failFor: failFor(values['fail-for']),
      delayMs: workMs + (isBad ? wholeNumber('delay-ms', values['delay-ms'], 60_000) : 0),
    },
    executions:
      values.store === undefined
        ? undefined
        : {
            store: values.store,
            pipelines: values.pipelines,
            continues: values.continues,
            lease: wholeNumber('lease-ms', values['lease-ms'], 3_600_000),
          },
  };
}

type Executions = NonNullable<ReturnType<typeof readArguments>['executions']>;

async function startEngine(identity: Identity, executions: Executions): Promise<Engine> {
  const library = await readPipelines(executions.pipelines);
  const store = await openStore(executions.store);
  const { continues, lease } = executions;
  return Engine.start({ identity, store, library, continues, lease, log: createLog({ level: 'info' }) });
}

async function main(): Promise<void> {
  const { version, instance: id, host, port, graceMs, faults, executions } = readArguments();
  const instance = new Instance({ version, instance: id }, faults);
  const engine = executions && (await startEngine(instance.identity, executions));
  const server = await serve(instance, { host, port }, engine);
  console.log(`manager ${version} (${id}) listens on http://${server.host}:${server.port}`);
  const stop = async () => {
    instance.fence();
    await engine?.handOver();
    await server.stop(graceMs);
    await engine?.stop();
    process.exit(0);
  };
  process.once('SIGTERM', () => void stop());
  process.once('SIGINT', () => void stop());
}

await main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  console.error(USAGE);
  process.exit(2);
});
