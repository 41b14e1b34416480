/** An instance that speaks switchyard.work.v1 on loopback: its open work, and whether it answers, are set by a test. */
import { promisify } from 'node:util';
import {
  create,
  type DescMethodUnary,
  fromBinary,
  type MessageInitShape,
  toBinary,
} from '@bufbuild/protobuf';
import { timestampNow } from '@bufbuild/protobuf/wkt';
import { Server, ServerCredentials, type sendUnaryData, status, type UntypedHandleCall } from '@grpc/grpc-js';
import { type CountResponseSchema, WorkService } from '../../src/gen/switchyard/work/v1/work_pb.js';

export class WorkingInstance {
  readonly version: string;
  /** Ids of open streams. */
  open: readonly string[] = [];
  /** What it counts; absent: what is open. */
  counts: MessageInitShape<typeof CountResponseSchema> | undefined;
  isAnswering = true;
  isHanging = false;
  isFenced = false;
  readonly #server = new Server();
  #port = 0;

  private constructor(version: string) {
    this.version = version;
    const { method } = WorkService;
    this.#add(method.fence, () => {
      this.isFenced = true;
      return { version };
    });
    this.#add(method.lift, () => {
      this.isFenced = false;
      return { version };
    });
    this.#add(method.count, () => this.counts ?? this.#whatIsOpen());
  }

  /** Listens on a free port until `close`. */
  static async start(version: string): Promise<WorkingInstance> {
    const instance = new WorkingInstance(version);
    const bind = promisify(instance.#server.bindAsync.bind(instance.#server));
    instance.#port = await bind('127.0.0.1:0', ServerCredentials.createInsecure());
    return instance;
  }

  get port(): number {
    return this.#port;
  }

  async close(): Promise<void> {
    this.#server.forceShutdown();
  }

  #whatIsOpen(): MessageInitShape<typeof CountResponseSchema> {
    return {
      version: this.version,
      asOf: timestampNow(),
      total: BigInt(this.open.length),
      open: this.open.map((id) => ({ kind: 'stream', id })),
    };
  }

  #add(method: DescMethodUnary, answer: () => object): void {
    const handle = (_: unknown, callback: sendUnaryData<unknown>): void => {
      if (this.isHanging) return;
      if (this.isAnswering) callback(null, create(method.output, answer() as Record<string, unknown>));
      else callback({ code: status.INTERNAL, details: 'not now' });
    };
    this.#server.register(
      `/${method.parent.typeName}/${method.name}`,
      handle as UntypedHandleCall,
      (message: object) => Buffer.from(toBinary(method.output, message as never)),
      (bytes: Buffer) => fromBinary(method.input, bytes),
      'unary',
    );
  }
}
