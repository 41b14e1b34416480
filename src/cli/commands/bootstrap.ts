/** `bootstrap`: the configuration that an Envoy is started with so that it connects to the controller. */
import { hostname } from 'node:os';
import { InvalidNameError, listenerName, serviceName } from '../../model/names.ts';
import { bootstrap as bootstrapConfiguration } from '../../xds/bootstrap.ts';
import { nodeIdProblem } from '../../xds/node-id.ts';
import { CliError, EXIT, type ExitCode } from '../exit.ts';
import type { AddressFlag } from '../local-commands.ts';
import { printData } from '../output.ts';
import type { Context } from '../shell.ts';

export interface BootstrapFlags {
  readonly nodeId?: string;
  readonly cluster: string;
  readonly delta?: boolean;
  readonly xdsAddress: AddressFlag;
  readonly listener?: readonly string[];
  readonly service?: readonly string[];
  readonly adminAddress: AddressFlag;
  readonly statsAddress?: AddressFlag;
  readonly accessLog?: boolean;
  readonly readyAnyway?: boolean;
}

export async function bootstrap(context: Context, flags: BootstrapFlags): Promise<ExitCode> {
  const nodeId = flags.nodeId ?? `envoy@${hostname()}`;
  const problem = nodeIdProblem(nodeId);
  if (problem !== undefined) throw new CliError(EXIT.usage, `--node-id: ${problem}`);
  const configuration = bootstrapConfiguration({
    nodeId,
    nodeCluster: flags.cluster,
    protocol: flags.delta === true ? 'delta' : 'sotw',
    controller: flags.xdsAddress,
    listeners: names('--listener', flags.listener, listenerName),
    services: names('--service', flags.service, serviceName),
    admin: flags.adminAddress,
    ...(flags.statsAddress && { stats: flags.statsAddress }),
    accessLog: flags.accessLog === true,
    withoutController: flags.readyAnyway === true ? 'ReadyAnyway' : 'FailClosed',
  });
  await printData(context, configuration);
  return EXIT.ok;
}

function names<Name>(flag: string, texts: readonly string[] = [], parse: (text: string) => Name): Name[] {
  try {
    return texts.map(parse);
  } catch (error) {
    if (error instanceof InvalidNameError) throw new CliError(EXIT.usage, `${flag}: ${error.message}`);
    throw error;
  }
}
