/** What the HTTP API takes and gives, apart from the server that carries it. */

/** A request, read. */
export interface ApiRequest {
  readonly method: string;
  /** Decoded, without empty parts. */
  readonly path: readonly string[];
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** It came through a proxy, from a customer. */
  readonly isProxied: boolean;
  readonly body: string;
  /** The body as a JSON object; empty where there is none. Throws ApiError. */
  json(): Readonly<Record<string, unknown>>;
}

export interface ApiResponse {
  readonly status: number;
  readonly body: unknown;
}

/** Bytes of a body. */
export const LARGEST_BODY = 1024 * 1024;

/** A request that is refused, in words for its sender and a code for a program. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  readonly code: string;
  /** Seconds after which it may be tried again; absent: it is of no use. */
  readonly retryAfter?: number;
  /** What is wrong, one by one. */
  readonly problems?: readonly unknown[];

  constructor(
    status: number,
    code: string,
    message: string,
    more: { readonly retryAfter?: number; readonly problems?: readonly unknown[] } = {},
  ) {
    super(message);
    this.status = status;
    this.code = code;
    if (more.retryAfter !== undefined) this.retryAfter = more.retryAfter;
    if (more.problems !== undefined) this.problems = more.problems;
  }
}

/** 400: the message names the field and what would be right. */
export function invalid(message: string): ApiError {
  return new ApiError(400, 'INVALID_ARGUMENT', message);
}

/** Throws ApiError. */
export function jsonObject(text: string): Readonly<Record<string, unknown>> {
  if (text.trim() === '') return {};
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw invalid(`the body is no JSON: ${(error as Error).message}`);
  }
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    throw invalid('the body must be a JSON object');
  }
  return value as Readonly<Record<string, unknown>>;
}
