// What replicas tell each other, over real gRPC.
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { LeadingPublisher } from '../../../src/replicas/leading.ts';
import { type Link, openLink } from '../../../src/replicas/link-client.ts';
import { type LinkServer, openLinkServer } from '../../../src/replicas/link-server.ts';
import { openReplicaPort } from '../../../src/replicas/port.ts';
import { RenumberedPublisher } from '../../../src/replicas/renumbered.ts';
import { ScriptedProxies } from '../../support/admin/proxies.ts';

const EMPTY = { services: [] };

class World {
  readonly own = new ScriptedProxies();
  readonly leading: LeadingPublisher;
  readonly heard: number[] = [];
  readonly problems: string[] = [];
  readonly followers = new ScriptedProxies();
  readonly following = new RenumberedPublisher(this.followers);
  heldBack: string[] = [];
  commit = 10;

  constructor() {
    this.leading = new LeadingPublisher({ own: this.own, commit: () => this.commit });
  }

  follow(server: { readonly port: number }): Link {
    const link = openLink({
      leader: `127.0.0.1:${server.port}`,
      replica: 'switchyard-1',
      publisher: this.following,
      heldBack: () => this.heldBack,
      leaderIsAt: (commit) => this.heard.push(commit),
      onProblem: (message) => this.problems.push(message),
    });
    onTestFinished(() => link.close());
    return link;
  }

  /** Proxies by id, with the publication that each has. */
  known(): Record<string, number> {
    return Object.fromEntries(
      this.leading.progress().proxies.map(({ id, publication }) => [id, publication]),
    );
  }
}

interface Listening extends LinkServer {
  readonly port: number;
  stop(): Promise<void>;
}

async function listening(wanted = 0): Promise<Listening> {
  const server = openLinkServer();
  const replica = await openReplicaPort({
    host: '127.0.0.1',
    port: wanted,
    link: (socket) => server.accept(socket),
    tunnels: () => undefined,
  });
  const stop = async (): Promise<void> => {
    server.close();
    await replica.close();
  };
  onTestFinished(stop);
  return { ...server, port: replica.port, stop };
}

describe('the link between replicas', () => {
  test('tells the leader which proxies a follower has and how far they are, and the follower how far the leader is', async () => {
    const world = new World();
    const server = await listening();
    server.lead(world.leading);
    world.leading.publish({ number: 1, table: EMPTY });
    world.followers.connect('gateway', 'slow');
    world.following.publish({ number: 10, table: EMPTY });
    world.follow(server);
    await vi.waitFor(() => expect(world.known()).toEqual({ gateway: 0 }));
    world.followers.acknowledge('gateway');
    await vi.waitFor(() => expect(world.known()).toEqual({ gateway: 1 }));
    world.followers.reject('gateway', 'no such cluster');
    await vi.waitFor(() =>
      expect(world.leading.progress().proxies[0]?.types[0]?.rejection).toEqual({
        message: 'no such cluster',
        version: 'b',
        at: Date.parse('2026-11-01T12:00:05Z'),
      }),
    );
    expect(world.leading.progress().proxies).toEqual(
      world.following
        .progress()
        .proxies.map((proxy) => expect.objectContaining({ id: proxy.id, address: proxy.address })),
    );
    world.commit = 12;
    world.leading.publish({ number: 2, table: EMPTY });
    await vi.waitFor(() => expect(world.heard.at(-1)).toBe(12));
    world.followers.disconnect('gateway');
    await vi.waitFor(() => expect(world.known()).toEqual({}));
  });

  test('tells what is held back when it is told to tell', async () => {
    const world = new World();
    const server = await listening();
    server.lead(world.leading);
    const link = world.follow(server);
    await vi.waitFor(() => expect(world.heard).not.toEqual([]));
    world.heldBack = ['manager: v2 is cold'];
    link.tell();
    await vi.waitFor(() =>
      expect(world.leading.heldBack()).toEqual(['switchyard-1 stays on what it shows: manager: v2 is cold']),
    );
  });

  test('a replica that does not lead sends followers away, and they come again', async () => {
    const world = new World();
    const server = await listening();
    world.followers.connect('gateway', 'prompt');
    world.follow(server);
    await vi.waitFor(() => expect(world.problems.join()).toContain('does not lead'));
    expect(world.known()).toEqual({});
    const stepDown = server.lead(world.leading);
    await vi.waitFor(() => expect(Object.keys(world.known())).toEqual(['gateway']));
    stepDown();
    await vi.waitFor(() => expect(world.known()).toEqual({}));
    await vi.waitFor(() => expect(world.problems.join()).toContain('does not lead any more'));
  });

  test('a follower whose leader ends and comes again tells all anew', async () => {
    const world = new World();
    const first = await listening();
    first.lead(world.leading);
    world.followers.connect('gateway', 'prompt');
    world.follow(first);
    await vi.waitFor(() => expect(Object.keys(world.known())).toEqual(['gateway']));
    await first.stop();
    await vi.waitFor(() => expect(world.known()).toEqual({}));
    (await listening(first.port)).lead(world.leading);
    await vi.waitFor(() => expect(Object.keys(world.known())).toEqual(['gateway']), { timeout: 10_000 });
  });
});
