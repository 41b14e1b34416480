/** The Envoy of manifests/kubernetes/gateway as a process: with its bootstrap, its arguments and its preStop script. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { findTool } from '../../../scripts/tools.ts';
import { freePort } from '../free-port.ts';
import { notRun } from '../not-run.ts';
import { Child } from '../system/child.ts';

const FOLDER = 'manifests/kubernetes/gateway';

interface Deployment {
  readonly spec: {
    readonly template: {
      readonly spec: { readonly containers: readonly { readonly args: readonly string[] }[] };
    };
  };
}

export interface GatewayPod {
  readonly envoy: Child;
  /** GET at the port for probes; undefined where nobody answers. */
  stats(
    path: string,
    method?: string,
  ): Promise<{ readonly status: number; readonly text: string } | undefined>;
  /** What its liveness probe finds. */
  isAlive(): Promise<boolean>;
  /** What the script of its end has written into the container's log. */
  drainLog(): string;
  /** Starts what Kubernetes runs before it stops the Pod. */
  preStop(settings: { readonly drainSeconds: number }): Promise<Child>;
  stop(): Promise<void>;
}

export interface GatewayPodOptions {
  readonly folder: string;
  readonly name: string;
  readonly xdsPort: number;
  /** Seconds in which Envoy asks ever more clients to go. */
  readonly drainTime: number;
  /** The one listener that it opens; absent: all. Pods of one machine share its ports, those of a cluster do not. */
  readonly listener?: string;
}

/** Starts it in a folder, for a controller on a port of loopback, with a shorter time for draining. */
export async function startGatewayPod(options: GatewayPodOptions): Promise<GatewayPod> {
  const { folder, name, xdsPort, drainTime, listener } = options;
  const tool = findTool('envoy');
  if (tool.kind === 'missing') return notRun('the gateway of our manifests', tool.why);
  const ports = { admin: await freePort(), stats: await freePort() };
  for (const script of ['alive.sh', 'drain.sh']) {
    writeFileSync(join(folder, script), data('drain.yaml', script));
  }
  // Only places differ from those in a Pod.
  const bootstrap = data('envoy.yaml', 'envoy.json')
    .replace('"address": "switchyard-xds"', '"address": "127.0.0.1"')
    .replaceAll('"port_value": 18000', `"port_value": ${xdsPort}`)
    .replaceAll('"port_value": 9901', `"port_value": ${ports.admin}`)
    .replaceAll('"port_value": 9902', `"port_value": ${ports.stats}`)
    .replace('"switchyard": {}', `"switchyard": ${JSON.stringify({ listeners: listener && [listener] })}`);
  writeFileSync(join(folder, 'envoy.json'), bootstrap);
  const envoy = await Child.start({
    name: 'envoy',
    command: tool.path,
    arguments: argumentsOf({ folder, name, drainTime }),
    logFile: join(folder, 'envoy.log'),
  });
  const stats: GatewayPod['stats'] = async (path, method = 'GET') => {
    const response = await fetch(`http://127.0.0.1:${ports.stats}${path}`, { method }).catch(() => undefined);
    return response === undefined ? undefined : { status: response.status, text: await response.text() };
  };
  const run = (script: string, environment: Readonly<Record<string, string>> = {}): Promise<Child> =>
    Child.start({
      name: script,
      command: 'bash',
      arguments: [join(folder, script)],
      logFile: join(folder, `${script}.log`),
      environment: {
        ADMIN_PORT: String(ports.admin),
        STATS_PORT: String(ports.stats),
        LOG_FILE: join(folder, 'container.log'),
        ...environment,
      },
    });
  return {
    envoy,
    stats,
    isAlive: async () => (await (await run('alive.sh')).ended) === 'code 0',
    drainLog: () => readFileSync(join(folder, 'container.log'), 'utf8'),
    preStop: ({ drainSeconds }) =>
      run('drain.sh', { SETTLE_SECONDS: '0', DRAIN_SECONDS: String(drainSeconds) }),
    stop: () => envoy.stop(),
  };
}

/** As the Deployment has them, with what Kubernetes would fill in. */
function argumentsOf({
  folder,
  name,
  drainTime,
}: {
  folder: string;
  name: string;
  drainTime: number;
}): string[] {
  const deployment = parse(readFileSync(join(FOLDER, 'deployment.yaml'), 'utf8')) as Deployment;
  const args = deployment.spec.template.spec.containers[0]?.args ?? [];
  const drain = args.indexOf('--drain-time-s');
  return args
    .with(drain + 1, String(drainTime))
    .map((each) => each.replace('/etc/switchyard/envoy', folder).replace('$(POD_NAME)', name));
}

function data(file: string, key: string): string {
  const { data: texts } = parse(readFileSync(join(FOLDER, file), 'utf8')) as { data: Record<string, string> };
  const text = texts[key];
  if (text === undefined) throw new Error(`${file} has no ${key}`);
  return text;
}
