/** A gRPC server on loopback whose unary methods a test answers, refuses or leaves hanging. */
import { promisify } from 'node:util';
import {
  create,
  type DescMessage,
  type DescMethodUnary,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from '@bufbuild/protobuf';
import { Server, ServerCredentials, type sendUnaryData, status, type UntypedHandleCall } from '@grpc/grpc-js';

export class UnaryServer {
  isAnswering = true;
  isHanging = false;
  readonly #server = new Server();
  #port = 0;

  get port(): number {
    return this.#port;
  }

  /** Listens on a free port until `close`. */
  async listen(): Promise<void> {
    const bind = promisify(this.#server.bindAsync.bind(this.#server));
    this.#port = await bind('127.0.0.1:0', ServerCredentials.createInsecure());
  }

  async close(): Promise<void> {
    this.#server.forceShutdown();
  }

  /** From now on the method is answered like this; what it throws is answered as INTERNAL. */
  add<Input extends DescMessage, Output extends DescMessage>(
    method: DescMethodUnary<Input, Output>,
    answer: (request: MessageShape<Input>) => MessageInitShape<Output> | Promise<MessageInitShape<Output>>,
  ): void {
    const handle = async (
      { request }: { readonly request: MessageShape<Input> },
      callback: sendUnaryData<MessageShape<Output>>,
    ): Promise<void> => {
      if (this.isHanging) return;
      if (!this.isAnswering) return callback({ code: status.INTERNAL, details: 'not now' });
      try {
        callback(null, create(method.output, await answer(request)));
      } catch (error) {
        callback({ code: status.INTERNAL, details: String(error) });
      }
    };
    this.#server.register(
      `/${method.parent.typeName}/${method.name}`,
      handle as UntypedHandleCall,
      (message: MessageShape<Output>) => Buffer.from(toBinary(method.output, message)),
      (bytes: Buffer) => fromBinary(method.input, bytes),
      'unary',
    );
  }
}
