/**
 * A follower's side: keeps one stream to the leader, tells it of this replica's proxies, and hears how far the recorded
 * state is. Where the leader cannot be reached nothing changes here; the leader takes this replica for silent.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { Client, credentials } from '@grpc/grpc-js';
import { FollowRequestSchema, FollowResponseSchema } from '../gen/switchyard/replica/v1/replica_pb.js';
import type { Publisher } from '../ports/publisher.ts';
import { ProxyChanges } from './changes.ts';
import { FOLLOW, LINK_OPTIONS } from './link-server.ts';
import { requestOf } from './messages.ts';

export interface LinkOptions {
  /** `host:port` of the leader. */
  readonly leader: string;
  /** This replica's name. */
  readonly replica: string;
  /** Publishes to this replica's proxies, counted in commits. */
  readonly publisher: Publisher;
  /** What this replica does not show yet. */
  readonly heldBack: () => readonly string[];
  /** Told of each commit that the leader has published. */
  readonly leaderIsAt: (commit: number) => void;
  readonly onProblem: (message: string) => void;
}

export interface Link {
  /** Tells the leader soon of whatever has changed. */
  tell(): void;
  close(): void;
}

/** Changes that come close together are told together. */
const GATHER_MS = 20;
/** The leader reckons with a proxy's last sign of life, so each is told again in a while. */
const RETELL_MS = 30_000;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;

export function openLink(options: LinkOptions): Link {
  const stopping = new AbortController();
  const { signal } = stopping;
  let told: (() => void) | undefined;

  const follow = (): Promise<string> => {
    const client = new Client(options.leader, credentials.createInsecure(), LINK_OPTIONS);
    const call = client.makeBidiStreamRequest(
      FOLLOW.path,
      FOLLOW.requestSerialize,
      FOLLOW.responseDeserialize,
    );
    let changes = new ProxyChanges();
    let waiting: NodeJS.Timeout | undefined;
    const tell = (): void => {
      waiting = undefined;
      const { publication: commit, proxies } = options.publisher.progress();
      const report = { commit, heldBack: options.heldBack(), ...changes.since(proxies) };
      call.write(Buffer.from(toBinary(FollowRequestSchema, requestOf(options.replica, report))));
    };
    told = () => {
      waiting ??= setTimeout(tell, GATHER_MS).unref();
    };
    const again = setInterval(() => {
      changes = new ProxyChanges();
      told?.();
    }, RETELL_MS).unref();
    const unsubscribe = options.publisher.subscribe(told);
    const abort = (): void => call.cancel();
    signal.addEventListener('abort', abort, { once: true });
    call.on('data', (bytes: Buffer) =>
      options.leaderIsAt(Number(fromBinary(FollowResponseSchema, bytes).commit)),
    );
    tell();
    return new Promise<string>((resolve) => {
      call.on('error', ({ message }) => resolve(message));
      call.on('end', () => resolve('the leader ended the stream'));
    }).finally(() => {
      told = undefined;
      clearTimeout(waiting);
      clearInterval(again);
      unsubscribe();
      signal.removeEventListener('abort', abort);
      client.close();
    });
  };

  const run = async (): Promise<void> => {
    let pause = FIRST_PAUSE_MS;
    while (!signal.aborted) {
      const began = performance.now();
      const why = await follow();
      if (signal.aborted) return;
      options.onProblem(why);
      if (performance.now() - began > LONGEST_PAUSE_MS) pause = FIRST_PAUSE_MS;
      await sleep(pause * (0.5 + Math.random()), undefined, { signal }).catch(() => undefined);
      pause = Math.min(2 * pause, LONGEST_PAUSE_MS);
    }
  };
  void run();
  return {
    tell: () => told?.(),
    close: () => stopping.abort(),
  };
}
