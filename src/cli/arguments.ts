/** Parsers of option values: each gives the value or says what would be right. */
import { isIP } from 'node:net';
import { InvalidArgumentError } from 'commander';
import { parseDuration } from './duration.ts';

/** Milliseconds of `500ms`, `10s`, `1m30s`, `24h` or `0`. */
export function duration(text: string): number {
  const length = parseDuration(text);
  if (length === undefined)
    throw new InvalidArgumentError('Write a length of time such as 500ms, 10s, 1m30s or 0.');
  return length;
}

/** Milliseconds since 1970 of a time that names its zone, such as `2026-12-31T18:00:00Z`. */
export function moment(text: string): number {
  const time = ZONED_TIME.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(time))
    throw new InvalidArgumentError('Write a time with its zone, for example 2026-12-31T18:00:00Z.');
  return time;
}

const ZONED_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/;

/** A whole number from 0 to 100; a trailing % is allowed. */
export function percent(text: string): number {
  const weight = /^\d{1,3}%?$/.test(text) ? Number.parseInt(text, 10) : Number.NaN;
  if (!(weight <= 100)) throw new InvalidArgumentError('A weight is a whole number from 0 to 100.');
  return weight;
}

/** A whole number from `least` to `most`. */
export function whole(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= least && value <= most))
      throw new InvalidArgumentError(`Give a whole number from ${least} to ${most}.`);
    return value;
  };
}

/** A sequence number or a generation. */
export function count(text: string): bigint {
  if (!/^\d{1,18}$/.test(text)) throw new InvalidArgumentError('Give a whole number, 0 or above.');
  return BigInt(text);
}

export interface HeaderArgument {
  readonly name: string;
  readonly value: string;
}

/** Collects `Name: value`, as curl takes it. */
export function header(text: string, earlier: readonly HeaderArgument[] = []): HeaderArgument[] {
  const match = /^([^:\s]+):[ \t]*(.*)$/.exec(text);
  if (match === null) throw new InvalidArgumentError("Write it as curl does: -H 'name: value'.");
  return [...earlier, { name: match[1] ?? '', value: match[2] ?? '' }];
}

export interface ServiceGeneration {
  readonly service: string;
  readonly generation: bigint;
}

/** Collects `SERVICE=GENERATION`. */
export function serviceGeneration(
  text: string,
  earlier: readonly ServiceGeneration[] = [],
): ServiceGeneration[] {
  const match = /^([^=]+)=(\d{1,18})$/.exec(text);
  if (match === null)
    throw new InvalidArgumentError('Write it as SERVICE=GENERATION, for example manager=7.');
  return [...earlier, { service: match[1] ?? '', generation: BigInt(match[2] ?? 0) }];
}

/** Collects the values of an option that may be repeated. */
export function repeated(text: string, earlier: readonly string[] = []): string[] {
  return [...earlier, text];
}

/** An IP address. */
export function ip(text: string): string {
  if (isIP(text) === 0) throw new InvalidArgumentError('Write an IP address, for example 192.0.2.7.');
  return text;
}

/** `host:port` or `[IPv6]:port`. */
export function address(text: string): { host: string; port: number } {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host === undefined || port > 65_535) {
    throw new InvalidArgumentError('Write host:port, for example 127.0.0.1:18000.');
  }
  return { host, port };
}
