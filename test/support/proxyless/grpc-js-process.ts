/**
 * A gRPC client that takes its routes over xDS (npm @grpc/grpc-js-xds), as a process: commands come in on standard
 * input and answers go out, as protocol.ts says. Its bootstrap is in GRPC_XDS_BOOTSTRAP_CONFIG.
 */
import { createInterface } from 'node:readline';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { Client, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { register } from '@grpc/grpc-js-xds';
import {
  type WatchRequest,
  WatchRequestSchema,
  type WatchResponse,
  WatchResponseSchema,
  type WhoAmIRequest,
  WhoAmIRequestSchema,
  WhoAmIResponseSchema,
} from '../../../src/gen/examples/manager/v1/manager_pb.js';
import { OutcomeCount } from './outcomes.ts';
import {
  type Answer,
  type Command,
  type Headers,
  type Outcomes,
  TARGET_VARIABLE,
  type Watched,
} from './protocol.ts';

const SERVICE = '/examples.manager.v1.Manager';
const CALL_WITHIN_MS = 20_000;
const TICK_MS = 20;

/** Calls one after the other, until they are finished. */
interface Load {
  readonly outcomes: OutcomeCount;
  finish(): Promise<Outcomes>;
}

register();
const client = new Client(process.env[TARGET_VARIABLE] ?? '', credentials.createInsecure());
const loads = new Map<string, Load>();
const streams = new Map<string, () => Watched>();

function metadataOf(headers: Headers): Metadata {
  const metadata = new Metadata();
  for (const [name, value] of headers) metadata.add(name, value);
  return metadata;
}

/** The standard name of an error's status, for example `UNAVAILABLE`. */
function codeName(error: ServiceError): string {
  return status[error.code] ?? String(error.code);
}

function whoAmI(headers: Headers, outcomes: OutcomeCount): Promise<void> {
  return new Promise((resolve) => {
    client.makeUnaryRequest(
      `${SERVICE}/WhoAmI`,
      (request: WhoAmIRequest) => Buffer.from(toBinary(WhoAmIRequestSchema, request)),
      (bytes: Buffer) => fromBinary(WhoAmIResponseSchema, bytes),
      create(WhoAmIRequestSchema),
      metadataOf(headers),
      { deadline: Date.now() + CALL_WITHIN_MS },
      (error, response) => {
        if (error !== null) outcomes.add(codeName(error), error.message);
        else outcomes.add(response?.version ?? '');
        resolve();
      },
    );
  });
}

async function calls(headers: Headers, count: number, parallel: number): Promise<Outcomes> {
  const outcomes = new OutcomeCount();
  let left = count;
  const one = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      await whoAmI(headers, outcomes);
    }
  };
  await Promise.all(Array.from({ length: parallel }, one));
  return outcomes.outcomes();
}

function begin(headers: Headers): Load {
  const outcomes = new OutcomeCount();
  const stopping = new AbortController();
  const run = async (): Promise<void> => {
    while (!stopping.signal.aborted) await whoAmI(headers, outcomes);
  };
  const ended = run();
  return {
    outcomes,
    async finish() {
      stopping.abort();
      await ended;
      return outcomes.outcomes();
    },
  };
}

function watch(headers: Headers): () => Watched {
  const versions = new Set<string>();
  let ticks = 0;
  let ended: string | undefined;
  const stream = client.makeServerStreamRequest(
    `${SERVICE}/Watch`,
    (request: WatchRequest) => Buffer.from(toBinary(WatchRequestSchema, request)),
    (bytes: Buffer) => fromBinary(WatchResponseSchema, bytes),
    create(WatchRequestSchema, { intervalMs: TICK_MS }),
    metadataOf(headers),
  );
  stream.on('data', (tick: WatchResponse) => {
    ticks += 1;
    versions.add(tick.version);
  });
  stream.on('error', (error: ServiceError) => (ended ??= `${codeName(error)}: ${error.message}`));
  stream.on('end', () => (ended ??= 'OK'));
  return () => ({ ticks, versions: [...versions], ...(ended !== undefined && { ended }) });
}

async function obey(command: Command): Promise<unknown> {
  switch (command.kind) {
    case 'calls':
      return calls(command.headers, command.count, command.parallel);
    case 'begin':
      loads.set(command.name, begin(command.headers));
      return undefined;
    case 'made':
      return known(loads, command.name).outcomes.made;
    case 'finish':
      return known(loads, command.name).finish();
    case 'watch':
      streams.set(command.name, watch(command.headers));
      return undefined;
    case 'watched':
      return known(streams, command.name)();
  }
}

function known<Value>(values: ReadonlyMap<string, Value>, name: string): Value {
  const value = values.get(name);
  if (value === undefined) throw new Error(`nothing is named ${JSON.stringify(name)}`);
  return value;
}

function answer(line: Answer): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

// Ends with its parent: a closed standard input means that nobody asks any more.
const lines = createInterface({ input: process.stdin });
lines.on('line', (line) => {
  const { id, ...command } = JSON.parse(line) as Command & { id: number };
  obey(command).then(
    (result) => answer({ id, result }),
    (error: unknown) => answer({ id, fault: String(error) }),
  );
});
lines.on('close', () => process.exit(0));
