/** `examples.delegate.v1.DelegateGateway`: one stream for each delegate, between its messages and the dispatcher. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import { Code, ConnectError, type HandlerContext } from '@connectrpc/connect';
import type {
  ConnectRequest,
  ConnectResponseSchema,
  Hello,
} from '../../../src/gen/examples/delegate/v1/delegate_pb.js';
import type { ConnectedDelegate } from '../../../src/workflow/runner/connected-delegate.ts';
import { Mailbox } from '../mailbox.ts';
import {
  arrivalOf,
  assignment,
  capacityOf,
  leaseMessage,
  leaseOf,
  leasesOf,
  outcomeOf,
} from './delegate-messages.ts';
import type { Engine } from './engine.ts';

/** How long a stream may be silent at first. */
const HELLO_WITHIN_MS = 10_000;
/** Results of one delegate that wait for the store: as many as it may have tasks. */
const MOST_FINISHING = 2_000;

type Answer = NonNullable<MessageInitShape<typeof ConnectResponseSchema>['message']>;

/** Serves one delegate until it leaves, is silent for too long, or this instance ends. */
export async function* connectDelegate(stream: {
  readonly engine: Engine;
  readonly context: HandlerContext;
  readonly requests: AsyncIterable<ConnectRequest>;
}): AsyncGenerator<MessageInitShape<typeof ConnectResponseSchema>> {
  const { engine, context, requests } = stream;
  if (engine.leaving.aborted) throw leavingError();
  const answers = new Mailbox<Answer>(context.signal);
  let failure: ConnectError | undefined;
  const end = (error?: ConnectError) => {
    failure ??= error;
    answers.close();
  };
  const put = (answer: Answer) => {
    if (!answers.put(answer)) {
      end(new ConnectError('the delegate does not read what it is sent', Code.ResourceExhausted));
    }
  };
  const goodbye = () => put({ case: 'goodbye', value: { reason: 'this manager is about to end' } });
  engine.leaving.addEventListener('abort', goodbye, { once: true });
  const late = setTimeout(
    () => end(new ConnectError('no hello came', Code.DeadlineExceeded)),
    HELLO_WITHIN_MS,
  );
  let delegate: ConnectedDelegate | undefined;
  let isOver = false;
  const reading = (async () => {
    for await (const { message } of requests) {
      if (delegate !== undefined) await take({ engine, delegate, message, put });
      else if (message.case === 'hello') {
        clearTimeout(late);
        delegate = await welcome({ engine, context, hello: message.value, put, end });
        // The stream may have ended while the store was asked.
        if (isOver) delegate.leave();
      } else throw new ConnectError(`hello must come first, not ${message.case}`, Code.InvalidArgument);
    }
  })().then(
    () => end(),
    (error: unknown) => end(ConnectError.from(error)),
  );
  try {
    for await (const message of answers) yield { message };
    if (failure !== undefined) throw failure;
    await reading;
  } finally {
    isOver = true;
    clearTimeout(late);
    engine.leaving.removeEventListener('abort', goodbye);
    delegate?.leave();
  }
}

async function welcome(parts: {
  engine: Engine;
  context: HandlerContext;
  hello: Hello;
  put: (answer: Answer) => void;
  end: (error: ConnectError) => void;
}): Promise<ConnectedDelegate> {
  const { engine, context, hello, put, end } = parts;
  const arrival = arrivalOf(hello, { version: engine.version, headers: context.requestHeader });
  // What is assigned before the welcome is out would be read first.
  const early: Answer[] = [];
  let isOut = false;
  const tell = (answer: Answer) => {
    if (isOut) put(answer);
    else early.push(answer);
  };
  const { delegate, stop } = await engine.host.dispatcher
    .connect(arrival, {
      assign: (claimed) => tell({ case: 'assign', value: assignment(claimed) }),
      stop: (lease, reason) => tell({ case: 'cancel', value: { lease: leaseMessage(lease), reason } }),
      end: (reason) => end(new ConnectError(reason, Code.Aborted)),
    })
    .catch((error: unknown) => {
      engine.log.error({ err: error }, 'welcoming a delegate');
      throw new ConnectError('the store does not answer; try again', Code.Unavailable);
    });
  put({
    case: 'welcome',
    value: {
      manager: engine.worker.manager,
      version: engine.version,
      heartbeat: durationFromMs(engine.heartbeat),
      stop: stop.map(leaseMessage),
    },
  });
  isOut = true;
  for (const answer of early) put(answer);
  return delegate;
}

async function take(parts: {
  engine: Engine;
  delegate: ConnectedDelegate;
  message: ConnectRequest['message'];
  put: (answer: Answer) => void;
}): Promise<void> {
  const { engine, delegate, message, put } = parts;
  switch (message.case) {
    case 'heartbeat':
      delegate.heartbeat({
        capacity: capacityOf(message.value),
        running: leasesOf(message.value.running),
      });
      return;
    case 'log': {
      const lease = leaseOf(message.value.lease);
      if (delegate.owns(lease)) engine.reports.log(lease.task, message.value);
      return;
    }
    case 'progress': {
      const lease = leaseOf(message.value.lease);
      if (delegate.owns(lease)) engine.reports.progress(lease.task, message.value);
      return;
    }
    case 'result': {
      const lease = leaseOf(message.value.lease);
      const outcome = outcomeOf(message.value);
      if (delegate.finishing >= MOST_FINISHING) {
        throw new ConnectError('too many results wait to be stored; go on later', Code.ResourceExhausted);
      }
      // Not awaited: the store may be slow, and heartbeats must go on.
      void delegate.finish(lease, outcome).then((finished) => {
        if (finished !== undefined) put({ case: 'acknowledge', value: { lease: leaseMessage(lease) } });
      });
      return;
    }
    case 'decline':
      await delegate.decline(leaseOf(message.value.lease)).catch((error: unknown) => {
        engine.log.error({ err: error }, 'returning a task that was declined');
      });
      return;
    case 'hello':
      throw new ConnectError('hello comes once', Code.InvalidArgument);
    case undefined:
      // Of a newer delegate: it does not need an answer.
      return;
    default:
      message satisfies never;
  }
}

function leavingError(): ConnectError {
  return new ConnectError('this manager is about to end; try again', Code.Unavailable);
}
