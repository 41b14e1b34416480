/** Where the controller keeps its data and where its admin socket is, unless the user says otherwise. */
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Context, Shell } from './shell.ts';

/** `$XDG_STATE_HOME/switchyard`, by default `~/.local/state/switchyard` (XDG base directory specification). */
export function defaultDataDir(env: Shell['env']): string {
  return join(env['XDG_STATE_HOME'] || join(homedir(), '.local', 'state'), 'switchyard');
}

/** The admin socket of a controller that keeps its data in `dataDir`. */
export function defaultSocket(dataDir: string): string {
  return join(resolve(dataDir), 'admin.sock');
}

/** The controller that commands talk to: --server, else SWITCHYARD_SERVER, else the default socket. A path is a socket. */
export function serverOf({ options, shell }: Pick<Context, 'options' | 'shell'>): string {
  const server = options.server || shell.env['SWITCHYARD_SERVER'] || defaultSocket(defaultDataDir(shell.env));
  return server.startsWith('/') ? `unix:${server}` : server;
}
