/**
 * Starts a real Prometheus for a test, on a free port and in a folder of its own, with the targets that the test
 * names. The program is the one that findTool of scripts/tools.ts finds. What it scrapes can change while it runs.
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, open, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findTool, type ToolName } from '../../scripts/tools.ts';
import { eventually } from './eventually.ts';
import { freePort } from './free-port.ts';
import { notRun } from './not-run.ts';

/** Addresses that are scraped under one job name. */
export interface ScrapeJob {
  readonly job: string;
  /** `host:port` of each; they become the label `instance`. */
  readonly targets: readonly string[];
  /** Default `/metrics`; Envoy's is `/stats/prometheus`. */
  readonly path?: string;
}

export interface PrometheusOptions {
  readonly jobs: readonly ScrapeJob[];
  /** Milliseconds; default 500. */
  readonly scrapeInterval?: number;
  /** Files of recording and alerting rules, evaluated as often as targets are scraped. */
  readonly rules?: readonly string[];
}

/** A running Prometheus. */
export interface PrometheusServer {
  readonly pid: number;
  /** `http://127.0.0.1:PORT`. */
  readonly url: string;
  /** Milliseconds. */
  readonly scrapeInterval: number;
  /** Resolves when every target that is configured now has been scraped well this many times from now on. */
  scraped(times: number): Promise<void>;
  /** Changes the targets of a job that it was started with, and waits until it has noticed (five seconds or so). */
  retarget(job: string, targets: readonly string[]): Promise<void>;
  /** Answers of the HTTP API, for what a test wants to see by itself: `/api/v1/…`. */
  get(pathAndQuery: string): Promise<unknown>;
  /** The value of an expression that gives one series, as Prometheus writes it; undefined: none. `at`: milliseconds. */
  value(query: string, at: number): Promise<string | undefined>;
  /** The last part of the log. */
  log(): string;
  /** SIGSTOP and SIGCONT pause and resume it. */
  signal(name: NodeJS.Signals): void;
  /** Stops the process, waits for its end and removes its folder. */
  stop(): Promise<void>;
}

const START_WITHIN_MS = 30_000;
const STOP_AFTER_MS = 5_000;
const PORTS_TRIED = 3;

/** The path of a program that comes with Prometheus; where there is none, the running test ends as not run. */
export function prometheusProgram(name: Extract<ToolName, 'prometheus' | 'promtool'>): string {
  const tool = findTool(name);
  return tool.kind === 'found' ? tool.path : notRun('a test with a real Prometheus', tool.why);
}

/** Starts a Prometheus and waits until it is ready. Rejects with the end of its log where it does not start. */
export async function startPrometheus(options: PrometheusOptions): Promise<PrometheusServer> {
  const program = prometheusProgram('prometheus');
  // It cannot take port 0 and say which it got, so another program may take the free port in between.
  for (let tried = 1; ; tried += 1) {
    const started = await tryStart(program, options);
    if (started.kind === 'running') return started.server;
    if (tried === PORTS_TRIED || !started.log.includes('address already in use'))
      throw new Error(`Prometheus ended at its start:\n${started.log}`);
  }
}

type Started =
  | { readonly kind: 'running'; readonly server: PrometheusServer }
  | { readonly kind: 'ended'; readonly log: string };

