/** What went wrong with Postgres, sorted by what is done about it, and in words that say what to do. */

/** The store cannot do what was asked; the message says why and what mends it. */
export class WorkflowStoreError extends Error {
  override readonly name = 'WorkflowStoreError';
}

/** The connection broke, or the server is not there at the moment. What was under way may or may not be done. */
export class ConnectionLostError extends Error {
  override readonly name = 'ConnectionLostError';
}

const LOST = new Set([
  '25006', // read only: a standby, until it is promoted or the address leads elsewhere
  '25P03', // idle in a transaction for too long
  '53300', // too many connections
  '57P01', // the administrator ends the backend
  '57P02', // another backend crashed
  '57P03', // starting up or shutting down
  '57P05', // idle for too long
]);

const TRY_AGAIN = new Set([
  '40001', // serialization
  '40P01', // deadlock
  '55P03', // lock not available in time
]);

const ADVICE: Readonly<Record<string, string>> = {
  '28000': 'the server refuses this user: look at pg_hba.conf and at the user of the connection string',
  '28P01': 'the password is wrong: look at the connection string',
  '3D000': 'the database does not exist: create it, or name another one in the connection string',
  '42501':
    'the role lacks a privilege: docs/workflow-postgres.md lists what it needs, and how a role of more rights migrates',
  '53100': 'the disk of the server is full: make room, for example by pruning ended executions',
  '57014':
    'the statement took longer than its limit: look for long transactions in pg_stat_activity, and at vacuum of the tables',
};

function codeOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : '';
}

/** True for an error that leaves no usable connection, or comes of there being no server. */
export function isLost(error: unknown): boolean {
  if (error instanceof ConnectionLostError) return true;
  const code = codeOf(error);
  // What is no SQLSTATE comes from the driver or from the network.
  return LOST.has(code) || code.startsWith('08') || !/^[0-9A-Z]{5}$/.test(code) || code.startsWith('E');
}

/** True for an error after which the same transaction may well go through. */
export function isTransient(error: unknown): boolean {
  return TRY_AGAIN.has(codeOf(error));
}

/** True where a receipt could not be written, because its line was closed or is gone. */
export function isReceiptRefused(error: unknown): boolean {
  return codeOf(error) === '22012';
}

/** True for an error that a caller was given because the server was away, whatever was asked of it. */
export function isUnavailable(error: unknown): boolean {
  return error instanceof WorkflowStoreError && (error.cause === undefined || isLost(error.cause));
}

/** The error that a caller of the store is given. */
export function explained(what: string, error: unknown): WorkflowStoreError {
  const message = error instanceof Error ? error.message : String(error);
  const advice = ADVICE[codeOf(error)];
  const text = `${what}: ${message}${advice === undefined ? '' : `; ${advice}`}`;
  return new WorkflowStoreError(text, { cause: error });
}
