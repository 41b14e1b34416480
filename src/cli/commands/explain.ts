/** `explain`: which version a request would reach, and why. */
import {
  type ExplainResponse,
  ExplainResponseSchema,
} from '../../gen/switchyard/admin/v1/admin_service_pb.js';
import { soon, withClient } from '../connection.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import { isForMachines, printMessage } from '../output.ts';
import { type Context, print } from '../shell.ts';

export interface ExplainFlags {
  readonly service?: string;
  readonly listener?: string;
  readonly host: string;
  readonly path: string;
  readonly header?: readonly { readonly name: string; readonly value: string }[];
  readonly sourceAddress?: string;
  readonly grpc?: boolean;
}

export async function explain(context: Context, flags: ExplainFlags): Promise<ExitCode> {
  const { service = '', listener = '', host, path, header = [], sourceAddress = '', grpc } = flags;
  const decision = await withClient(context, 'read', (client) =>
    client.call(
      'explain',
      {
        service,
        listener,
        host,
        path,
        headers: [...header],
        sourceAddress,
        ...(grpc !== undefined && { grpc }),
      },
      soon(),
    ),
  );
  if (isForMachines(context)) await printMessage(context, ExplainResponseSchema, decision);
  else print(context, `${outcomeText(context, decision)}\nrule ${decision.rule}: ${decision.because}`);
  return EXIT.ok;
}

function outcomeText({ paint }: Context, { service, outcome }: ExplainResponse): string {
  switch (outcome.case) {
    case 'version': {
      const { version, readyEndpoints } = outcome.value;
      const ready = `${readyEndpoints} ready ${readyEndpoints === 1 ? 'endpoint' : 'endpoints'}`;
      return `${service} ${paint.good(version)} (${readyEndpoints === 0 ? paint.bad(ready) : ready})`;
    }
    case 'refused':
      return `${service === '' ? '' : `${service} `}${paint.bad(`refused: ${outcome.value.status} ${outcome.value.code}`)}`;
    case 'byWeight':
      return `${service} ${outcome.value.weights.map(({ version, weight }) => `${version} ${weight}%`).join(', ')}`;
    case undefined:
      return `${service} unknown: the controller is newer than this command`;
  }
}
