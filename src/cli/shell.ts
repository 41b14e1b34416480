/** Where a command runs: its streams, its environment, and what the user chose for every command. */
import { hostname, userInfo } from 'node:os';
import { styleText } from 'node:util';
import type { ClusterChoice } from './place.ts';

export const OUTPUTS = ['table', 'wide', 'json', 'yaml', 'name'] as const;
export type Output = (typeof OUTPUTS)[number];

/** The streams and the environment of the process. */
export interface Shell {
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  readonly stdin: NodeJS.ReadStream;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Options that every command takes. */
export interface GlobalOptions {
  readonly server?: string;
  /** A namespace of a cluster, where that is meant: clusterOf has what the environment says too. */
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly namespace?: string;
  readonly output: Output;
  readonly color: boolean;
  readonly actor?: string;
}

/** What a command gets to work with. */
export interface Context {
  readonly shell: Shell;
  readonly options: GlobalOptions;
  readonly paint: Paint;
  /** Opens a way to a controller in a cluster. Rejects with CliError where there is none. */
  openTunnel(cluster: ClusterChoice): Promise<Tunnel>;
}

/** A way to the admin API of a controller, as long as a command needs it. */
export interface Tunnel {
  /** As gRPC takes it: `unix:PATH` or `host:port`. */
  readonly server: string;
  /** What last went wrong on the way itself; undefined where nothing is known. */
  trouble(): string | undefined;
  close(): void;
}

/** Writes lines to standard output. */
export function print(context: Context, text: string): void {
  context.shell.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
}

/** Writes a line to standard error: for what a reader of the output must not see. */
export function note(context: Context, text: string): void {
  context.shell.stderr.write(`${text}\n`);
}

/** Colours by meaning; plain text where colours are off. */
export interface Paint {
  good(text: string): string;
  bad(text: string): string;
  busy(text: string): string;
  faint(text: string): string;
}

/** Colours only on a terminal, and not where NO_COLOR or --no-color says so (https://no-color.org). */
export function paintFor(shell: Shell, wanted: boolean): Paint {
  const on = wanted && shell.stdout.isTTY && !shell.env['NO_COLOR'] && shell.env['TERM'] !== 'dumb';
  const style = (format: Parameters<typeof styleText>[0]) => (text: string) =>
    on ? styleText(format, text, { validateStream: false }) : text;
  return { good: style('green'), bad: style('red'), busy: style('yellow'), faint: style('dim') };
}

/** Who asks, for the audit trail: --actor, else user@host. */
export function actorOf({ options, shell }: Context): string {
  return options.actor ?? `${shell.env['USER'] || userName()}@${hostname()}`;
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid-${process.getuid?.() ?? 'unknown'}`;
  }
}
