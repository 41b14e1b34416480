/**
 * The program's log: JSON lines on standard error, written before the call returns, so that the last lines before a
 * crash are there. Text of users that may hold secrets (environments of processes, whole documents) is never logged.
 */
import { type DestinationStream, destination, type Logger, pino, stdTimeFunctions } from 'pino';

/** The least level that is written; `silent`: nothing. */
export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';

/** Fields whose values are replaced, at the top of a line and up to three levels below. */
const SECRET_FIELDS = ['environment', 'document', 'authorization', 'cookie', 'password', 'token', 'secret'];
const DEPTHS = ['', '*.', '*.*.', '*.*.*.'];

/** How the log is written. */
export interface LogOptions {
  readonly level: LogLevel;
  /** Default: standard error. */
  readonly stream?: DestinationStream;
}

/** Makes the log. A line is `{"level":"info","time":"2026-08-01T10:15:00.000Z",…,"msg":"…"}`. */
export function createLog({ level, stream = destination({ fd: 2, sync: true }) }: LogOptions): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: {
        paths: DEPTHS.flatMap((depth) => SECRET_FIELDS.map((field) => `${depth}${field}`)),
        censor: '[not logged]',
      },
    },
    stream,
  );
}
