/**
 * Refusals on the wire: an OperationError becomes a gRPC status whose `grpc-status-details-bin` trailer holds a
 * google.rpc.Status with our ErrorDetail, and on the client becomes an AdminError with the same facts.
 */
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { anyPack, anyUnpack } from '@bufbuild/protobuf/wkt';
import { Metadata, type ServiceError, type StatusObject, status } from '@grpc/grpc-js';
import { StatusSchema } from '../gen/google/rpc/status_pb.js';
import { type ErrorDetail, ErrorDetailSchema } from '../gen/switchyard/admin/v1/changes_pb.js';
import { InvalidNameError } from '../model/names.ts';
import { OperationError, type OperationErrorCode, type OperationErrorDetails } from '../operations/types.ts';
import { openWorkToMessage, problemToMessage } from './views.ts';

const STATUS = {
  InvalidArgument: status.INVALID_ARGUMENT,
  NotFound: status.NOT_FOUND,
  FailedPrecondition: status.FAILED_PRECONDITION,
  Aborted: status.ABORTED,
  Unavailable: status.UNAVAILABLE,
} satisfies Record<OperationErrorCode, status>;

const DETAILS_KEY = 'grpc-status-details-bin';
/** Trailers are bounded by what HTTP/2 peers accept; a longer list is cut, the message tells the number. */
const MOST_LISTED = 50;

/** The status for what a handler threw, and whether it is a fault of ours rather than a refusal. */
export function statusOf(error: unknown): {
  status: Omit<StatusObject, 'metadata'> & { metadata: Metadata; name: string; message: string };
  isFault: boolean;
} {
  if (error instanceof OperationError) {
    return { status: describe(STATUS[error.code], error.message, error.details), isFault: false };
  }
  if (error instanceof InvalidNameError) {
    return { status: describe(status.INVALID_ARGUMENT, error.message, {}), isFault: false };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { status: describe(status.INTERNAL, `the controller failed: ${message}`, {}), isFault: true };
}

function describe(code: status, message: string, details: OperationErrorDetails) {
  const { problems = [], openWork = [], generations } = details;
  const detail = create(ErrorDetailSchema, {
    problems: problems.slice(0, MOST_LISTED).map(problemToMessage),
    openWork: openWork.slice(0, MOST_LISTED).map(openWorkToMessage),
    ...(generations && {
      generations: { expected: BigInt(generations.expected), actual: BigInt(generations.actual) },
    }),
  });
  const packed = create(StatusSchema, { code, message, details: [anyPack(ErrorDetailSchema, detail)] });
  const metadata = new Metadata();
  metadata.set(DETAILS_KEY, Buffer.from(toBinary(StatusSchema, packed)));
  return { name: 'AdminError', code, message, details: message, metadata };
}

/** A call that was refused or failed, as the client sees it. */
export class AdminError extends Error {
  override readonly name = 'AdminError';
  readonly code: status;
  /** Absent where it was not the controller that answered but the connection that broke. */
  readonly detail: ErrorDetail | undefined;
  constructor(facts: { code: status; message: string; detail: ErrorDetail | undefined; cause: unknown }) {
    super(facts.message, { cause: facts.cause });
    this.code = facts.code;
    this.detail = facts.detail;
  }
}

/** Reads what grpc-js threw. */
export function adminErrorOf(error: ServiceError): AdminError {
  return new AdminError({ code: error.code, message: error.details, detail: detailOf(error), cause: error });
}

function detailOf(error: ServiceError): ErrorDetail | undefined {
  const [bytes] = error.metadata?.get(DETAILS_KEY) ?? [];
  if (Buffer.isBuffer(bytes)) {
    for (const any of fromBinary(StatusSchema, bytes).details) {
      const detail = anyUnpack(any, ErrorDetailSchema);
      if (detail !== undefined) return detail;
    }
  }
  return undefined;
}
