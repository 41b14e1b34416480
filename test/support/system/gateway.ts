/** An Envoy that learns everything from a controller, started with what `switchyard bootstrap` prints. */
import { type Envoy, startEnvoy } from '../envoy.ts';
import { switchyard } from './command-line.ts';

export interface GatewayOptions {
  /** Its node id. */
  readonly name: string;
  /** The controller's admin API, as in SWITCHYARD_SERVER. */
  readonly server: string;
  readonly xdsPort: number;
  readonly protocol?: 'sotw' | 'delta';
  /** The listeners to open; absent: all. */
  readonly listeners?: readonly string[];
  /** The services to know; absent: all. */
  readonly services?: readonly string[];
}

/** Starts it. Resolves when its process runs; it waits for its first configuration by itself. */
export async function startGateway(options: GatewayOptions): Promise<Envoy> {
  const { exitCode, stdout, stderr } = await switchyard(options.server, [
    'bootstrap',
    '--output=json',
    `--node-id=${options.name}`,
    `--xds-address=127.0.0.1:${options.xdsPort}`,
    ...(options.protocol === 'delta' ? ['--delta'] : []),
    ...(options.listeners ?? []).map((listener) => `--listener=${listener}`),
    ...(options.services ?? []).map((service) => `--service=${service}`),
  ]);
  if (exitCode !== 0) throw new Error(`switchyard bootstrap failed: ${stderr}`);
  return startEnvoy(JSON.parse(stdout) as object);
}

/** The versions of all resources that an Envoy has taken from its controller, as text that can be compared. */
export async function resourceVersions(envoy: Envoy): Promise<string> {
  const dump = await envoy.text('/config_dump?include_eds');
  return (dump.match(/"version_info": "[^"]*"/g) ?? []).join('\n');
}
