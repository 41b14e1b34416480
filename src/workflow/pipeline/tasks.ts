/** What a delegate is given for a step of a pipeline, and what its result looks like: the contract with delegates. */
import type { Json } from '../../model/json.ts';
import type { HttpMethod } from './definition.ts';

/** The payload of a task of kind `shell`: run by `/bin/sh -c`. A status other than 0 is a failure that is not retryable. */
export interface ShellTask {
  readonly command: string;
  /** Added to the environment that the delegate gives every command. */
  readonly env: Readonly<Record<string, string>>;
  /** Below the delegate's folder for the task; empty: that folder. */
  readonly workingDirectory: string;
}

/** The result of a shell command that ended with 0. It is the output of its step. */
export interface ShellResult {
  readonly exitCode: 0;
  /** Without the line breaks at its end; where it was too long, its end only. */
  readonly stdout: string;
  /** `stdout` where it is JSON, so that `${steps.build.output.json.image}` finds its way. */
  readonly json?: Json;
}

/** The payload of a task of kind `http`. */
export interface HttpTask {
  readonly method: HttpMethod;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Text is sent as it is, anything else as JSON; absent: none. */
  readonly body?: Json;
  /** Answers that are a success; empty: 200 to 299. */
  readonly expectStatus: readonly number[];
}

/** The result of a call that was answered as expected. It is the output of its step. */
export interface HttpResult {
  readonly status: number;
  /** JSON where the answer says that it is, else text. */
  readonly body: Json;
}