async function tryStart(program: string, options: PrometheusOptions): Promise<Started> {
  const { jobs, scrapeInterval = 500, rules = [] } = options;
  const folder = await mkdtemp(join(tmpdir(), 'switchyard-prometheus-'));
  const targetsFolder = join(folder, 'targets');
  await mkdir(targetsFolder);
  const targetsFile = (job: string): string => join(targetsFolder, `${job}.json`);
  const writeTargets = async (job: string, targets: readonly string[]): Promise<void> => {
    // Renamed into place, so that it is never read half written.
    await writeFile(join(folder, `${job}.new`), JSON.stringify([{ targets }]));
    await rename(join(folder, `${job}.new`), targetsFile(job));
  };
  for (const { job, targets } of jobs) await writeTargets(job, targets);
  const every = `${scrapeInterval}ms`;
  const config = {
    global: { scrape_interval: every, scrape_timeout: every, evaluation_interval: every },
    rule_files: rules,
    scrape_configs: jobs.map(({ job, path = '/metrics' }) => ({
      job_name: job,
      metrics_path: path,
      file_sd_configs: [{ files: [targetsFile(job)], refresh_interval: '1s' }],
    })),
  };
  // JSON is YAML.
  await writeFile(join(folder, 'prometheus.yml'), JSON.stringify(config));
  const url = `http://127.0.0.1:${await freePort()}`;
  const logFile = join(folder, 'prometheus.log');
  const log = await open(logFile, 'w');
  const child = spawn(
    program,
    [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=${new URL(url).host}`,
    ],
    { stdio: ['ignore', log.fd, log.fd], env: { ...process.env, GOMAXPROCS: '1' } },
  );
  await log.close();
  let ended = false;
  const end = new Promise<void>((resolve) => {
    const done = (): void => {
      ended = true;
      resolve();
    };
    child.once('exit', done);
    child.once('error', done);
  });
  const readLog = (): string => readFileSync(logFile, 'utf8').slice(-20_000);
  const stop = async (): Promise<void> => {
    if (!ended) {
      child.kill('SIGCONT');
      child.kill('SIGTERM');
      await Promise.race([end, sleep(STOP_AFTER_MS, undefined, { ref: false })]);
      if (!ended) child.kill('SIGKILL');
      await end;
    }
    await rm(folder, { recursive: true, force: true });
  };
  const deadline = Date.now() + START_WITHIN_MS;
  while (!(await isReady(url))) {
    if (ended || child.pid === undefined || Date.now() > deadline) {
      const text = readLog();
      await stop();
      return { kind: 'ended', log: text };
    }
    await sleep(20);
  }
  const get = (pathAndQuery: string): Promise<unknown> => getJson(`${url}${pathAndQuery}`);
  return {
    kind: 'running',
    server: {
      pid: child.pid ?? 0,
      url,
      scrapeInterval,
      scraped: (times) => scraped(get, times, scrapeInterval),
      async retarget(job, targets) {
        await writeTargets(job, targets);
        const wanted = targets.toSorted().join();
        await eventually(async () => (await addresses(get, job)).toSorted().join() === wanted, {
          within: START_WITHIN_MS,
          what: `targets ${wanted}`,
        });
      },
      get,
      async value(query, at) {
        const answer = await get(`/api/v1/query?query=${encodeURIComponent(query)}&time=${at / 1000}`);
        return (answer as InstantAnswer).data.result[0]?.value[1];
      },
      log: readLog,
      signal: (name) => child.kill(name),
      stop,
    },
  };
}

interface InstantAnswer {
  readonly data: { readonly result: readonly { readonly value: readonly [number, string] }[] };
}

interface Targets {
  readonly data: {
    readonly activeTargets: readonly {
      readonly labels: Readonly<Record<string, string>>;
      readonly scrapeUrl: string;
      readonly health: string;
      readonly lastScrape: string;
    }[];
  };
}

async function addresses(get: (path: string) => Promise<unknown>, job: string): Promise<string[]> {
  const { data } = (await get('/api/v1/targets?state=active')) as Targets;
  return data.activeTargets
    .filter(({ labels }) => labels['job'] === job)
    .map(({ labels }) => labels['instance'] ?? '');
}

/** Watches the time of each target's last scrape change. Scrapes that are missed between two looks only make it wait longer. */
async function scraped(
  get: (path: string) => Promise<unknown>,
  times: number,
  interval: number,
): Promise<void> {
  const seen = new Map<string, Set<string>>();
  const since = Date.now();
  await eventually(
    async () => {
      const { data } = (await get('/api/v1/targets?state=active')) as Targets;
      for (const { scrapeUrl, health, lastScrape } of data.activeTargets) {
        const scrapes = seen.get(scrapeUrl) ?? new Set();
        seen.set(scrapeUrl, scrapes);
        if (health === 'up' && Date.parse(lastScrape) >= since) scrapes.add(lastScrape);
      }
      const active = data.activeTargets.map(({ scrapeUrl }) => seen.get(scrapeUrl)?.size ?? 0);
      return active.length > 0 && active.every((scrapes) => scrapes >= times);
    },
    {
      within: START_WITHIN_MS + 10 * times * interval,
      every: Math.min(50, interval / 4),
      what: `${times} scrapes`,
    },
  );
}

async function getJson(url: string): Promise<unknown> {
  const response = await fetch(url);
  const text = await response.text();
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${text}`);
  return JSON.parse(text);
}

function isReady(url: string): Promise<boolean> {
  return fetch(`${url}/-/ready`).then(
    (response) => response.ok,
    () => false,
  );
}
