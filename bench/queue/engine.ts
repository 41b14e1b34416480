/** What is compared: queues on one Postgres server, behind one small face. */

/** A job as all engines carry it. */
export interface Payload {
  /** When it was asked for, by performance.now(). */
  readonly at: number;
}

export interface Reports {
  /** A worker has the job and begins. */
  begun(payload: Payload): void;
  /** The job is finished, and that is durable. */
  finished(): void;
}

export interface Engine {
  /** Adds jobs in bulk; not measured. `other`: of the version that no worker here works on. */
  fill(count: number, version: 'own' | 'other'): Promise<void>;
  /** Adds one job of the own version; resolves when it is durable. */
  add(payload: Payload): Promise<void>;
  /** Starts to work on the own version, each job finished on its own. Answers how to stop. */
  work(reports: Reports): Promise<() => Promise<void>>;
  /** Jobs of the version that wait, as the tables say. */
  waiting(version: 'own' | 'other'): Promise<number>;
  close(): Promise<void>;
}

export type OpenEngine = (connectionString: string) => Promise<Engine>;

/** Jobs that are taken at a time, by every engine that can take several. */
export const BATCH = 50;
/** Jobs in hand at a time. */
export const CONCURRENCY = 100;
export const TENANTS = 10;
