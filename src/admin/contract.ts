/**
 * The shape of the admin API as TypeScript sees it: which methods exist, what they take and give. Server and client
 * are both typed by this, so a method that is added to the .proto file is missed by neither.
 */
import type { DescMessage, MessageInitShape, MessageShape } from '@bufbuild/protobuf';
import { AdminService } from '../gen/switchyard/admin/v1/admin_service_pb.js';

type Methods = (typeof AdminService)['method'];
type Method = keyof Methods;
type MethodOfKind<Kind extends string> = {
  [M in Method]: Methods[M]['methodKind'] extends Kind ? M : never;
}[Method];

/** Methods that take one message and give one. */
export type UnaryMethod = MethodOfKind<'unary'>;
/** Methods that take one message and give a stream of them. */
export type WatchMethod = MethodOfKind<'server_streaming'>;

type Output<M extends Method> = Methods[M]['output'] extends DescMessage ? Methods[M]['output'] : never;
type Input<M extends Method> = Methods[M]['input'] extends DescMessage ? Methods[M]['input'] : never;

/** What a server receives. */
export type Request<M extends Method> = MessageShape<Input<M>>;
/** What a client sends: absent fields may be left out. */
export type RequestInit<M extends Method> = MessageInitShape<Input<M>>;
/** What a client receives. */
export type Response<M extends Method> = MessageShape<Output<M>>;
/** What a server sends: absent fields may be left out. */
export type ResponseInit<M extends Method> = MessageInitShape<Output<M>>;

/** What a handler knows of the call beside the request. */
export interface CallFacts {
  /** Aborted when the client has gone or the deadline has passed. */
  readonly signal: AbortSignal;
  /** Milliseconds from now until the client gives up; Infinity where it set no deadline. */
  readonly remaining: () => number;
}

/** One function for each method of the API. */
export type Handlers = {
  readonly [M in UnaryMethod]: (request: Request<M>, call: CallFacts) => Promise<ResponseInit<M>>;
} & {
  readonly [M in WatchMethod]: (request: Request<M>, call: CallFacts) => AsyncIterable<ResponseInit<M>>;
};

export { AdminService };
