/**
 * How a test drives a gRPC client that runs in a process of its own: one JSON object per line on its standard input,
 * one answer per line on its standard output, with the same id. The clients in Node and Go speak it alike, so that one
 * set of tests holds both.
 */

/** Sent as metadata of a call, in this order; a name may come twice. */
export type Headers = readonly (readonly [name: string, value: string])[];

export type Command =
  /** Makes `count` calls of WhoAmI, `parallel` at a time. Answer: Outcomes. */
  | {
      readonly kind: 'calls';
      readonly headers: Headers;
      readonly count: number;
      readonly parallel: number;
    }
  /** Begins calls of WhoAmI, each after the last one's end, until `finish`. Answer: nothing. */
  | { readonly kind: 'begin'; readonly name: string; readonly headers: Headers }
  /** How many calls that load has made. Answer: a number. */
  | { readonly kind: 'made'; readonly name: string }
  /** Ends a load. Answer: Outcomes. */
  | { readonly kind: 'finish'; readonly name: string }
  /** Opens a stream of ticks (Watch). Answer: nothing. */
  | { readonly kind: 'watch'; readonly name: string; readonly headers: Headers }
  /** What came on that stream so far. Answer: Watched. */
  | { readonly kind: 'watched'; readonly name: string };

/** How calls ended. */
export interface Outcomes {
  /** How many were answered, by the version that answered, and how many were refused, by the status code's name. */
  readonly counts: Readonly<Record<string, number>>;
  /** The same in order of the calls' ends, where equal neighbours are one. */
  readonly order: readonly string[];
  /** Texts of the errors, the first of each kind. */
  readonly errors: readonly string[];
}

/** What came on a stream. */
export interface Watched {
  readonly ticks: number;
  /** The versions that ticked. */
  readonly versions: readonly string[];
  /** The status of its end, where it has ended. */
  readonly ended?: string;
}

export interface Answer {
  readonly id: number;
  readonly result?: unknown;
  /** The command could not be done: the test is wrong, or the client. */
  readonly fault?: string;
}

/** The environment of a client: its xDS bootstrap and the target of its calls. */
export const TARGET_VARIABLE = 'PROXYLESS_TARGET';
