/** What a Kubernetes API server refuses with, as its `Status` says it. */
import type { Milliseconds } from '../../../model/instant.ts';

/** One field that is wrong, of an object that was refused. */
export interface StatusCause {
  readonly field: string;
  readonly message: string;
}

/** The API server answered, and not with what was asked for. */
export class KubernetesApiError extends Error {
  override readonly name = 'KubernetesApiError';
  /** Of HTTP. */
  readonly code: number;
  /** As `Status.reason` has it: `Conflict`, `NotFound`, `Expired`, `AlreadyExists`, `Invalid`, …; empty where it has none. */
  readonly reason: string;
  readonly causes: readonly StatusCause[];
  /** When it may be asked again; absent: it does not say. */
  readonly retryAfter?: Milliseconds;

  constructor(error: {
    readonly code: number;
    readonly reason: string;
    readonly message: string;
    readonly causes?: readonly StatusCause[];
    readonly retryAfter?: Milliseconds;
  }) {
    super(error.message);
    this.code = error.code;
    this.reason = error.reason;
    this.causes = error.causes ?? [];
    if (error.retryAfter !== undefined) this.retryAfter = error.retryAfter;
  }
}

/** What was read may be too old: everything must be read anew. */
export function isExpired(error: unknown): boolean {
  return error instanceof KubernetesApiError && (error.code === 410 || error.reason === 'Expired');
}

export function isNotFound(error: unknown): boolean {
  return error instanceof KubernetesApiError && error.code === 404;
}

/** For the `catch` of a read: what is not there is undefined. */
export function unlessNotFound(error: unknown): undefined {
  if (isNotFound(error)) return undefined;
  throw error;
}

/** Somebody else was faster, or owns what was to be written. */
export function isConflict(error: unknown): boolean {
  return error instanceof KubernetesApiError && error.code === 409;
}

/** The error that an answer's body, or an object in a watch, stands for. Never throws. */
export function errorOf(answer: {
  /** Of the response; a watch has answered with 200 before, so there the Status's own code counts. */
  readonly code: number;
  /** The text of a Status, or whatever stands in its place. */
  readonly body: string;
  /** The header `retry-after`. */
  readonly retryAfter?: string | undefined;
  /** What was asked, for the message. */
  readonly asked: string;
}): KubernetesApiError {
  const { code, body, retryAfter, asked } = answer;
  const status = parsedStatus(body);
  const seconds = status.details?.retryAfterSeconds ?? secondsIn(retryAfter);
  return new KubernetesApiError({
    code: status.code ?? code,
    reason: status.reason ?? '',
    message: `${asked}: ${status.message ?? `status ${code}${body === '' ? '' : `: ${body.slice(0, 500)}`}`}`,
    causes: (status.details?.causes ?? []).map(({ field = '', message = '' }) => ({ field, message })),
    ...(seconds === undefined ? {} : { retryAfter: seconds * 1_000 }),
  });
}

interface Status {
  readonly kind?: string;
  readonly code?: number;
  readonly reason?: string;
  readonly message?: string;
  readonly details?: {
    readonly retryAfterSeconds?: number;
    readonly causes?: readonly Partial<StatusCause>[];
  };
}

function parsedStatus(body: string): Status {
  try {
    const parsed = JSON.parse(body) as Status | null;
    return parsed?.kind === 'Status' ? parsed : {};
  } catch {
    return {};
  }
}

function secondsIn(header: string | undefined): number | undefined {
  const seconds = Number(header);
  return header !== undefined && Number.isFinite(seconds) && seconds >= 0 ? seconds : undefined;
}
