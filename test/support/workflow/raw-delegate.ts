/** A delegate that a test plays by hand: it sends what the test says, and keeps what it gets. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import { readOptions } from '../../../examples/delegate/options.ts';
import { DelegateStream, type StreamEnd } from '../../../examples/delegate/stream.ts';
import type {
  ConnectRequestSchema,
  ConnectResponse,
  HelloSchema,
} from '../../../src/gen/examples/delegate/v1/delegate_pb.js';
import { eventually } from '../eventually.ts';

type Answer = ConnectResponse['message'];
type ValueOf<Case> = Extract<Answer, { case: Case }>['value'];
type Lease = { readonly task: string; readonly token: bigint };

export class RawDelegate {
  readonly answers: Answer[] = [];
  end: StreamEnd | undefined;
  readonly #stream: DelegateStream;

  constructor(wish: { port: number; box: string; tenant?: string; version?: string }) {
    const { port, box, tenant = 'acme', version = 'v1' } = wish;
    const options = readOptions([
      `--gateway=127.0.0.1:${port}`,
      `--box=${box}`,
      `--tenant=${tenant}`,
      `--version=${version}`,
      '--data=/nowhere',
    ]);
    this.#stream = new DelegateStream(options, {
      onMessage: ({ message }) => void this.answers.push(message),
      onEnd: (end) => {
        this.end = end;
      },
    });
  }

  send(message: MessageInitShape<typeof ConnectRequestSchema>['message']): void {
    this.#stream.send(message);
  }

  hello(hello: MessageInitShape<typeof HelloSchema>): void {
    this.send({ case: 'hello', value: { tenant: 'acme', version: 'v1', capacity: 1, ...hello } });
  }

  succeed(lease: Lease, text: string): void {
    const value = {
      lease,
      outcome: { case: 'succeeded', value: { kind: { case: 'stringValue', value: text } } },
    } as const;
    this.send({ case: 'result', value });
  }

  heartbeat(...running: readonly Lease[]): void {
    this.send({ case: 'heartbeat', value: { capacity: 1, running: [...running] } });
  }

  /** The answers of a kind so far. */
  got<Case extends NonNullable<Answer['case']>>(kind: Case): readonly ValueOf<Case>[] {
    return this.answers.flatMap((answer) => (answer.case === kind ? [answer.value as ValueOf<Case>] : []));
  }

  /** The newest answer of a kind, once there are so many. */
  async answer<Case extends NonNullable<Answer['case']>>(kind: Case, count = 1): Promise<ValueOf<Case>> {
    await eventually(() => this.got(kind).length >= count, { what: `${count} times ${kind}` });
    return this.got(kind).at(-1) as ValueOf<Case>;
  }

  /** The lease of the task that it is assigned next. */
  async assigned(count = 1): Promise<Lease> {
    const { lease } = await this.answer('assign', count);
    if (lease === undefined) throw new Error('an assignment without a lease');
    return lease;
  }

  cut(): void {
    this.#stream.cancel();
  }
}
