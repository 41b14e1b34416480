/** An instance that speaks switchyard.work.v1.WorkService on loopback: its open work, and whether it answers, are set by a test. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampNow } from '@bufbuild/protobuf/wkt';
import { type CountResponseSchema, WorkService } from '../../src/gen/switchyard/work/v1/work_pb.js';
import { UnaryServer } from './unary-server.ts';

export class WorkingInstance extends UnaryServer {
  readonly version: string;
  /** Ids of open streams. */
  open: readonly string[] = [];
  /** What it counts; absent: what is open. */
  counts: MessageInitShape<typeof CountResponseSchema> | undefined;
  isFenced = false;

  private constructor(version: string) {
    super();
    this.version = version;
    const { method } = WorkService;
    this.add(method.fence, () => {
      this.isFenced = true;
      return { version };
    });
    this.add(method.lift, () => {
      this.isFenced = false;
      return { version };
    });
    this.add(method.count, () => this.counts ?? this.#whatIsOpen());
  }

  /** Listens on a free port until `close`. */
  static async start(version: string): Promise<WorkingInstance> {
    const instance = new WorkingInstance(version);
    await instance.listen();
    return instance;
  }

  #whatIsOpen(): MessageInitShape<typeof CountResponseSchema> {
    return {
      version: this.version,
      asOf: timestampNow(),
      total: BigInt(this.open.length),
      open: this.open.map((id) => ({ kind: 'stream', id })),
    };
  }
}
