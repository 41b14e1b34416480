/** A typed client of the admin API: one function for each method; errors come as AdminError. */
import { create } from '@bufbuild/protobuf';
import { Client, credentials, type ServiceError } from '@grpc/grpc-js';
import {
  AdminService,
  type RequestInit,
  type Response,
  type UnaryMethod,
  type WatchMethod,
} from './contract.ts';
import { methodDefinition } from './definition.ts';
import { adminErrorOf } from './errors.ts';

export type { RequestInit, UnaryMethod } from './contract.ts';

export interface AdminClient {
  /** Calls a method that answers once. Throws AdminError. An absent deadline waits for ever. */
  call<M extends UnaryMethod>(method: M, request: RequestInit<M>, deadline?: Date): Promise<Response<M>>;
  /** Looks on until the signal is aborted. Throws AdminError when the server ends it. */
  watch<M extends WatchMethod>(
    method: M,
    request: RequestInit<M>,
    signal: AbortSignal,
  ): AsyncIterable<Response<M>>;
  close(): void;
}

/** Largest answer, in bytes: a table of thousands of routes must fit. */
const LARGEST_ANSWER = 64 * 1024 * 1024;

/** Connects to `unix:/path` or `host:port`; nothing is sent before the first call. */
export function adminClient(server: string): AdminClient {
  const client = new Client(server, credentials.createInsecure(), {
    'grpc.max_receive_message_length': LARGEST_ANSWER,
    'grpc.max_send_message_length': -1,
    'grpc.enable_channelz': 0,
    'grpc.service_config_disable_resolution': 1,
  });
  return {
    call(method, request, deadline) {
      const description = AdminService.method[method];
      const { path, requestSerialize, responseDeserialize } = methodDefinition(description);
      return new Promise((resolve, reject) => {
        client.makeUnaryRequest(
          path,
          requestSerialize,
          responseDeserialize,
          create(description.input, request as never),
          deadline === undefined ? {} : { deadline },
          (error, response) => (error === null ? resolve(response as never) : reject(adminErrorOf(error))),
        );
      });
    },
    async *watch(method, request, signal) {
      const description = AdminService.method[method];
      const { path, requestSerialize, responseDeserialize } = methodDefinition(description);
      const call = client.makeServerStreamRequest(
        path,
        requestSerialize,
        responseDeserialize,
        create(description.input, request as never),
      );
      const cancel = () => call.cancel();
      signal.addEventListener('abort', cancel);
      try {
        for await (const response of call) yield response as never;
      } catch (error) {
        if (!signal.aborted) throw adminErrorOf(error as ServiceError);
      } finally {
        signal.removeEventListener('abort', cancel);
        cancel();
      }
    },
    close: () => client.close(),
  };
}
