/** What the command line of the delegate says, checked. */
import { parseArgs } from 'node:util';
import { isName, isTenant, NAME_RULE, TENANT_RULE } from '../../src/model/names.ts';
import { DELEGATE_ID_RULE, isDelegateId } from '../../src/model/workflow.ts';

export const USAGE =
  'usage: main.ts --version NAME --tenant TENANT --box NAME --gateway HOST:PORT --data FOLDER [--port PORT] ' +
  '[--tag TAG]... [--capacity TASKS] [--authority HOST] [--stable-after MILLISECONDS] [--ask-again-after MILLISECONDS]';

/** How a delegate is set up. Lengths of time are milliseconds. */
export interface DelegateOptions {
  /** The name of its box; delegates of other versions on the box have the same. */
  readonly box: string;
  readonly tenant: string;
  readonly version: string;
  /** Where managers are reached: `host:port`. */
  readonly gateway: string;
  /** The host that the gateway is asked for; absent: that of `gateway`. */
  readonly authority?: string;
  /** Its own folder; what must survive a crash is there. */
  readonly data: string;
  /** Of its HTTP server on the loopback address; 0: any. */
  readonly port: number;
  readonly tags: readonly string[];
  /** Tasks at a time. */
  readonly capacity: number;
  /** A stream that lived for so long was no failure. */
  readonly stableAfter: number;
  /** After VERSION_NOT_ACTIVE nothing is asked for so long. */
  readonly askAgainAfter: number;
}

const TAG_PATTERN = /^[\x21-\x7e]{1,128}$/;
const MOST_TAGS = 20;
const DAY = 86_400_000;

/** Throws RangeError that names the argument, or TypeError of parseArgs. */
export function readOptions(args: readonly string[]): DelegateOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      box: { type: 'string' },
      tenant: { type: 'string' },
      version: { type: 'string' },
      gateway: { type: 'string' },
      authority: { type: 'string' },
      data: { type: 'string' },
      port: { type: 'string', default: '0' },
      tag: { type: 'string', multiple: true, default: [] },
      capacity: { type: 'string', default: '4' },
      'stable-after': { type: 'string', default: '60000' },
      'ask-again-after': { type: 'string', default: '600000' },
    },
  });
  if (values.tag.length > MOST_TAGS) {
    throw new RangeError(`--tag may be given ${MOST_TAGS} times, not ${values.tag.length}`);
  }
  return {
    box: checked('box', values.box, isDelegateId, DELEGATE_ID_RULE),
    tenant: checked('tenant', values.tenant, isTenant, TENANT_RULE),
    version: checked('version', values.version, isName, NAME_RULE),
    gateway: checked('gateway', values.gateway, isAddress, 'host:port'),
    ...(values.authority !== undefined && { authority: values.authority }),
    data: checked('data', values.data, (text) => text !== '', 'a folder'),
    port: wholeNumber('port', values.port, { least: 0, most: 65_535 }),
    tags: values.tag.map((tag) =>
      checked('tag', tag, (text) => TAG_PATTERN.test(text), '1 to 128 visible characters without spaces'),
    ),
    capacity: wholeNumber('capacity', values.capacity, { least: 1, most: 1_000 }),
    stableAfter: wholeNumber('stable-after', values['stable-after'], { least: 1, most: DAY }),
    askAgainAfter: wholeNumber('ask-again-after', values['ask-again-after'], { least: 1, most: DAY }),
  };
}

function checked(
  name: string,
  text: string | undefined,
  isGood: (text: string) => boolean,
  rule: string,
): string {
  if (text === undefined) throw new RangeError(`--${name} is needed: ${rule}`);
  if (!isGood(text)) throw new RangeError(`--${name} must be ${rule}, not ${JSON.stringify(text)}`);
  return text;
}

function isAddress(text: string): boolean {
  const url = URL.parse(`http://${text}`);
  return url !== null && /:\d{1,5}$/.test(text) && url.pathname === '/' && !text.includes('/');
}

function wholeNumber(name: string, text: string, range: { least: number; most: number }): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= range.least && value <= range.most) return value;
  throw new RangeError(
    `--${name} must be a whole number from ${range.least} to ${range.most}, not ${JSON.stringify(text)}`,
  );
}
