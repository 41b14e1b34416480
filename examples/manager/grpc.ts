/**
 * The gRPC face of the example manager: `examples.manager.v1.Manager` and `grpc.health.v1.Health`, served on the same
 * port as plain HTTP (connect-node hands everything that is no RPC of ours to a fallback).
 */
import { Code, ConnectError, type ConnectRouter, type HandlerContext } from '@connectrpc/connect';
import { DelegateGateway } from '../../src/gen/examples/delegate/v1/delegate_pb.js';
import { Manager } from '../../src/gen/examples/manager/v1/manager_pb.js';
import { Health, SERVICE_UNKNOWN, SERVING } from './health.ts';
import { COPY_HEADER, FencedError, type Instance, isCopy } from './instance.ts';
import { Mailbox } from './mailbox.ts';
import { connectDelegate } from './workflow/delegate-gateway.ts';
import type { Engine } from './workflow/engine.ts';
import { workServices } from './workflow/work-services.ts';

/** Registers the services of one instance; those of executions where there is an engine. */
export function grpcRoutes(instance: Instance, engine?: Engine): (router: ConnectRouter) => void {
  return (router) => {
    if (engine !== undefined) {
      workServices(router, engine);
      router.service(DelegateGateway, {
        connect: (requests, context) => connectDelegate({ engine, context, requests }),
      });
    }
    router.service(Manager, {
      whoAmI: (_request, context) => {
        const done = instance.begin({
          kind: 'request',
          face: 'grpc',
          passesFence: true,
          isCopy: copied(context),
        });
        done();
        return { ...instance.identity, tenant: context.requestHeader.get('x-tenant-id') ?? '' };
      },
      watch: (request, context) => watch({ instance, context, interval: tickInterval(request.intervalMs) }),
      work: (requests, context) => work({ instance, context, requests }),
    });
    router.service(Health, {
      check: (request) => {
        if (!isKnown(request.service)) throw new ConnectError(`no service ${request.service}`, Code.NotFound);
        return { status: SERVING };
      },
      watch: async function* (request, context) {
        yield { status: isKnown(request.service) ? SERVING : SERVICE_UNKNOWN };
        await new Promise((resolve) => context.signal.addEventListener('abort', resolve, { once: true }));
      },
    });
  };
}

function isKnown(service: string): boolean {
  return service === '' || service === Manager.typeName;
}

function tickInterval(milliseconds: number): number {
  if (milliseconds === 0) return 1000;
  if (milliseconds < 10 || milliseconds > 60_000) {
    throw new ConnectError(
      `interval_ms must be 0, or 10 to 60000, not ${milliseconds}`,
      Code.InvalidArgument,
    );
  }
  return milliseconds;
}

async function* watch(stream: { instance: Instance; context: HandlerContext; interval: number }) {
  const { instance, context } = stream;
  const done = beginStream(instance, context);
  const ticks = new Mailbox<void>(context.signal);
  const timer = setInterval(() => ticks.put(), stream.interval);
  const stopListening = instance.onDraining(() => ticks.put());
  try {
    ticks.put();
    let sequence = 0n;
    for await (const _ of ticks) {
      yield { ...instance.identity, sequence, draining: instance.fenced };
      sequence += 1n;
    }
  } finally {
    clearInterval(timer);
    stopListening();
    done();
  }
}

async function* work(stream: {
  instance: Instance;
  context: HandlerContext;
  requests: AsyncIterable<{ payload: string }>;
}) {
  const { instance, context, requests } = stream;
  const done = beginStream(instance, context);
  const answers = new Mailbox<string>(context.signal);
  const stopListening = instance.onDraining(() => answers.put(''));
  const reading = (async () => {
    for await (const { payload } of requests) {
      if (answers.put(payload)) continue;
      throw new ConnectError(
        'too many messages wait for their answers; read some first',
        Code.ResourceExhausted,
      );
    }
  })().finally(() => answers.close());
  // Looked at below, once the answers are out; a failure before that must not count as unhandled.
  reading.catch(() => {});
  try {
    for await (const payload of answers) yield { ...instance.identity, payload, draining: instance.fenced };
    await reading;
  } finally {
    stopListening();
    done();
  }
}

function copied(context: HandlerContext): boolean {
  return isCopy(context.requestHeader.get(COPY_HEADER));
}

function beginStream(instance: Instance, context: HandlerContext): () => void {
  try {
    return instance.begin({ kind: 'stream', face: 'grpc', isCopy: copied(context) });
  } catch (error) {
    if (error instanceof FencedError) throw new ConnectError(error.message, Code.Unavailable);
    throw error;
  }
}
